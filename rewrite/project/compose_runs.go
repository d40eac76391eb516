package project

import (
	"path"
	"slices"
)

// Run is a service of a compose file that runs the image of this Dockerfile.
type Run struct {
	// Name is the service.
	Name string
	// Target is the stage that is built for it, "" for the last one.
	Target string
	// Service is what that place says, which need not be all that holds for it.
	Service *Service
}

// use is a service that builds nothing itself: it takes the image of another
// one by its name, extends it, or says more about it in a second file.
type use struct {
	file, name     string
	image, extends string
	service        *Service
}

func (s *search) composeUse(file string, p pair) {
	u := use{file: file, name: p.key.Value, image: imageName(scalar(p.value, "image")), extends: scalar(p.value, "extends"), service: composeRun(file, p.value)}
	if e := field(p.value, "extends"); e != nil && field(e, "file") == nil && u.extends == "" {
		u.extends = scalar(e, "service")
	}
	if len(s.uses) < 1000 {
		s.uses = append(s.uses, u)
	}
}

// Runs are the services that run the image of this Dockerfile: those that build
// it, and those that name what such a service builds. An image that several
// Dockerfiles are built to belongs to none of them.
func (p *Project) Runs() []Run {
	var out []Run
	builds := p.Builds()
	for _, b := range builds {
		if b.Service != nil {
			out = append(out, Run{b.Name, b.Target, b.Service})
		}
	}
	for _, u := range p.repo.uses {
		if i := slices.IndexFunc(builds, func(b Build) bool { return b.Service != nil && p.runs(u, b) }); i >= 0 {
			out = append(out, Run{u.name, builds[i].Target, u.service})
		}
	}
	return out
}

func (p *Project) runs(u use, b Build) bool {
	switch {
	case u.image != "":
		return slices.Contains(b.Images, u.image) && !slices.ContainsFunc(p.repo.builds, func(o Build) bool {
			return o.Dockerfile != b.Dockerfile && slices.Contains(o.Images, u.image)
		})
	case u.extends != "":
		return u.extends == b.Name && u.file == b.Evidence.Path
	default:
		return u.name == b.Name && u.file != b.Evidence.Path && path.Dir(u.file) == path.Dir(b.Evidence.Path)
	}
}

package project

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Build is a place in the repository that builds an image.
type Build struct {
	// Kind is compose, workflow, ci, bake, make, script or skaffold.
	Kind string
	// Name is the service, job or target.
	Name     string
	Evidence Evidence
	// Dockerfile and Context are paths from the root of the repository.
	Dockerfile, Context string
	Target              string
	Args                []Setting
	// Images are the names that the result gets, without tags, as far as they
	// are literal.
	Images []string
	// Logins are the registries that the same workflow job or script logs in
	// to; "" stands for Docker Hub.
	Logins []string
	// Service is what compose says about running it; nil for other kinds.
	Service *Service
}

// Builds are the places that build this Dockerfile, in a fixed order: by path
// and line. They are searched on the first call; see the limits in repo.go.
func (p *Project) Builds() []Build {
	if p.looked {
		return p.builds
	}
	p.looked = true
	p.repo.scanAll()
	for _, b := range p.repo.builds {
		if b.Dockerfile == p.dockerfile {
			p.builds = append(p.builds, b)
		}
	}
	return p.builds
}

// scanAll finds everything that builds or deploys images, once per repository.
func (r *Repo) scanAll() {
	r.scan.Do(func() {
		if r.fsys == nil {
			return
		}
		s := &search{repo: r}
		s.run()
		slices.SortStableFunc(s.builds, func(a, b Build) int {
			if c := strings.Compare(a.Evidence.Path, b.Evidence.Path); c != 0 {
				return c
			}
			return a.Evidence.Line - b.Evidence.Line
		})
		r.builds, r.kube, r.uses, r.dockerfiles = s.builds, s.kube, s.uses, s.dockerfiles
	})
}

// search reads the files that build and deploy.
type search struct {
	repo        *Repo
	builds      []Build
	kube        []KubeUse
	uses        []use
	dockerfiles []string
	reads       int
	bytes       int
}

var (
	composeName   = regexp.MustCompile(`^(docker-)?compose([._-][^/]*)?\.ya?ml$`)
	bakeName      = regexp.MustCompile(`^(docker-bake|[^/]*bake)[^/]*\.(hcl|json)$`)
	makeName      = regexp.MustCompile(`^([Mm]akefile|GNUmakefile|[^/]*\.mk|[Jj]ustfile|Jenkinsfile[^/]*)$`)
	ciName        = regexp.MustCompile(`^(\.gitlab-ci|azure-pipelines|cloudbuild|bitbucket-pipelines|buildspec|\.drone|\.travis|Taskfile|\.woodpecker)[^/]*\.ya?ml$`)
	dockerName    = regexp.MustCompile(`^(Dockerfile|Containerfile)([.-][^/]*)?$|\.(dockerfile|Dockerfile)$`)
	buildScript   = regexp.MustCompile(`(?i)^[^/]*(build|docker|image|release|publish|deploy)[^/]*\.sh$`)
	kubeDirectory = regexp.MustCompile(`(^|/)(k8s|kube|kubernetes|deploy|deployment|deployments|manifests?|helm|charts?|kustomize|base|overlays|templates|infra|gitops|argocd)(/|$)`)
)

// scanSkip are directories that hold foreign or generated files.
var scanSkip = map[string]bool{
	".git": true, "node_modules": true, "vendor": true, "third_party": true, ".venv": true, "venv": true, "__pycache__": true,
	"site-packages": true, "testdata": true, "fixtures": true, ".terraform": true, ".next": true, "coverage": true, "dist": true, "target": true, "obj": true,
}

// run collects candidates by name, the most telling ones first, and reads them
// within the limits.
func (s *search) run() {
	const kinds = 6
	var found [kinds][]string
	limit := maxListed
	for _, n := range s.repo.names(".github/workflows", isYAML) {
		found[0] = append(found[0], path.Join(".github/workflows", n))
		limit--
	}
	s.repo.walk(".", limit, 7, scanSkip, func(name string) bool {
		base := path.Base(name)
		switch {
		case strings.HasPrefix(name, ".github/workflows/"):
		case composeName.MatchString(base):
			found[1] = append(found[1], name)
		case ciName.MatchString(base) || name == ".circleci/config.yml" || base == "skaffold.yaml":
			found[2] = append(found[2], name)
		case bakeName.MatchString(base):
			found[3] = append(found[3], name)
		case makeName.MatchString(base) || buildScript.MatchString(base):
			found[4] = append(found[4], name)
		case dockerName.MatchString(base):
			s.dockerfiles = append(s.dockerfiles, name)
		case isYAML(base) && kubeDirectory.MatchString(path.Dir(name)):
			found[5] = append(found[5], name)
		}
		return true
	})
	read := [kinds]func(name, content string){s.workflow, s.compose, s.ci, s.bake, s.lines, s.manifest}
	for k, names := range found {
		for _, n := range names {
			if content, ok := s.open(n); ok {
				s.safely(func() { read[k](n, content) })
			}
		}
	}
}

// safely keeps a surprise in one file from hiding the others.
func (s *search) safely(f func()) {
	defer func() { _ = recover() }()
	f()
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")
}

func (s *search) open(name string) (string, bool) {
	if s.reads >= maxScanReads || s.bytes >= maxScanBytes {
		return "", false
	}
	s.reads++
	c, ok := s.repo.text(name)
	s.bytes += len(c)
	return c, ok
}

// add completes and keeps a build. dir is the directory that relative paths
// start from; Dockerfile is relative to the context when inContext is set.
func (s *search) add(b Build, dir string, inContext bool) {
	if len(s.builds) >= 1000 || strings.Contains(b.Context, "://") || strings.HasPrefix(b.Context, "git@") || b.Context == "-" {
		return
	}
	if unresolved(b.Context) || unresolved(b.Dockerfile) {
		return
	}
	context := joinPath(dir, b.Context)
	file := b.Dockerfile
	switch {
	case file == "":
		file = joinPath(context, "Dockerfile")
	case inContext:
		file = joinPath(context, file)
	default:
		file = joinPath(dir, file)
	}
	if !fs.ValidPath(context) || !fs.ValidPath(file) {
		return
	}
	b.Context, b.Dockerfile = context, file
	for _, o := range s.builds { // combinations of a matrix often differ in other things
		if o.Evidence == b.Evidence && o.Dockerfile == b.Dockerfile && o.Target == b.Target && o.Context == b.Context {
			return
		}
	}
	s.builds = append(s.builds, b)
}

// joinPath joins, a leading slash meaning the root of the repository.
func joinPath(dir, name string) string {
	if strings.HasPrefix(name, "/") {
		return path.Clean("." + name)
	}
	return path.Join(dir, name)
}

// unresolved tells whether a text has variables left.
func unresolved(s string) bool {
	return strings.Contains(s, "$") || strings.Contains(s, "{{")
}

var withDefault = regexp.MustCompile(`\$\{[A-Za-z_]\w*:?-([^${}]*)\}`)

// expandDefaults replaces ${NAME:-default} by the default.
func expandDefaults(s string) string { return withDefault.ReplaceAllString(s, "$1") }

// imageName is a reference without tag and digest; "" when it is not literal.
func imageName(ref string) string {
	ref = expandDefaults(strings.TrimSpace(ref))
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		ref = ref[:i]
	}
	// A variable in the registry still leaves the last part.
	if unresolved(path.Base(ref)) || ref == "" || strings.ContainsAny(path.Base(ref), " \t}") {
		return ""
	}
	return ref
}

package rules

import (
	"fmt"
	"strings"

	"dhibot/rewrite/strategy"
)

// volumes notes whose the volumes are now. A volume of the old image is none of
// an image that is another product: nothing writes there any more.
func (p *Pass) volumes(root *strategy.Stage) {
	f := p.Final.Stage
	if p.Shape == strategy.ShapeDev || p.RunUser.Root {
		return
	}
	other := root.Origin != nil && root.Origin.Image != p.finalImage()
	for _, v := range f.End.Volumes {
		own := p.declares(v)
		if v == "/tmp" || other && !own {
			continue // nobody keeps data there
		}
		if own && !p.makes(strings.TrimSuffix(v, "/")) {
			p.check(fmt.Sprintf("Nothing in the image makes the directory of volume %s, so a new volume there belongs to root and %s cannot write to it. Make it in a build stage and copy it with --chown, or mount one that belongs to the user.", v, p.RunUser.Spec), p.userLine())
		} else if old := f.End.EffectiveUser(); (old == "" || f.End.Root() || !p.sameAs(old)) && !p.servedAs(root) {
			p.after(fmt.Sprintf("Volume %s is written by %s now; existing data keeps its old owner.", v, p.RunUser.Spec), p.userLine())
		}
	}
}

// servedAs tells whether the old image is a database whose script gave up root
// for the same number: what it wrote belongs to that already. Source: the
// docker-entrypoint.sh of the official images.
func (p *Pass) servedAs(root *strategy.Stage) bool {
	switch p.finalImage() {
	case "postgres", "mongodb", "mysql", "mariadb", "redis", "valkey", "rabbitmq":
	default:
		return false
	}
	if root.Origin == nil || p.Final.End.Entrypoint.Step != nil {
		return false
	}
	for _, u := range root.Origin.Config.Users {
		if strings.HasPrefix(p.RunUser.Spec, fmt.Sprint(u.UID)+":") {
			return true
		}
	}
	return false
}

// declares tells whether the file itself makes a path a volume; those of an
// image are the image's own care.
func (p *Pass) declares(volume string) bool {
	for _, st := range p.Final.ChainSteps() {
		if st.Keyword == "VOLUME" && strings.Contains(st.Text, volume) {
			return true
		}
	}
	return false
}

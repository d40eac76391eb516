package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/config"
)

// Branch is the branch that carries the proposal for a whole repository. The
// branches of smaller groups begin with it.
const Branch = "dhi/migrate"

// Group is a part of a repository that has a pull request of its own. The zero
// Group is the whole repository.
type Group struct {
	By config.Grouping // "" for the whole repository
	// Name is the folder, "." for the root, or the path of the Dockerfile. It is
	// foreign text.
	Name string
}

// GroupOf is the group that a Dockerfile belongs to.
func GroupOf(by config.Grouping, dockerfile string) Group {
	switch by {
	case config.ByDirectory:
		return Group{By: by, Name: path.Dir(dockerfile)}
	case config.ByDockerfile:
		return Group{By: by, Name: dockerfile}
	default:
		return Group{}
	}
}

// Has tells whether a Dockerfile belongs to the group.
func (g Group) Has(dockerfile string) bool { return GroupOf(g.By, dockerfile) == g }

// Whole tells that it is the whole repository.
func (g Group) Whole() bool { return g == Group{} }

// Key names the group in a marker; "" for the whole repository.
func (g Group) Key() string {
	if g.Whole() {
		return ""
	}
	return string(g.By) + ":" + g.Name
}

// ParseGroup reads what Key wrote.
func ParseGroup(key string) (Group, bool) {
	by, name, ok := strings.Cut(key, ":")
	switch {
	case key == "":
		return Group{}, true
	case !ok || name == "" || by != string(config.ByDirectory) && by != string(config.ByDockerfile):
		return Group{}, false
	}
	return Group{By: config.Grouping(by), Name: name}, true
}

// Branch is the branch of the group: the same today and tomorrow, and another
// one for every group. What people can read of it says where the group is; what
// tells groups apart is the digest, so that no name of a folder, however long
// or odd, becomes part of a branch as it is. It is no branch below "dhi/migrate"
// because git cannot hold both that branch and branches below it.
func (g Group) Branch() string {
	if g.Whole() {
		return Branch
	}
	sum := sha256.Sum256([]byte(g.Key()))
	const words = 40
	slug := strings.Trim(odd.ReplaceAllString(strings.ToLower(g.Name), "-"), "-")
	slug = strings.Trim(slug[:min(len(slug), words)], "-")
	if slug != "" {
		slug += "-"
	}
	return Branch + "-" + slug + hex.EncodeToString(sum[:8])
}

var (
	odd     = regexp.MustCompile(`[^a-z0-9]+`)
	grouped = regexp.MustCompile(`^` + Branch + `-([a-z0-9]+-)*[0-9a-f]{16}$`)
)

// IsBranch tells whether a branch is one that a group may have.
func IsBranch(name string) bool { return name == Branch || grouped.MatchString(name) }

// pullGroup is the group that a pull request of ours was made for; not known
// when its marker was lost and it is not of the whole repository.
func pullGroup(p *Pull) (Group, bool) {
	if p.Branch == Branch {
		return Group{}, true
	}
	g, ok := ParseGroup(p.Marker.Group)
	return g, ok && g.Branch() == p.Branch
}

// Newest is the open pull request of a group, or the youngest when none is open;
// nil when there never was one.
func Newest(pulls []Pull, g Group) *Pull {
	var found *Pull
	for i, p := range pulls {
		if p.Branch == g.Branch() && (found == nil || p.Open && !found.Open || p.Open == found.Open && p.Number > found.Number) {
			found = &pulls[i]
		}
	}
	return found
}

// Retired are the open pull requests of groups that the settings do not make any
// more.
func Retired(pulls []Pull, by config.Grouping) []Pull {
	var list []Pull
	for _, p := range pulls {
		if g, known := pullGroup(&p); p.Open && known && GroupOf(by, g.Name).By != g.By {
			list = append(list, p)
		}
	}
	return list
}

// Elsewhere says, as a sentence about a Dockerfile, why a group leaves it to
// another pull request: people have changed how Dockerfiles are grouped, and the
// same change must not be proposed twice, nor again after a no. "" when nothing
// speaks against it.
func Elsewhere(pulls []Pull, g Group, dockerfile string, again bool) string {
	var last *Pull
	for i, p := range pulls {
		other, known := pullGroup(&p)
		if known && other.Has(dockerfile) && (Scope{Paths: p.Marker.Paths}).Covers(dockerfile) && (last == nil || p.Number > last.Number) {
			last = &pulls[i]
		}
	}
	switch {
	case last == nil || last.Branch == g.Branch():
		return ""
	case last.Open:
		return last.ref() + " has it, from a time when Dockerfiles were grouped in another way"
	case last.Merged || last.Marker.Closed || again:
		return ""
	default:
		return last.ref() + ", which had it, was closed without merging"
	}
}

// Select lets no more pull requests be opened than there is room for. open is
// how many are open now, most how many may be. The plans are those of all
// groups, in their order; those that have to wait are replaced.
func Select(plans []Plan, open, most int) []Plan {
	out := slices.Clone(plans)
	for _, p := range out {
		for _, a := range p.Actions {
			if _, closes := a.(ClosePull); closes {
				open--
			}
		}
	}
	for i, p := range out {
		switch {
		case p.Reason != Opens:
		case open < most:
			open++
		default:
			out[i] = Plan{Reason: Waits}
		}
	}
	return out
}

// Inherited is what people told us to leave alone while Dockerfiles were grouped
// in another way; a group without a pull request of its own keeps to it.
func Inherited(pulls []Pull, g Group) []body.Ignored {
	var list []body.Ignored
	for i, p := range pulls {
		other, known := pullGroup(&p)
		if !known || other.By == g.By || Newest(pulls, other) != &pulls[i] {
			continue
		}
		for _, ignored := range p.Marker.Ignored {
			if !slices.Contains(list, ignored) {
				list = append(list, ignored)
			}
		}
	}
	return list
}

package config

import (
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v4"
)

// Wave are the repositories that get a pull request before all others: those
// that a pattern of Names matches, or Percent of a hundred. The zero value is
// no wave.
type Wave struct {
	Percent int      // 1 to 100, 0 when Names counts
	Names   []string // globs on a name, or on owner/name when they hold a slash
}

const noWave = "none"

// None tells that there is no first wave.
func (w Wave) None() bool { return w.Percent == 0 && len(w.Names) == 0 }

// Has tells whether a repository, written owner/name, is named. GitHub's names
// are the same in upper and lower case.
func (w Wave) Has(fullName string) bool {
	full := strings.ToLower(fullName)
	_, name, _ := strings.Cut(full, "/")
	for _, p := range w.Names {
		if !Usable(p) {
			continue
		}
		s := name
		if strings.Contains(p, "/") {
			s = full
		}
		if hit, err := doublestar.Match(strings.ToLower(p), s); err == nil && hit {
			return true
		}
	}
	return false
}

// MarshalYAML writes what stands in a file of settings.
func (w Wave) MarshalYAML() (any, error) {
	switch {
	case w.Percent > 0:
		return strconv.Itoa(w.Percent) + "%", nil
	case len(w.Names) > 0:
		return w.Names, nil
	default:
		return noWave, nil
	}
}

// wavePattern is the form of a wave that is no list; the schema has it too.
const wavePattern = `^(none|([1-9]|[1-9][0-9]|100)%)$`

// wave reads a percentage, a list of globs, or the word for no wave.
func (r *reader) wave(n *yaml.Node, old Wave) Wave {
	if n.Kind == yaml.SequenceNode {
		names := r.globs(n, nil)
		if len(n.Content) == 0 {
			r.problem(n, "an empty list names no repository; `none` is for no first wave")
		}
		if len(names) == 0 {
			return old
		}
		return Wave{Names: names}
	}
	s, ok := r.scalar(n)
	if !ok {
		return old
	}
	if s == noWave {
		return Wave{}
	}
	digits, found := strings.CutSuffix(s, "%")
	percent, err := strconv.Atoi(digits)
	if !found || err != nil || strconv.Itoa(percent) != digits || percent < 1 || percent > 100 {
		r.problem(n, "first_wave is a percentage from `1%` to `100%`, a list of repositories, or `none`")
		return old
	}
	return Wave{Percent: percent}
}

// String is the wave as text, for people.
func (w Wave) String() string {
	switch {
	case w.Percent > 0:
		return strconv.Itoa(w.Percent) + "%"
	case len(w.Names) > 0:
		return strings.Join(w.Names, ", ")
	default:
		return noWave
	}
}

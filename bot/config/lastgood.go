package config

import (
	"regexp"
	"slices"
)

// Cautious are the settings that are in force while files have mistakes: good,
// the last ones without, as far as broken, what Resolve understood of the files
// as they are, does not want less. So nobody who has just switched the App off,
// or told it to leave something alone, gets a pull request because of a typo in
// another line.
func Cautious(good, broken Config) Config {
	order := []Mode{Off, Report, Commands, Open}
	if slices.Index(order, broken.Mode) < slices.Index(order, good.Mode) {
		good.Mode = broken.Mode
	}
	good.Ignore = join(good.Ignore, broken.Ignore)
	good.IgnoreImages = join(good.IgnoreImages, broken.IgnoreImages)
	return good
}

func join(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// modeLine is a line that sets the mode, in a file that is not YAML as a whole.
var modeLine = regexp.MustCompile(`(?m)^["']?mode["']?[ \t]*:[ \t]*["']?(off|report|commands|open)["']?[ \t\r]*(#.*)?$`)

// guess reads the mode of a file that is not YAML, for Cautious.
func (r *reader) guess(content []byte, c *Config) {
	switch m := modeLine.FindSubmatch(content); {
	case m == nil:
		r.lessOpen(c)
	case !slices.Contains(r.locked, "mode"):
		c.Mode = Mode(m[1])
	}
}

// lessOpen is for a mode that cannot be read: it may have been any of them, so
// nothing is opened that nobody asked for.
func (r *reader) lessOpen(c *Config) {
	if c.Mode == Open && !slices.Contains(r.locked, "mode") {
		c.Mode = Commands
	}
}

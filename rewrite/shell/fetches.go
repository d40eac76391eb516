package shell

import "strings"

// Fetch is something that the text gets from the network by name.
type Fetch struct {
	Program string // curl, wget, git, pip, add-apt-repository ...
	URL     string // as written
	Literal bool
	Cmd     *Command
}

// Fetches are the downloads of the text: curl, wget, git clone, and package
// managers that are given a URL.
func (s *Script) Fetches() []Fetch {
	var out []Fetch
	for _, c := range s.Commands {
		if c.Name == "git" && !gitFetches(c) {
			continue
		}
		switch c.Name {
		case "curl", "wget", "git", "aria2c", "svn", "hg", "pip", "pip3", "pip2", "npm", "yarn", "pnpm", "uv", "apt", "apt-get", "dnf", "yum", "rpm", "apk", "cargo", "gem":
		default:
			if !isPython(c.Name) {
				continue
			}
		}
		for _, a := range c.Args {
			if u, ok := urlIn(a.Text); ok {
				out = append(out, Fetch{Program: c.Name, URL: u, Literal: a.Literal || a.Glob, Cmd: c})
			} else if (c.Name == "curl" || c.Name == "wget") && !a.Literal && !strings.HasPrefix(a.Text, "-") && len(a.Vars) > 0 && strings.HasPrefix(a.Text, "$") {
				out = append(out, Fetch{Program: c.Name, URL: a.Text, Cmd: c})
			}
		}
	}
	return out
}

func gitFetches(c *Command) bool {
	for _, a := range c.Args {
		switch a.Text {
		case "clone", "fetch", "pull", "ls-remote", "submodule":
			return true
		}
	}
	return false
}

// urlIn finds a URL in a word such as git+https://…, --index-url=https://… or
// name@https://….
func urlIn(t string) (string, bool) {
	for _, scheme := range []string{"https://", "http://", "ftp://", "ssh://", "git://", "git@"} {
		i := strings.Index(t, scheme)
		if i < 0 {
			continue
		}
		// Options such as --index-url and headers are not downloads.
		if strings.HasPrefix(t, "-") || scheme == "git@" && i > 0 || strings.ContainsAny(t[:i], " ") {
			return "", false
		}
		for i > 0 && (t[i-1] == '+' || t[i-1] >= 'a' && t[i-1] <= 'z') {
			i--
		}
		return t[i:], true
	}
	return "", false
}

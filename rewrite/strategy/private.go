package strategy

import (
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/shell"
)

// private are the COPYs of the final image that bring files which nobody but
// their owner can read: by their own --chmod, or because the stage that they
// come from made them so. The program read them as root; now they must belong
// to its user. The value says which file.
func (d *decider) private(f *assess.Stage) (out map[*assess.Step]string) {
	if !d.RunUser.Add || d.RunUser.Root {
		return nil
	}
	for _, st := range f.ChainSteps() {
		c := st.Copy
		if c == nil || c.Chown != "" {
			continue
		}
		what := ""
		switch {
		case c.Chmod != "":
			if ownersAlone(c.Chmod) {
				what = path.Clean(c.Dest)
			}
		case c.FromStage != nil:
			for _, p := range privateFiles(c.FromStage) {
				for _, src := range c.Sources {
					if src = rooted(src); p == src || under(p, src) || under(src, p) || matches(src, p) {
						what = p
					}
				}
			}
		}
		if what == "" {
			continue
		}
		if out == nil {
			out = map[*assess.Step]string{}
		}
		out[st] = what
	}
	return out
}

// ownersAlone tells whether a mode in octal lets only the owner and the group
// read.
func ownersAlone(mode string) bool {
	n := len(mode)
	return n >= 3 && n <= 5 && strings.Trim(mode, "01234567") == "" && (mode[n-1]-'0')&4 == 0
}

// privateFiles are the files of a stage that only their owner can read at its
// end: keys, which their tools write so, and what chmod says.
func privateFiles(s *assess.Stage) (out []string) {
	for _, st := range s.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		sc := st.Run.Script
		ops := sc.FileOps()
		for _, c := range sc.Commands {
			if c.DirUnknown {
				continue
			}
			base := path.Join(st.Before.WorkDir, c.Dir)
			if path.IsAbs(c.Dir) {
				base = c.Dir
			}
			at := func(p string) string {
				if path.IsAbs(p) {
					return path.Clean(p)
				}
				return path.Join(base, p)
			}
			for _, key := range keysOf(c) {
				out = append(out, at(key))
			}
			for _, op := range ops {
				if op.Cmd != c {
					continue
				}
				paths := op.Paths
				switch op.Op {
				case "chmod", "chown", "mkdir":
				case "install":
					paths = paths[max(0, len(paths)-1):] // the destination
				default:
					continue
				}
				for _, p := range paths {
					p = at(p)
					if op.Op != "chown" && op.Literal && ownersAlone(op.Mode) {
						out = append(out, p)
						continue
					}
					if op.Op == "mkdir" || op.Op == "install" {
						continue // says nothing of what is there already
					}
					kept := out[:0]
					for _, have := range out {
						if have != p && !under(have, p) && !matches(p, have) {
							kept = append(kept, have)
						}
					}
					out = kept
				}
			}
		}
	}
	return out
}

// keysOf are the private keys that a command writes, which OpenSSL, OpenSSH and
// mkcert do with the mode 600.
func keysOf(c *shell.Command) []string {
	var options []string
	switch c.Name {
	case "openssl":
		options = []string{"-keyout"}
		if len(c.Args) > 0 {
			switch c.Args[0].Text {
			case "genrsa", "genpkey", "ecparam", "pkey", "rsa", "ec", "pkcs8", "pkcs12":
				options = append(options, "-out")
			}
		}
	case "ssh-keygen":
		options = []string{"-f"}
	case "mkcert":
		options = []string{"-key-file"}
	}
	var out []string
	for i, a := range c.Args {
		for _, o := range options {
			if a.Text == o && i+1 < len(c.Args) && c.Args[i+1].Literal {
				out = append(out, c.Args[i+1].Text)
			}
		}
	}
	return out
}

package shell

import (
	"path"
	"regexp"
	"strings"
)

// writesTar: -x writes below -C or the current directory, -c writes -f.
func writesTar(e *effects, c *Command) {
	mode := byte(0)
	for i, a := range c.Args {
		t := a.Text
		switch {
		case t == "--extract" || t == "--get":
			mode = 'x'
		case t == "--create":
			mode = 'c'
		case t == "--list":
			mode = 't'
		case strings.HasPrefix(t, "--"):
		case i == 0 && t != "" && t[0] != '-' || strings.HasPrefix(t, "-"):
			for _, m := range []byte("xct") {
				// The letters after f are a file name.
				letters, _, _ := strings.Cut(t, "f")
				if strings.Contains(letters+strings.TrimLeft(t[len(letters):], "f"), string(m)) && mode == 0 {
					mode = m
				}
			}
		}
	}
	switch mode {
	case 't':
	case 'c':
		for i, a := range c.Args {
			if (strings.HasPrefix(a.Text, "-") && !strings.HasPrefix(a.Text, "--") || i == 0) && strings.HasSuffix(a.Text, "f") && i+1 < len(c.Args) && c.Args[i+1].Text != "-" {
				e.write(c, c.Args[i+1])
			}
		}
		if a, ok := valueOf(c, "--file"); ok {
			e.write(c, a)
		}
	default:
		for _, a := range c.Args {
			if a.Text == "-P" || a.Text == "--absolute-names" {
				e.unknown("tar -P writes where the archive says")
			}
		}
		if a, ok := valueOf(c, "-C", "--directory", "--one-top-level"); ok {
			e.write(c, a)
			return
		}
		if a, ok := bundledC(c); ok {
			e.write(c, a)
			return
		}
		e.here(c)
	}
}

// bundledC finds the directory of `tar -xzC /opt` and `tar xC /opt -f x`.
func bundledC(c *Command) (Arg, bool) {
	for i, a := range c.Args {
		if (i == 0 || strings.HasPrefix(a.Text, "-") && !strings.HasPrefix(a.Text, "--")) && strings.HasSuffix(a.Text, "C") && i+1 < len(c.Args) {
			return c.Args[i+1], true
		}
	}
	return Arg{}, false
}

func writesCurl(e *effects, c *Command) {
	here := false
	for _, o := range options(c.Args, "AbcCDdeEFhHKmoPQrtTuUwxXYyz", "--output --header --data --user --user-agent --request --retry --retry-delay --max-time --connect-timeout --output-dir --cacert --proto --url --location-trusted") {
		switch o.name {
		case "-o", "--output", "--output-dir":
			if o.value.Text != "-" {
				e.write(c, o.value)
			}
		case "-O", "--remote-name", "--remote-name-all":
			here = true
		case "-K":
			e.unknown("curl -K reads its options from a file")
		}
	}
	if here {
		e.here(c)
	}
	e.open(c)
}

func writesWget(e *effects, c *Command) {
	dir := ""
	for _, o := range options(c.Args, "aeioPtTUwQABDIXlO", "--output-document --directory-prefix --header --user --password --tries --timeout") {
		switch o.name {
		case "-O", "--output-document":
			if o.value.Text != "-" {
				e.write(c, o.value)
			}
			return
		case "-P", "--directory-prefix":
			dir = o.value.Text
			e.write(c, o.value)
		case "--spider":
			return
		}
	}
	if dir == "" {
		e.here(c)
	}
}

func writesGPG(e *effects, c *Command) {
	if a, ok := valueOf(c, "-o", "--output"); ok {
		e.write(c, a)
	}
	if a, ok := valueOf(c, "--keyring"); ok && path.IsAbs(a.Text) {
		e.write(c, a)
	}
	if a, ok := valueOf(c, "--homedir"); ok {
		e.write(c, a)
	}
}

// awkWrites finds print > file, print | command and system() in an awk program.
var awkWrites = regexp.MustCompile(`\bprintf?\b[^;}\n]*[>|]|\bsystem\s*\(`)

// writesAwk: an awk program can write files and run commands.
func writesAwk(e *effects, c *Command) {
	for _, a := range c.Args {
		if awkWrites.MatchString(a.Text) || a.Text == "-f" || a.Text == "-i" {
			e.unknown("what the awk program writes is not known")
		}
	}
}

// writesGit: clone makes a directory, most others work in theirs.
func writesGit(e *effects, c *Command) {
	args := c.Args
	dir := Arg{Text: ".", Literal: true}
	for len(args) > 0 && strings.HasPrefix(args[0].Text, "-") {
		n := 1
		if (args[0].Text == "-C" || args[0].Text == "-c") && len(args) > 1 {
			if args[0].Text == "-C" {
				dir = args[1]
			}
			n = 2
		}
		args = args[n:]
	}
	if len(args) == 0 {
		return
	}
	verb := args[0].Text
	switch verb {
	case "config", "rev-parse", "describe", "log", "status", "diff", "ls-remote", "ls-files", "show", "lfs", "version", "rev-list":
		return
	case "clone":
	default:
		e.write(c, dir)
		return
	}
	sub := *c
	sub.Args = args[1:]
	var ops []Arg
	for _, o := range options(sub.Args, "bcjou", "--branch --depth --config --jobs --origin --reference --shallow-since --filter --upload-pack --template --separate-git-dir --recurse-submodules=") {
		if o.name == "" {
			ops = append(ops, o.value)
		}
	}
	switch len(ops) {
	case 0:
		e.unknown("git clone without a repository")
	case 1:
		e.here(c)
	default:
		to := ops[1]
		if dir.Text != "." && !path.IsAbs(to.Text) {
			to.Text = path.Join(dir.Text, to.Text)
		}
		e.write(c, to)
	}
}

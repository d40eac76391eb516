package shell

import (
	"path"
	"regexp"
	"strings"
)

// fileTools are the programs that write what their arguments name.
var fileTools = map[string]handler{
	"mkdir": writesOps, "touch": writesOps, "chown": writesOps, "chmod": writesOps, "chgrp": writesOps, "tee": writesOps,
	"install": writesDestination, "cp": writesDestination, "ln": writesDestination,
	"sed": writesSed,
	"mv": func(e *effects, c *Command) {
		op, _ := fileOp(c)
		if len(op.Paths) > 1 {
			for _, a := range operandsOf(c, "tS")[:1] {
				e.remove(c, a)
			}
		}
		writesDestination(e, c)
	},
	"rm": writesRemoved, "rmdir": writesRemoved, "unlink": writesRemoved, "shred": writesRemoved,
	"find": func(e *effects, c *Command) {
		for _, a := range c.Args {
			if a.Text == "-delete" || strings.HasPrefix(a.Text, "-fprint") {
				for _, d := range c.Args {
					if strings.HasPrefix(d.Text, "-") || d.Text == "(" || d.Text == "!" {
						return
					}
					e.remove(c, Arg{Text: path.Join(d.Text, "_"), Raw: d.Raw, Literal: d.Literal, Glob: true})
				}
			}
		}
	},
	"truncate": writesOperands("sr"), "strip": writesOperands("oKN"), "upx": writesOperands("o"), "setcap": writesLast, "getcap": nothing,
	"setfacl": writesLast, "gzip": writesOperands("S"), "gunzip": writesOperands("S"), "bzip2": writesOperands(""), "bunzip2": writesOperands(""),
	"xz": writesOperands(""), "unxz": writesOperands(""), "zstd": writesOperands("o"), "brotli": writesOperands("o"), "dos2unix": writesOperands(""), "sort": writesOption("-o"),
	"patch": func(e *effects, c *Command) { e.hereOr(c, "-d", "--directory") },
	"dd": func(e *effects, c *Command) {
		for _, a := range c.Args {
			if of, ok := strings.CutPrefix(a.Text, "of="); ok {
				a.Text = of
				e.write(c, a)
			}
		}
	},
	"tar": writesTar, "bsdtar": writesTar,
	"unzip": func(e *effects, c *Command) { e.hereOr(c, "-d") },
	"7z":    func(e *effects, c *Command) { e.unknown("what 7z writes is not known") },
	"zip":   func(e *effects, c *Command) { e.first(c, "") },
	"cpio":  func(e *effects, c *Command) { e.hereOr(c, "-D") },
	"curl":  writesCurl, "wget": writesWget, "git": writesGit,
	"rsync":    writesLast,
	"openssl":  writesOption("-out -keyout -CAserial"),
	"gpg":      writesGPG,
	"gpg2":     writesGPG,
	"gpgv":     nothing,
	"gpgconf":  nothing,
	"dirmngr":  nothing,
	"keytool":  writesOption("-keystore -destkeystore -file"),
	"awk":      writesAwk,
	"gawk":     writesAwk,
	"mawk":     writesAwk,
	"perl":     func(e *effects, c *Command) { e.unknown("what perl writes is not known") },
	"envsubst": nothing,
	"yq": func(e *effects, c *Command) {
		for _, a := range c.Args {
			if a.Text == "-i" || a.Text == "--inplace" {
				writesLast(e, c)
			}
		}
	},
	"locale-gen":             writes("/usr/lib/locale", "/etc/locale.gen"),
	"localedef":              writes("/usr/lib/locale"),
	"update-locale":          writes("/etc/default/locale"),
	"dpkg-reconfigure":       writes("/etc"),
	"update-ca-certificates": writes("/etc/ssl/certs"),
	"update-ca-trust":        writes("/etc/pki/ca-trust/extracted"),
	"update-alternatives":    writes("/etc/alternatives", "/usr/bin"),
	"ldconfig":               writes("/etc/ld.so.cache"),
	"fc-cache":               nothing,
	"mktemp":                 nothing,
	"split":                  func(e *effects, c *Command) { e.here(c) },
	"base64":                 nothing,
	"mknod":                  writesOperands("mZ"),
	"crontab":                writes("/var/spool/cron"),
}

func nothing(*effects, *Command) {}

func writes(paths ...string) handler {
	return func(e *effects, c *Command) {
		for _, p := range paths {
			e.abs(c, p)
		}
	}
}

// operandsOf are the words that are no options; short names the one-letter
// options that take a value.
func operandsOf(c *Command, short string) []Arg {
	var out []Arg
	for _, o := range options(c.Args, short, fileValues) {
		if o.name == "" {
			out = append(out, o.value)
		}
	}
	return out
}

// fileValues are long options of file tools that take the next word.
const fileValues = "--mode --owner --group --target-directory --suffix --date --size --output --context"

// valueOf is the value of the last of the named options.
func valueOf(c *Command, names ...string) (Arg, bool) {
	var found Arg
	ok := false
	for i, a := range c.Args {
		for _, n := range names {
			switch {
			case a.Text == n && i+1 < len(c.Args):
				found, ok = c.Args[i+1], true
			case strings.HasPrefix(n, "--") && strings.HasPrefix(a.Text, n+"="):
				found, ok = a, true
				found.Text = a.Text[len(n)+1:]
			case len(n) == 2 && n[0] == '-' && strings.HasPrefix(a.Text, n) && len(a.Text) > 2 && a.Text[1] != '-':
				found, ok = a, true
				found.Text = strings.TrimPrefix(a.Text[2:], "=")
			}
		}
	}
	return found, ok
}

// hereOr notes the directory that an option names, or the current one.
func (e *effects) hereOr(c *Command, names ...string) {
	if a, ok := valueOf(c, names...); ok {
		e.write(c, a)
		return
	}
	e.here(c)
}

func (e *effects) open(c *Command) bool {
	if c.OpenArgs {
		e.unknown("%s gets arguments that are not in the text", c.Name)
	}
	return c.OpenArgs
}

func (e *effects) first(c *Command, short string) {
	if ops := operandsOf(c, short); len(ops) > 0 {
		e.write(c, ops[0])
	}
}

func writesLast(e *effects, c *Command) {
	if ops := operandsOf(c, ""); len(ops) > 0 && !e.open(c) {
		e.write(c, ops[len(ops)-1])
	}
}

func writesOperands(short string) handler {
	return func(e *effects, c *Command) {
		if e.open(c) {
			return
		}
		for _, a := range operandsOf(c, short) {
			e.write(c, a)
		}
		if a, ok := valueOf(c, "-o"); ok && strings.Contains(short, "o") {
			e.write(c, a)
		}
	}
}

func writesOption(names string) handler {
	return func(e *effects, c *Command) {
		for _, n := range strings.Fields(names) {
			if a, ok := valueOf(c, n); ok {
				e.write(c, a)
			}
		}
	}
}

// writesOps: every operand of a file tool but the mode or owner is changed.
func writesOps(e *effects, c *Command) {
	if e.open(c) {
		return
	}
	short := map[string]string{"mkdir": "mZ", "touch": "drt"}[c.Name]
	args := c
	if c.Name == "chmod" {
		cc := *c
		cc.Args = modeAsOperand(c.Args)
		args = &cc
	}
	ops := operandsOf(args, short)
	if strings.HasPrefix(c.Name, "ch") && len(ops) > 0 {
		ops = ops[1:]
	}
	for _, a := range ops {
		e.write(c, a)
	}
}

func writesDestination(e *effects, c *Command) {
	if e.open(c) {
		return
	}
	short := "tS"
	if c.Name == "install" {
		short = "mogtS"
		for _, o := range options(c.Args, short, "--mode --owner --group --target-directory") {
			if o.name == "-d" || o.name == "--directory" {
				writesOperands(short)(e, c)
				return
			}
		}
	}
	if a, ok := valueOf(c, "-t", "--target-directory"); ok {
		e.write(c, a)
		return
	}
	ops := operandsOf(c, short)
	switch {
	case len(ops) > 1:
		e.write(c, ops[len(ops)-1])
	case c.Name == "ln":
		e.here(c)
	}
}

func writesSed(e *effects, c *Command) {
	if op, inPlace := sedOp(c); !inPlace || len(op.Paths) == 0 {
		if inPlace {
			e.open(c)
		}
		return
	}
	script := false
	var ops []Arg
	for _, o := range options(c.Args, "efl", "--expression --file") {
		switch o.name {
		case "":
			ops = append(ops, o.value)
		case "-e", "-f", "--expression", "--file":
			script = true
		}
	}
	if !script && len(ops) > 0 {
		ops = ops[1:]
	}
	for _, a := range ops {
		e.write(c, a)
	}
	e.open(c)
}

func writesRemoved(e *effects, c *Command) {
	// Unseen arguments can only remove more of what is there.
	for _, a := range operandsOf(c, "") {
		if !a.Literal && !a.Glob {
			continue // rm "$file": a removal that cannot be named writes nothing
		}
		e.remove(c, a)
	}
}

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

package shell

import (
	"path"
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
	"keytool":  writesKeytool,
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
// writesOps notes what mkdir and its like are given. Of what find hands over
// only chmod is understood: it makes nothing and gives nothing away.
func writesOps(e *effects, c *Command) {
	if (c.Name != "chmod" || len(c.Found) == 0) && e.open(c) {
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
		if a.Text != "{}" || len(c.Found) == 0 {
			e.write(c, a)
			continue
		}
		for _, root := range c.Found {
			e.write(c, root)
		}
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
				for _, a := range operandsOf(c, short) {
					e.write(c, a)
				}
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
	case len(ops) > 1 && upwards(ops):
		for _, src := range ops[:len(ops)-1] {
			to := ops[len(ops)-1]
			to.Text = path.Join(to.Text, path.Base(src.Text))
			e.write(c, to)
		}
	case len(ops) > 1:
		e.write(c, ops[len(ops)-1])
	case c.Name == "ln":
		e.here(c)
	}
}

// upwards tells whether the last of some words is a directory above (.. or
// ../..), and the others are literal names: what lands in it is known, while the
// directory as a whole is none that anybody would copy.
func upwards(ops []Arg) bool {
	for i, a := range ops {
		last := i == len(ops)-1
		base := path.Base(a.Text)
		if !a.Literal || last != (base == "..") || !last && (base == "." || base == "/") {
			return false
		}
	}
	return true
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

// writesKeytool: -cacerts is the trust store of Java itself, whose place the
// text does not say; without a store it is one in the home directory.
func writesKeytool(e *effects, c *Command) {
	reads, store := false, false
	for _, a := range c.Args {
		switch a.Text {
		case "-cacerts":
			e.unknown("keytool changes the trust store of Java")
			return
		case "-list", "-printcert", "-printcertreq", "-printcrl", "-exportcert", "-export", "-certreq":
			reads = true
		case "-keystore", "-destkeystore":
			store = true
		}
	}
	if !reads {
		writesOption("-keystore -destkeystore")(e, c)
		if !store {
			e.underHome(c, "", ".keystore")
		}
		return
	}
	writesOption("-file")(e, c)
}

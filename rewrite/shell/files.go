package shell

import (
	"regexp"
	"strings"
)

// FileOp is one call of a file tool.
type FileOp struct {
	// Op is mkdir, chown, chgrp, chmod, install, touch, ln, rm, rmdir, mv, cp,
	// sed (only with -i) or tee.
	Op string
	// Paths are what the tool changes: the last one is the destination of
	// install, mv, cp and ln. They are as written, relative ones included.
	Paths []string
	Owner string // of chown, install -o; "user:group", "user" or ":group"
	Mode  string // of chmod, mkdir -m, install -m
	// Recursive is -R, -r, -a or mkdir -p.
	Recursive bool
	// Literal says that all of the above are literal; patterns are not.
	Literal bool
	Cmd     *Command
}

var octalMode = regexp.MustCompile(`^[0-7]{3,5}$|^[ugoa]*[-+=]?[rwxXst]*(,[ugoa]*[-+=][rwxXst]*)*$`)

// FileOps are the calls of file tools, in source order.
//
// The answer is worked out once; callers must not change it.
func (s *Script) FileOps() []FileOp {
	s.fileOpsOnce.Do(func() {
		for _, c := range s.Commands {
			if op, ok := fileOp(c); ok {
				s.fileOps = append(s.fileOps, op)
			}
		}
	})
	return s.fileOps
}

func fileOp(c *Command) (FileOp, bool) {
	op := FileOp{Op: c.Name, Literal: !c.OpenArgs, Cmd: c}
	short := ""
	switch c.Name {
	case "mkdir":
		short = "mZ"
	case "install":
		short = "mogtS"
	case "chown", "chgrp", "chmod", "rm", "rmdir", "tee":
	case "touch":
		short = "drt"
	case "cp", "mv", "ln":
		short = "tS"
	case "sed":
		return sedOp(c)
	default:
		return op, false
	}
	args := c.Args
	if c.Name == "chmod" {
		args = modeAsOperand(args)
	}
	var operands []Arg
	target := ""
	for _, o := range options(args, short, fileValues) {
		switch o.name {
		case "":
			operands = append(operands, o.value)
			continue
		case "-R", "-r", "-a", "--recursive", "--archive", "--parents":
			op.Recursive = true
		case "-p":
			op.Recursive = op.Recursive || c.Name == "mkdir"
		case "-d", "--directory":
			op.Recursive = op.Recursive || c.Name == "install"
		case "-m", "--mode":
			op.Mode = o.value.Text
		case "-o", "--owner":
			op.Owner = o.value.Text + op.Owner
		case "-g", "--group":
			op.Owner += ":" + o.value.Text
		case "-t", "--target-directory":
			if c.Name != "touch" {
				target = o.value.Text
			}
		case "--reference":
			op.Literal = false
		}
		if o.value.Text != "" {
			op.Literal = op.Literal && o.value.Literal
		}
	}
	if c.Name == "chown" || c.Name == "chgrp" || c.Name == "chmod" {
		if len(operands) == 0 {
			return op, false
		}
		op.Literal = op.Literal && operands[0].Literal
		switch c.Name {
		case "chown":
			op.Owner = operands[0].Text
			// user.group is an old spelling of user:group
			if u, g, ok := strings.Cut(op.Owner, "."); ok && !strings.Contains(op.Owner, ":") {
				op.Owner = u + ":" + g
			}
		case "chgrp":
			op.Owner = ":" + operands[0].Text
		case "chmod":
			op.Mode = operands[0].Text
		}
		operands = operands[1:]
	}
	for _, a := range operands {
		op.Paths = append(op.Paths, a.Text)
		op.Literal = op.Literal && a.Literal
	}
	if target != "" {
		op.Paths = append(op.Paths, target)
	}
	return op, true
}

// modeAsOperand protects modes such as -x and -w, which look like options.
func modeAsOperand(args []Arg) []Arg {
	for i, a := range args {
		if !strings.HasPrefix(a.Text, "-") {
			return args
		}
		if len(a.Text) > 1 && octalMode.MatchString(a.Text) && !strings.ContainsAny(a.Text, "R") {
			out := append([]Arg{}, args[:i]...)
			out = append(out, Arg{Text: "--", Literal: true})
			return append(out, args[i:]...)
		}
	}
	return args
}

// sedOp reads sed -i; the script may be an operand or come with -e or -f.
func sedOp(c *Command) (FileOp, bool) {
	op := FileOp{Op: "sed", Literal: !c.OpenArgs, Cmd: c}
	inPlace, script := false, false
	var operands []Arg
	for _, o := range options(c.Args, "efl", "--expression --file --line-length") {
		switch o.name {
		case "":
			operands = append(operands, o.value)
		case "-e", "-f", "--expression", "--file":
			script = true
		case "-i", "--in-place":
			inPlace = true
		}
	}
	if !script && len(operands) > 0 {
		operands = operands[1:]
	}
	for _, a := range operands {
		op.Paths = append(op.Paths, a.Text)
		op.Literal = op.Literal && a.Literal
	}
	return op, inPlace
}

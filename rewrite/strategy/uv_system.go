package strategy

import (
	"regexp"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/shell"
)

// uv installs into the active virtual environment unless --system or
// UV_SYSTEM_PYTHON sends it past that, to the interpreter itself. The option
// goes away and the variable is turned off where a virtual environment is made.
// Source: uv's documentation of `uv pip install` and of its environment.

// systemOption matches the option and the word behind it.
var systemOption = regexp.MustCompile(`[ \t](--system[ \t]+)(\S+)`)

// systemPieces cut the option out of a RUN; ok is false when something else in
// it may be meant.
func (in *Input) systemPieces(st *assess.Step) (pieces []Piece, ok bool) {
	calls := 0
	for _, p := range st.Run.Script.Packages() {
		if p.Manager != "uv" {
			continue
		}
		for _, a := range p.Cmd.Args {
			if a.Raw == "--system" {
				calls++
			}
		}
	}
	text := in.File.Text(st.Span)
	if !strings.Contains(text, "--system") {
		return nil, calls == 0
	}
	for _, at := range systemOption.FindAllStringSubmatchIndex(text, -1) {
		pieces = append(pieces, Piece{Step: st, Span: dockerfile.Span{Start: st.Span.Start + at[2], End: st.Span.Start + at[5]}, New: text[at[4]:at[5]], Rule: "package-management",
			Why: "--system would send the packages past the virtual environment, into the interpreter's own directory"})
	}
	return pieces, len(pieces) == calls
}

// systemByVariable tells whether a call of uv installs into the interpreter
// because of a variable: of the file, which can be turned off, or of the
// command.
func systemByVariable(st *assess.Step, p shell.PackageCall) (file, command bool) {
	if p.Manager != "uv" {
		return false, false
	}
	if p.Cmd != nil {
		_, command = p.Cmd.Env["UV_SYSTEM_PYTHON"]
	}
	return st.Before.Env["UV_SYSTEM_PYTHON"] != "", command
}

// uvIntoVenv has the calls of uv in these steps install into the virtual
// environment; the result is what the ENV that activates it says besides.
func (d *decider) uvIntoVenv(steps []*assess.Step) (env string) {
	for _, st := range steps {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		if pieces, ok := d.systemPieces(st); ok {
			d.Pieces = append(d.Pieces, pieces...)
		}
		for _, p := range st.Run.Script.Packages() {
			if file, _ := systemByVariable(st, p); file {
				env = " UV_SYSTEM_PYTHON=0"
			}
		}
	}
	return env
}

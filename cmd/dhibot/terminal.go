package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"

	"dhibot/rewrite/report"
)

// reportOptions says what the report is written for. NO_COLOR is the convention
// of no-color.org: any value but an empty one turns colours off.
func (p *Program) reportOptions(w io.Writer, color string) report.Options {
	o := report.Options{Version: version()}
	if isTerminal(w) {
		o.Terminal = true
		f := w.(*os.File)
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			o.Width = columns
		}
		o.Color = p.Getenv("NO_COLOR") == "" && p.Getenv("TERM") != "dumb"
	}
	if n, err := strconv.Atoi(p.Getenv("COLUMNS")); err == nil && n > 0 && o.Width == 0 {
		o.Width = n
	}
	switch color {
	case "always": // for less -R and CI logs
		o.Terminal, o.Color = true, true
	case "never":
		o.Color = false
	}
	return o
}

// progress shows on standard error how far a run over many files is: a line
// that is overwritten on a terminal, and now and then a line elsewhere.
type progress struct {
	w           io.Writer
	terminal    bool
	done, total int
	visible     bool
}

const (
	progressFrom  = 20  // fewer files are done before one could read it
	progressEvery = 500 // files between lines that stay
)

func newProgress(p *Program, total int) *progress {
	return &progress{w: p.Stderr, total: total, terminal: isTerminal(p.Stderr)}
}

// step counts a file.
func (g *progress) step() {
	g.done++
	switch {
	case g.total < progressFrom:
	case g.terminal:
		g.visible = true
		fmt.Fprintf(g.w, "\r%d of %d Dockerfiles\x1b[K", g.done, g.total)
	case g.done%progressEvery == 0 && g.done < g.total:
		fmt.Fprintf(g.w, "dhibot: %d of %d Dockerfiles\n", g.done, g.total)
	}
}

// clear removes the line of a terminal before something else is written.
func (g *progress) clear() {
	if g.visible {
		g.visible = false
		fmt.Fprint(g.w, "\r\x1b[K")
	}
}

func keys[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

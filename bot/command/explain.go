package command

import (
	"strconv"
	"strings"
)

// Explain asks for the reasons behind one Dockerfile.
type Explain struct {
	Path string
	Line int // of the file before or after the migration; 0 for all of it
}

// Command names it.
func (Explain) Command() string { return explain.Name }

var explain = Command{
	Name:     "explain",
	Usage:    "<path>[:line]",
	Summary:  "Say what would change in a Dockerfile, or on one of its lines, and why.",
	Examples: []string{"/dhi explain api/Dockerfile", "/dhi explain api/Dockerfile:16"},
	Access:   Writer,
	OnPull:   "/dhi explain PATH:LINE",
	read: func(a *args) Request {
		e := Explain{Path: a.one("the path of a Dockerfile")}
		if i := strings.LastIndexByte(e.Path, ':'); i > 0 {
			n, err := strconv.Atoi(e.Path[i+1:])
			if err != nil || n < 1 {
				a.refuse(e.Path, "the line is a number from 1 on")
			}
			e.Path, e.Line = e.Path[:i], n
		}
		return e
	},
}

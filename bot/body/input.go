package body

import "dhibot/rewrite"

// Input is everything a body is made of. Strings are foreign unless their
// comment says otherwise.
type Input struct {
	// Results are the Dockerfiles that were looked at.
	Results []*rewrite.Result
	// Passed are Dockerfiles that were found and not looked at.
	Passed []Passed
	// Registry is the host to log in to before building; empty when the images
	// need no login beyond the usual one.
	Registry string
	// Checked are the checks that every changed Dockerfile went through, as
	// parts of a sentence of ours: "it parses in BuildKit". None means that no
	// claim is made.
	Checked []string
	// Unchecked are further things that were not checked, in the same way; they
	// may quote foreign text in backticks.
	Unchecked []string
	// Notes are remarks about this pull request, sentences of ours that may
	// quote foreign text in backticks.
	Notes []string
	// Files is the address under which files of the base commit are shown,
	// https://github.com/owner/name/blob/<commit>; empty leaves links out.
	Files string
	// Commands are examples of commands that exist, written by us.
	Commands []string
	// Boxes are tasks that people can tick instead of writing a command.
	Boxes []Box
	// Brief leaves out the reasons of single changes: they stand beside the
	// lines.
	Brief bool
	// Closing is what closing the pull request means, a sentence of ours.
	Closing string
}

// Passed is a Dockerfile that was found and not looked at.
type Passed struct {
	Path   string
	Reason string // a sentence of ours that may quote foreign text in backticks
}

// Box is a task that the App does when somebody ticks it.
type Box struct {
	ID   string // a word of ours
	Text string // ours, Markdown
}

// Changed returns the results that would write something.
func Changed(results []*rewrite.Result) []*rewrite.Result {
	var out []*rewrite.Result
	for _, r := range results {
		if r.Changed() {
			out = append(out, r)
		}
	}
	return out
}

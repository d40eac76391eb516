package bot_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// prints are the commands whose answer a story looks at.
var prints = map[string]bool{"pulls": true, "body": true, "comments": true, "tree": true, "file": true, "writes": true, "reads": true, "checks": true, "remarks": true, "length": true, "turn": true}

func cmdPulls(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 1, "REPO")
	list, err := w.pulls(args[1])
	ts.Check(err)
	for _, p := range list {
		state := p.State
		if p.Merged != nil {
			state = "merged"
		}
		w.say("#%d %s %q by %s from %s\n", p.Number, state, p.Title, p.User.Login, p.Head.Ref)
	}
}

func cmdBody(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 2, "REPO NUMBER")
	w.say("%s\n", w.plain(w.text(ts, args[1], args[2])))
}

func cmdComments(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 2, "REPO NUMBER")
	list, err := w.comments(args[1], number(ts, args[2]))
	ts.Check(err)
	for _, c := range list {
		reactions, err := w.reactions(args[1], c.ID)
		ts.Check(err)
		marks := ""
		if len(reactions) > 0 {
			marks = " [" + strings.Join(reactions, " ") + "]"
		}
		w.say("%s%s: %s\n", c.User.Login, marks, w.plain(c.Body))
	}
}

func cmdTree(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 2, "REPO REF")
	text, err := w.tree(args[1], args[2])
	ts.Check(err)
	w.say("%s", text)
}

func cmdFile(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "REPO REF PATH")
	files, err := w.repo(ts, args[1]).ReadFiles(args[2])
	ts.Check(err)
	f, ok := files[args[3]]
	if !ok {
		ts.Fatalf("%s has no %s", args[2], args[3])
	}
	w.say("%s", f.Content)
}

func cmdWrites(_ *testscript.TestScript, w *world, _ []string) {
	for _, line := range w.writes() {
		w.say("%s\n", line)
	}
}

// cmdReads prints how many calls of the App there were that change nothing.
func cmdReads(_ *testscript.TestScript, w *world, _ []string) { w.say("%d\n", w.lastReads) }

// cmdLength says whether GitHub's limit for a text is kept.
func cmdLength(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 2, "REPO NUMBER")
	if n := len(w.text(ts, args[1], args[2])); n > 65536 {
		ts.Fatalf("the text has %d characters", n)
	}
	w.say("fits\n")
}

// cmdRemarks prints the remarks of reviews.
func cmdRemarks(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 2, "REPO NUMBER")
	var list []struct {
		Path  string `json:"path"`
		Start *int   `json:"start_line"`
		Line  *int   `json:"line"`
		Body  string `json:"body"`
	}
	ts.Check(w.call("reader", http.MethodGet, fmt.Sprintf("repos/%s/pulls/%d/comments", args[1], number(ts, args[2])), nil, &list))
	for _, r := range list {
		where := "outdated"
		if r.Line != nil {
			where = fmt.Sprint(*r.Line)
			if r.Start != nil {
				where = fmt.Sprintf("%d-%d", *r.Start, *r.Line)
			}
		}
		w.say("%s:%s\n%s\n", r.Path, where, w.plain(r.Body))
	}
}

type checkView struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	Conclusion string `json:"conclusion"`
	Output     struct {
		Title   string `json:"title"`
		Summary string `json:"summary"`
	} `json:"output"`
}

func (w *world) checks(ts *testscript.TestScript, repo, ref string) []checkView {
	var list struct {
		Runs []checkView `json:"check_runs"`
	}
	ts.Check(w.call("reader", http.MethodGet, "repos/"+repo+"/commits/"+w.repo(ts, repo).Branch(ref)+"/check-runs?filter=all", nil, &list))
	return list.Runs
}

// cmdChecks prints the check runs of a branch with their remarks.
func cmdChecks(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 2, "REPO BRANCH")
	for _, k := range w.checks(ts, args[1], args[2]) {
		w.say("%s: %s: %s\n%s\n", k.Name, k.Conclusion, k.Output.Title, w.plain(k.Output.Summary))
		var remarks []struct {
			Path    string `json:"path"`
			Line    int    `json:"start_line"`
			Level   string `json:"annotation_level"`
			Title   string `json:"title"`
			Message string `json:"message"`
		}
		ts.Check(w.call("reader", http.MethodGet, fmt.Sprintf("repos/%s/check-runs/%d/annotations", args[1], k.ID), nil, &remarks))
		for _, r := range remarks {
			w.say("%s:%d: %s: %s: %s\n", r.Path, r.Line, r.Level, r.Title, r.Message)
		}
	}
}

func (w *world) text(ts *testscript.TestScript, repo, pull string) string {
	var p pullView
	ts.Check(w.call("reader", http.MethodGet, fmt.Sprintf("repos/%s/pulls/%d", repo, number(ts, pull)), nil, &p))
	return p.Body
}

func (w *world) say(format string, args ...any) { fmt.Fprintf(&w.out, format, args...) }

package bot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"dhibot/rewrite"
)

// smallEngine is an engine that a story can be followed with: one change per
// Dockerfile, and a word in it for every other way it can end.
//
//	FROM node…           becomes FROM dhi.io/node…; python, golang the same
//	FROM dhi.io/…        is hardened already
//	FROM scratch         is left alone
//	FORM …               does not parse
//	# panic              the engine has a mistake
//	# reads PATH         the engine reads a neighbour
//	# dev                stays on a dev image
//	# also PATH          changes another file with it; # other PATH in another way
func smallEngine(_ context.Context, in rewrite.Input) (*rewrite.Result, error) {
	r := &rewrite.Result{Path: in.Path, Before: in.Content, After: in.Content, Catalog: "2026-08-22", Outcome: rewrite.Skipped, Reason: "it has no image that is known"}
	var out bytes.Buffer
	for i, line := range strings.SplitAfter(string(in.Content), "\n") {
		word, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch {
		case line == "# panic\n":
			panic("a mistake")
		case word == "#" && strings.HasPrefix(rest, "reads "):
			content, err := fs.ReadFile(in.FS, strings.TrimPrefix(rest, "reads "))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			r.Checklist = append(r.Checklist, rewrite.Item{Rule: "base-image", When: rewrite.BeforeMerge,
				Text: fmt.Sprintf("the neighbour has %d bytes", len(content)), Evidence: []rewrite.Evidence{{Path: strings.TrimPrefix(rest, "reads "), Line: 1}}})
		case word == "#" && (strings.HasPrefix(rest, "also ") || strings.HasPrefix(rest, "other ")):
			how, path, _ := strings.Cut(rest, " ")
			after := map[string]string{"also": "new\n", "other": "newer\n"}[how]
			r.Files = append(r.Files, rewrite.FileChange{Path: path, Before: []byte("old\n"), After: []byte(after),
				Changes: []rewrite.Change{{Rule: "ports", Lines: [2]int{1, 1}, NewLines: [2]int{1, 1}, Before: "old", After: "new", Why: "it goes with the Dockerfile"}}})
		case word == "FORM":
			r.Outcome, r.Reason, r.Line = rewrite.Failed, "the parser says: unknown instruction: FORM", i+1
			return r, nil
		case word == "FROM" && strings.HasPrefix(rest, "dhi.io/"):
			r.Outcome, r.Reason = rewrite.Already, "all stages are on hardened images"
		case word == "FROM" && rest != "scratch":
			r.Outcome, r.Reason = rewrite.Hardened, ""
			after := "FROM dhi.io/" + rest
			if in.Options.Naming.Namespace != "" {
				after = "FROM " + in.Options.Naming.Repository(rest)
			}
			if in.Options.Distro != "" {
				after += "-" + string(in.Options.Distro)
			}
			r.Stages = append(r.Stages, rewrite.Stage{Line: i + 1, From: rest, To: strings.TrimPrefix(after, "FROM "), Role: rewrite.RoleRuntime, Final: true})
			r.Changes = append(r.Changes, rewrite.Change{Rule: "base-image", Lines: [2]int{i + 1, i + 1}, NewLines: [2]int{i + 1, i + 1},
				Before: "FROM " + rest, After: after, Why: "`" + rest + "` has a hardened equivalent", Docs: "https://docs.docker.com/dhi/"})
			line = after + line[len(word)+1+len(rest):]
		}
		out.WriteString(line)
	}
	r.After = out.Bytes()
	if bytes.Contains(in.Content, []byte("# dev\n")) {
		r.Outcome, r.Reason = rewrite.Dev, "`run.sh` needs a shell"
	}
	return r, nil
}

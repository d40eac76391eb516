package gitdb

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// FileDiff is one file of a diff. Binary files have no Patch and count no lines.
type FileDiff struct {
	Status    string // added, removed, modified, renamed, copied or changed (mode only)
	Path      string
	Previous  string // the old path of a renamed or copied file
	OldID     OID
	NewID     OID
	OldMode   string
	NewMode   string
	Additions int
	Deletions int
	Binary    bool
	Patch     string // hunks only, without the file header, as the REST API gives it
	retyped   bool   // file became symlink or the like: git prints two patches
	Header    string // the file header: "diff --git" up to the first hunk
}

// Diff compares two trees or commits with git, renames detected.
func (r *Repo) Diff(ctx context.Context, from, to OID) ([]FileDiff, error) {
	dir, err := r.Dir()
	if err != nil {
		return nil, err
	}
	out, code, err := r.git.Run(ctx, dir, nil, "diff-tree", "-r", "-M", "--full-index", "-z",
		"--raw", "--numstat", "-p", string(from), string(to))
	if err != nil {
		return nil, err
	}
	if code != 0 {
		return nil, fmt.Errorf("git diff-tree: exit %d", code)
	}
	return parseDiff(out)
}

// DiffText is the diff as text, as the pull request's .diff shows it.
func (r *Repo) DiffText(ctx context.Context, from, to OID) ([]byte, error) {
	dir, err := r.Dir()
	if err != nil {
		return nil, err
	}
	out, _, err := r.git.Run(ctx, dir, nil, "diff-tree", "-r", "-M", "-p", string(from), string(to))
	return out, err
}

// parseDiff reads "--raw --numstat -p -z": NUL-separated raw records, then
// NUL-separated numstat records, then the patches as plain text.
func parseDiff(out []byte) ([]FileDiff, error) {
	var files []FileDiff
	next := func() (string, bool) {
		i := bytes.IndexByte(out, 0)
		if i < 0 {
			return "", false
		}
		s := string(out[:i])
		out = out[i+1:]
		return s, true
	}
	for len(out) > 0 && out[0] == ':' {
		meta, ok := next()
		f := strings.Fields(strings.TrimPrefix(meta, ":"))
		if !ok || len(f) != 5 {
			return nil, fmt.Errorf("diff record %.80q", meta)
		}
		d := FileDiff{OldMode: f[0], NewMode: f[1], OldID: OID(f[2]), NewID: OID(f[3])}
		if d.Path, ok = next(); !ok {
			return nil, fmt.Errorf("diff record without a path")
		}
		switch f[4][0] {
		case 'A':
			d.Status = "added"
		case 'D':
			d.Status = "removed"
		case 'R', 'C':
			d.Status = map[byte]string{'R': "renamed", 'C': "copied"}[f[4][0]]
			d.Previous = d.Path
			if d.Path, ok = next(); !ok {
				return nil, fmt.Errorf("rename without a path")
			}
		default:
			d.Status, d.retyped = "modified", f[4][0] == 'T'
			if d.OldID == d.NewID {
				d.Status = "changed"
			}
		}
		files = append(files, d)
	}
	for i := range files {
		rec, ok := next()
		f := strings.SplitN(rec, "\t", 3)
		if !ok || len(f) != 3 {
			return nil, fmt.Errorf("numstat record %.80q", rec)
		}
		if f[2] == "" { // rename: old and new path follow
			next()
			next()
		}
		if f[0] == "-" {
			files[i].Binary = true
			continue
		}
		var err1, err2 error
		files[i].Additions, err1 = strconv.Atoi(f[0])
		files[i].Deletions, err2 = strconv.Atoi(f[1])
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("numstat record %.80q", rec)
		}
	}
	patches := splitPatches(strings.TrimPrefix(string(out), "\x00"))
	for i := range files {
		want := 1
		if files[i].retyped {
			want = 2
		}
		if len(patches) < want {
			return nil, fmt.Errorf("diff has fewer patches than its %d files", len(files))
		}
		p := strings.Join(patches[:want], "")
		patches = patches[want:]
		head, body, found := strings.Cut(p, "\n@@ ")
		files[i].Header = strings.TrimSuffix(head, "\n") + "\n"
		if found && !files[i].Binary {
			files[i].Patch = strings.TrimSuffix("@@ "+body, "\n")
		}
	}
	return files, nil
}

// splitPatches cuts before each "diff --git": inside hunks every line starts
// with one of " +-\\", so the marker cannot occur there.
func splitPatches(s string) []string {
	var out []string
	for len(s) > 0 {
		i := strings.Index(s[1:], "\ndiff --git ")
		if i < 0 {
			return append(out, s)
		}
		out = append(out, s[:i+2])
		s = s[i+2:]
	}
	return out
}

// MergeTree merges two commits with git merge-tree. clean is false on conflict.
func (r *Repo) MergeTree(ctx context.Context, ours, theirs OID) (tree OID, clean bool, err error) {
	dir, err := r.Dir()
	if err != nil {
		return "", false, err
	}
	out, code, err := r.git.Run(ctx, dir, nil, "merge-tree", "--write-tree", "--name-only", string(ours), string(theirs))
	if err != nil {
		return "", false, err
	}
	id := firstLine(string(out))
	if code > 1 || !Valid(id) {
		return "", false, fmt.Errorf("git merge-tree: exit %d", code)
	}
	return OID(id), code == 0, nil
}

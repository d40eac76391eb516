package gitdb_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"dhibot/bot/standin/internal/gitdb"
)

func newRepo(t testing.TB) *gitdb.Repo {
	t.Helper()
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	must(t, os.MkdirAll(home, 0o755))
	g, err := gitdb.FindGit(home)
	must(t, err)
	return gitdb.NewRepo(g, filepath.Join(dir, "r.git"), gitdb.NewObjects(filepath.Join(dir, "shared")), "main")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func commit(t testing.TB, r *gitdb.Repo, tree gitdb.OID, at int, parents ...gitdb.OID) gitdb.OID {
	t.Helper()
	who := gitdb.Ident{Name: "A <B>\n", Email: "a@b", When: time.Unix(1_700_000_000+int64(at)*60, 0).UTC()}
	id, err := r.Put("commit", gitdb.Commit{Tree: tree, Parents: parents, Author: who, Committer: who, Message: fmt.Sprintf("c%d\n", at)}.Encode())
	must(t, err)
	return id
}

// TestTreesAgainstGit makes random edits and lets git list and check what came
// out.
func TestTreesAgainstGit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r, rnd := newRepo(t), rand.New(rand.NewPCG(seed, 0))
			want := map[string]string{} // path: mode and content
			var tree gitdb.OID
			var last gitdb.OID
			names := []string{"a", "a.b", "a-b", "b", "c", "a0"}
			for round := range 25 {
				var changes []gitdb.Change
				for range rnd.IntN(6) + 1 {
					depth := rnd.IntN(3) + 1
					var parts []string
					for range depth {
						parts = append(parts, names[rnd.IntN(len(names))])
					}
					path := strings.Join(parts, "/")
					if _, ok := want[path]; ok && rnd.IntN(3) == 0 {
						changes = append(changes, gitdb.Change{Path: path, Delete: true})
						delete(want, path)
						continue
					}
					text, mode := fmt.Sprint(rnd.IntN(50)), []string{gitdb.ModeFile, gitdb.ModeExecutable, gitdb.ModeSymlink}[rnd.IntN(3)]
					id, err := r.Put("blob", []byte(text))
					must(t, err)
					changes = append(changes, gitdb.Change{Path: path, Mode: mode, ID: id})
					for have := range want { // a file replaces a directory, and the other way round
						if strings.HasPrefix(have, path+"/") || strings.HasPrefix(path, have+"/") {
							delete(want, have)
						}
					}
					want[path] = mode + " " + string(id)
				}
				var err error
				tree, err = gitdb.EditTree(r, tree, changes)
				must(t, err)
				if last == "" {
					last = commit(t, r, tree, round)
				} else {
					last = commit(t, r, tree, round, last)
				}
			}
			must(t, r.SetRef("refs/heads/main", last))
			dir, err := r.Dir()
			must(t, err)
			var lines []string
			for p, v := range want {
				mode, id, _ := strings.Cut(v, " ")
				lines = append(lines, fmt.Sprintf("%s blob %s\t%s\n", mode, id, p))
			}
			sort.Strings(lines)
			have := strings.SplitAfter(run(t, dir, "ls-tree", "-r", "main"), "\n")
			have = have[:len(have)-1]
			sort.Strings(have)
			if strings.Join(have, "") != strings.Join(lines, "") {
				t.Errorf("git lists\n%s\nwant\n%s", strings.Join(have, ""), strings.Join(lines, ""))
			}
			var walked []string
			must(t, r.Walk(tree, func(e gitdb.Entry) bool {
				if e.Mode != gitdb.ModeTree {
					walked = append(walked, e.Path)
				}
				return true
			}))
			if got := strings.Join(walked, "\n") + "\n"; got != run(t, dir, "ls-tree", "-r", "--name-only", "main") {
				t.Errorf("walk order differs from git:\n%s", got)
			}
			if said, err := r.Fsck(t.Context()); err != nil || said != "" {
				t.Errorf("fsck: %q, %v", said, err)
			}
			if n := strings.Count(run(t, dir, "rev-list", "main"), "\n"); n != 25 {
				t.Errorf("%d commits", n)
			}
		})
	}
}

// TestPack reads back what was written as one pack, and git agrees.
func TestPack(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	var ids []gitdb.OID
	text := func(i int) string { return strings.Repeat(fmt.Sprintf("line %d\n", i), i*i) }
	for i := range 60 {
		id, err := r.Put("blob", []byte(text(i)))
		must(t, err)
		ids = append(ids, id)
	}
	dir, err := r.Dir()
	must(t, err)
	for i, id := range ids {
		if got := run(t, dir, "cat-file", "blob", string(id)); got != text(i) {
			t.Errorf("git reads %d bytes of %d", len(got), len(text(i)))
		}
		data, err := r.Blob(id)
		if err != nil || string(data) != text(i) {
			t.Errorf("we read %d bytes of %d: %v", len(data), len(text(i)), err)
		}
		if kind, n, err := r.Size(id); err != nil || kind != "blob" || n != len(text(i)) {
			t.Errorf("size %s %d, %v", kind, n, err)
		}
	}
	run(t, dir, "fsck", "--full", "--strict")
	// A pack that git makes itself is read through git.
	tree, err := gitdb.EditTree(r, "", []gitdb.Change{{Path: "a", Mode: gitdb.ModeFile, ID: ids[3]}})
	must(t, err)
	must(t, r.SetRef("refs/heads/main", commit(t, r, tree, 1)))
	_, err = r.Dir()
	must(t, err)
	fresh := newRepo(t)
	other, err := fresh.Dir()
	must(t, err)
	run(t, other, "fetch", "-q", "--no-auto-gc", dir, "main:main")
	run(t, other, "repack", "-q", "-a", "-d")
	must(t, fresh.Reload())
	head, ok := fresh.Ref("refs/heads/main")
	if !ok {
		t.Fatal("no branch after the fetch")
	}
	c, err := fresh.Commit(head)
	must(t, err)
	if e, err := fresh.Lookup(c.Tree, "a"); err != nil || e.ID != ids[3] {
		t.Errorf("%v, %v", e, err)
	}
	if !fresh.Has(ids[3]) || fresh.Has(ids[4]) {
		t.Error("objects of a pack of git's")
	}
}

func TestMergeBaseAgainstGit(t *testing.T) {
	t.Parallel()
	r, rnd := newRepo(t), rand.New(rand.NewPCG(3, 0))
	blob, err := r.Put("blob", []byte("x"))
	must(t, err)
	tree, err := gitdb.EditTree(r, "", []gitdb.Change{{Path: "a", Mode: gitdb.ModeFile, ID: blob}})
	must(t, err)
	all := []gitdb.OID{commit(t, r, tree, 0), commit(t, r, tree, 1)} // two roots
	for i := 2; i < 40; i++ {
		parents := []gitdb.OID{all[rnd.IntN(len(all))]}
		if p := all[rnd.IntN(len(all))]; rnd.IntN(4) == 0 && p != parents[0] {
			parents = append(parents, p)
		}
		all = append(all, commit(t, r, tree, i, parents...))
	}
	dir, err := r.Dir()
	must(t, err)
	for range 60 {
		a, b := all[rnd.IntN(len(all))], all[rnd.IntN(len(all))]
		cmd := exec.Command("git", "merge-base", "--is-ancestor", string(a), string(b))
		cmd.Dir = dir
		want := cmd.Run() == nil
		if got, err := r.IsAncestor(a, b); err != nil || got != want {
			t.Errorf("ancestor %s %s: %v, want %v, %v", a, b, got, want, err)
		}
		out, err := exec.Command("git", "--git-dir", dir, "merge-base", "--all", string(a), string(b)).Output()
		base, ok, merr := r.MergeBase(t.Context(), a, b)
		if merr != nil || ok != (err == nil) || ok && !strings.Contains(string(out), string(base)) {
			t.Errorf("merge base %s, want one of %s", base, out)
		}
		log, err := r.Log(a, []gitdb.OID{b}, 0)
		must(t, err)
		if n := strings.Count(run(t, dir, "rev-list", string(a), "^"+string(b)), "\n"); n != len(log) {
			t.Errorf("log %d, want %d", len(log), n)
		}
	}
}

func TestRefs(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	blob, err := r.Put("blob", []byte("x"))
	must(t, err)
	tree, err := gitdb.EditTree(r, "", []gitdb.Change{{Path: "a", Mode: gitdb.ModeFile, ID: blob}})
	must(t, err)
	one, two := commit(t, r, tree, 1), commit(t, r, tree, 2)
	must(t, r.SetRef("refs/heads/a/b", one)) // before the directory exists: packed
	dir, err := r.Dir()
	must(t, err)
	must(t, r.SetRef("refs/heads/a/c", two)) // loose
	must(t, r.SetRef("refs/heads/a/b", two))
	if err := r.SetRef("refs/heads/a", one); !errors.Is(err, gitdb.ErrRefConflict) {
		t.Errorf("directory in the way: %v", err)
	}
	want := fmt.Sprintf("%s refs/heads/a/b\n%s refs/heads/a/c\n", two, two)
	if got := run(t, dir, "for-each-ref", "--format=%(objectname) %(refname)"); got != want {
		t.Errorf("git sees\n%s", got)
	}
	must(t, r.DeleteRef("refs/heads/a/b"))
	must(t, r.DeleteRef("refs/heads/a/c"))
	must(t, r.SetRef("refs/heads/a", one))
	if got := run(t, dir, "for-each-ref", "--format=%(refname)"); got != "refs/heads/a\n" {
		t.Errorf("git sees\n%s", got)
	}
	if err := r.DeleteRef("refs/heads/none"); !errors.Is(err, gitdb.ErrNotFound) {
		t.Errorf("deleting nothing: %v", err)
	}
	must(t, r.Reload())
	if id, ok := r.Ref("refs/heads/a"); !ok || id != one {
		t.Errorf("after reading again: %s", id)
	}
}

func TestCheckRefNameAgainstGit(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"refs/heads/a", "refs/heads/a/b", "refs/heads/", "refs/heads", "heads/a", "refs/heads/a..b", "refs/heads/.a", "refs/heads/a.lock", "refs/heads/a b", "refs/heads/a~",
		"refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*", "refs/heads/a[", "refs/heads/a\\b", "refs/heads/@{", "refs/heads/a.", "refs/heads//a", "refs/heads/ü", "refs/heads/a\x7f", "refs/heads/-a",
	} {
		want := exec.Command("git", "check-ref-format", name).Run() == nil
		if name == "refs/heads" || name == "heads/a" { // fine for git, not below refs/x/ as the API wants
			want = false
		}
		if got := gitdb.CheckRefName(name) == nil; got != want {
			t.Errorf("%q: %v, git says %v", name, got, want)
		}
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	put := func(s string) gitdb.OID {
		id, err := r.Put("blob", []byte(s))
		must(t, err)
		return id
	}
	long := strings.Repeat("same line\n", 30)
	from, err := gitdb.EditTree(r, "", []gitdb.Change{
		{Path: "edit", Mode: gitdb.ModeFile, ID: put("a\nb\n")}, {Path: "gone", Mode: gitdb.ModeFile, ID: put("x\n")}, {Path: "mode", Mode: gitdb.ModeFile, ID: put("m\n")},
		{Path: "old name", Mode: gitdb.ModeFile, ID: put(long)}, {Path: "type", Mode: gitdb.ModeFile, ID: put("edit")}, {Path: "bin", Mode: gitdb.ModeFile, ID: put("\x00\x01")},
		{Path: "looks\nodd", Mode: gitdb.ModeFile, ID: put("1\n")},
	})
	must(t, err)
	to, err := gitdb.EditTree(r, from, []gitdb.Change{
		{Path: "edit", Mode: gitdb.ModeFile, ID: put("a\nc\n")}, {Path: "gone", Delete: true}, {Path: "mode", Mode: gitdb.ModeExecutable, ID: put("m\n")},
		{Path: "old name", Delete: true}, {Path: "new name", Mode: gitdb.ModeFile, ID: put(long + "more\n")}, {Path: "type", Mode: gitdb.ModeSymlink, ID: put("edit")},
		{Path: "bin", Mode: gitdb.ModeFile, ID: put("\x00\x02")}, {Path: "add", Mode: gitdb.ModeFile, ID: put("diff --git a/x b/x\n@@ -1 +1 @@\n")}, {Path: "looks\nodd", Mode: gitdb.ModeFile, ID: put("2\n")},
	})
	must(t, err)
	files, err := r.Diff(context.Background(), from, to)
	must(t, err)
	var got []string
	for _, f := range files {
		got = append(got, fmt.Sprintf("%s %q<%s +%d -%d bin=%v lines=%d", f.Status, f.Path, f.Previous, f.Additions, f.Deletions, f.Binary, strings.Count(f.Patch, "\n")))
	}
	want := []string{
		`added "add"< +2 -0 bin=false lines=2`, `modified "bin"< +0 -0 bin=true lines=0`, `modified "edit"< +1 -1 bin=false lines=3`, `removed "gone"< +0 -1 bin=false lines=1`,
		`modified "looks\nodd"< +1 -1 bin=false lines=2`, `changed "mode"< +0 -0 bin=false lines=0`, `renamed "new name"<old name +1 -0 bin=false lines=4`,
	}
	if strings.Join(got[:len(want)], "\n") != strings.Join(want, "\n") || len(got) != len(want)+1 || !strings.HasPrefix(got[7], `changed "type"`) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\ngpgsig a\n b\n\nm"))
	f.Add([]byte("100644 a\x00aaaaaaaaaaaaaaaaaaaa"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := gitdb.ParseCommit(b); err == nil {
			again, err := gitdb.ParseCommit(c.Encode())
			if err != nil || again.Tree != c.Tree || again.Message != c.Message || len(again.Parents) != len(c.Parents) {
				t.Errorf("%q: %+v, %v", b, again, err)
			}
		}
		if list, err := gitdb.ParseTree(b); err == nil && len(list) > 0 {
			if _, err := gitdb.EncodeTree(list); err != nil {
				t.Error(err)
			}
		}
		if _, err := gitdb.ParseTag(b); err != nil {
			_ = err // refused is fine, a panic is not
		}
	})
}

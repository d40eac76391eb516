package bot_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"dhibot/bot/standin"

	"github.com/rogpeppe/go-internal/testscript"
)

// storyCommands is the language of the stories.
//
//	repo NAME DIR [archived|private|multi-select]…   a repository with the files of DIR; "-" for none
//	allow LOGIN REPO PERMISSION              gives a person a permission
//	comment LOGIN REPO ISSUE TEXT            writes a comment, "new" opens an issue for it, and waits for the App
//	comment! …                               the same, and the App is allowed to fail
//	push LOGIN REPO BRANCH DIR [-PATH…]      commits the files of DIR, removes paths
//	close|reopen|merge LOGIN REPO NUMBER
//	delete-branch|default-branch LOGIN REPO BRANCH
//	archive REPO, rename REPO NAME, suspend, reinstall, restart
//	rule REPO BRANCHES TYPE                  adds a ruleset
//	fault KIND METHOD PATH [COUNT]           makes calls fail, see package standin
//	reset LOGIN REPO NUMBER                  puts the branch of a pull request back to the commit that it remembers
//	amend LOGIN REPO NUMBER DIR              replaces that commit by one with the same message and other files
//	update LOGIN REPO NUMBER [DIR [BRANCH]]  presses "Update branch"; with files of DIR, or with another branch than the
//	                                         default one, the same merge is made by hand
//	rebase LOGIN REPO NUMBER [DIR [BRANCH]]  presses "Update with rebase"; with files of DIR, or onto another branch, by hand
//	pulls REPO                               prints the pull requests
//	body REPO NUMBER                         prints the text of a pull request
//	comments REPO NUMBER                     prints the comments with the reactions of the App
//	turn REPO                                has the campaign come to the repository, prints the decision
//	tree REPO REF, file REPO REF PATH        prints what git has
//	writes                                   prints what the App has changed since the last time
func storyCommands() map[string]func(*testscript.TestScript, bool, []string) {
	cmds := map[string]func(*testscript.TestScript, bool, []string){}
	for name, f := range map[string]func(*testscript.TestScript, *world, []string){
		"repo": cmdRepo, "allow": cmdAllow, "comment": cmdComment, "comment!": cmdComment, "push": cmdPush,
		"close": cmdIssue, "reopen": cmdIssue, "merge": cmdMerge, "delete-branch": cmdDeleteBranch, "default-branch": cmdDefaultBranch, "rename": cmdRename,
		"archive": cmdArchive, "suspend": cmdSuspend, "reinstall": cmdReinstall, "restart": cmdRestart, "rule": cmdRule,
		"fault": cmdFault, "pulls": cmdPulls, "body": cmdBody, "comments": cmdComments, "tree": cmdTree, "file": cmdFile, "writes": cmdWrites,
		"tick": cmdTick, "edit": cmdEdit, "hold": cmdHold, "hold!": cmdHold,
		"check": cmdCheck, "rewrite": cmdRewrite, "open": cmdOpen, "unsuspend": cmdUnsuspend, "many": cmdMany, "checks": cmdChecks, "rerun": cmdRerun, "long": cmdLong, "attempts": cmdAttempts, "remarks": cmdRemarks, "fork-pull": cmdForkPull, "queue": cmdQueue, "length": cmdLength, "reads": cmdReads, "turn": cmdTurn, "reset": cmdReset, "amend": cmdAmend, "update": cmdUpdate, "rebase": cmdUpdate,
	} {
		cmds[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("%s cannot be negated", name)
			}
			w := ts.Value(worldKey).(*world)
			w.out.Reset()
			f(ts, w, append([]string{name}, args...))
			ts.Check(w.settle())
			if errs := w.failures(); len(errs) > 0 && !strings.HasSuffix(name, "!") {
				ts.Fatalf("the App failed: %v\n%s", errs, w.logged())
			}
			if prints[name] {
				// An empty answer would leave the one before in stdout.
				text := w.out.String()
				if text == "" {
					text = "none\n"
				}
				_, err := io.WriteString(ts.Stdout(), text)
				ts.Check(err)
			}
		}
	}
	return cmds
}

func want(ts *testscript.TestScript, args []string, n int, usage string) {
	if len(args) < n+1 {
		ts.Fatalf("usage: %s %s", args[0], usage)
	}
}

func (w *world) repo(ts *testscript.TestScript, name string) *standin.Repository {
	r := w.gh.Repository(name)
	if r == nil {
		ts.Fatalf("there is no repository %s", name)
	}
	return r
}

func cmdRepo(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 2, "NAME DIR [OPTION]…")
	owner, name, _ := strings.Cut(args[1], "/")
	var files standin.Files
	if args[2] != "-" {
		var err error
		files, err = filesBelow(ts.MkAbs(args[2]))
		ts.Check(err)
	}
	opts := []standin.RepositoryOption{standin.Collaborator("alice", "write")}
	for _, o := range args[3:] {
		switch o {
		case "archived":
			opts = append(opts, standin.Archived())
		case "private":
			opts = append(opts, standin.Private(), standin.Collaborator("reader", "read"))
		case "multi-select":
			opts = append(opts, standin.CustomProperties(map[string]any{"team": []string{"web", "data"}, "tier": "one"}))
		default:
			ts.Fatalf("unknown option %s", o)
		}
	}
	_, err := w.gh.AddRepository(owner, name, files, opts...)
	ts.Check(err)
}

func cmdAllow(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "LOGIN REPO PERMISSION")
	ts.Check(w.repo(ts, args[2]).SetPermission(args[1], args[3]))
}

func cmdComment(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 4, "LOGIN REPO ISSUE TEXT")
	r := w.repo(ts, args[2])
	if slug, bot := strings.CutSuffix(args[1], "[bot]"); bot && w.gh.Account(args[1]) == nil {
		_, err := w.gh.AddApp(standin.AppConfig{Slug: slug, Key: w.app.Key()})
		ts.Check(err)
	}
	n := 0
	if args[3] == "new" {
		n = r.OpenIssue(args[1], "Please", "")
	} else {
		n = number(ts, args[3])
	}
	_, err := r.Comment(args[1], n, strings.ReplaceAll(args[4], `\n`, "\n"))
	ts.Check(err)
}

func cmdEdit(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 4, "LOGIN REPO ISSUE TEXT")
	list, err := w.comments(args[2], number(ts, args[3]))
	ts.Check(err)
	ts.Check(w.repo(ts, args[2]).EditComment(args[1], list[len(list)-1].ID, args[4]))
}

// cmdHold keeps webhooks back, or lets them go: what a person does in between
// happens before the App hears of it.
func cmdHold(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 1, "on|off")
	w.mu.Lock()
	w.held = args[1] == "on"
	w.mu.Unlock()
	if args[1] == "off" {
		w.release()
	}
}

func cmdPush(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 4, "LOGIN REPO BRANCH DIR [-PATH…]")
	files := standin.Files{}
	if args[4] != "-" {
		var err error
		files, err = filesBelow(ts.MkAbs(args[4]))
		ts.Check(err)
	}
	var remove []string
	for _, a := range args[5:] {
		remove = append(remove, strings.TrimPrefix(a, "-"))
	}
	_, err := w.repo(ts, args[2]).Push(args[1], args[3], "A change", files, remove...)
	ts.Check(err)
}

func cmdIssue(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "LOGIN REPO NUMBER")
	r, n := w.repo(ts, args[2]), number(ts, args[3])
	if args[0] == "reopen" {
		ts.Check(r.ReopenIssue(args[1], n))
		return
	}
	ts.Check(r.CloseIssue(args[1], n))
}

func cmdMerge(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "LOGIN REPO NUMBER")
	ts.Check(w.call(args[1], http.MethodPut, fmt.Sprintf("repos/%s/pulls/%d/merge", args[2], number(ts, args[3])), map[string]any{}, nil))
}

func cmdDeleteBranch(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "LOGIN REPO BRANCH")
	ts.Check(w.repo(ts, args[2]).DeleteBranch(args[1], args[3]))
}

func cmdDefaultBranch(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "LOGIN REPO BRANCH")
	ts.Check(w.repo(ts, args[2]).SetDefaultBranch(args[1], args[3]))
}

func cmdRename(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 2, "REPO NAME")
	ts.Check(w.repo(ts, args[1]).Rename("acme-admin", args[2]))
}

func cmdArchive(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 1, "REPO")
	w.repo(ts, args[1]).SetArchived("acme-admin", true)
}

func cmdSuspend(_ *testscript.TestScript, w *world, _ []string) { w.inst.Suspend() }

func cmdReinstall(ts *testscript.TestScript, w *world, _ []string) {
	w.inst.Uninstall()
	ts.Check(w.settle())
	inst, err := w.app.Install("acme")
	ts.Check(err)
	w.inst = inst
}

func cmdRestart(_ *testscript.TestScript, w *world, _ []string) { w.start() }

func cmdRule(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "REPO BRANCHES TYPE")
	w.repo(ts, args[1]).AddRule(args[2], standin.Rule{Type: args[3]})
}

func cmdFault(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "KIND METHOD PATH [COUNT]")
	f := standin.Fault{Kind: standin.FaultKind(args[1]), Method: args[2], Path: args[3], Count: 1}
	if len(args) > 4 {
		f.Count = number(ts, args[4])
	}
	ts.Check(w.gh.AddFault(f))
}

func cmdTurn(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 1, "REPO")
	p, err := w.bot.Propose(context.Background(), w.inst.ID(), w.gh.Repository(args[1]).ID())
	ts.Check(err)
	w.say("%s\n", p.Reason)
}

// cmdTick ticks a box in the body of a pull request.
func cmdTick(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 4, "LOGIN REPO NUMBER BOX")
	text := w.text(ts, args[2], args[3])
	box := "<!-- dhibot-box:" + args[4] + " -->"
	if !strings.Contains(text, "- [ ] "+box) {
		ts.Fatalf("there is no box %s in\n%s", args[4], text)
	}
	ts.Check(w.repo(ts, args[2]).EditIssue(args[1], number(ts, args[3]), strings.Replace(text, "- [ ] "+box, "- [x] "+box, 1)))
}

// cmdCheck ticks an item of a checklist.
func cmdCheck(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 4, "LOGIN REPO NUMBER TEXT")
	text := w.text(ts, args[2], args[3])
	if !strings.Contains(text, "- [ ] "+args[4]) {
		ts.Fatalf("there is no item %q in\n%s", args[4], text)
	}
	ts.Check(w.repo(ts, args[2]).EditIssue(args[1], number(ts, args[3]), strings.Replace(text, "- [ ] "+args[4], "- [x] "+args[4], 1)))
}

func cmdRewrite(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 4, "LOGIN REPO NUMBER TEXT")
	ts.Check(w.repo(ts, args[2]).EditIssue(args[1], number(ts, args[3]), strings.ReplaceAll(args[4], `\n`, "\n")))
}

func cmdOpen(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 4, "LOGIN REPO BRANCH TITLE")
	ts.Check(w.call(args[1], http.MethodPost, "repos/"+args[2]+"/pulls", map[string]any{"title": args[4], "head": args[3], "base": "main", "body": "Copied."}, nil))
}

func cmdUnsuspend(_ *testscript.TestScript, w *world, _ []string) { w.inst.Unsuspend() }

func cmdMany(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 2, "REPO NUMBER [DIR]")
	files := standin.Files{}
	if len(args) > 3 {
		var err error
		files, err = filesBelow(ts.MkAbs(args[3]))
		ts.Check(err)
	}
	for i := range number(ts, args[2]) {
		files[fmt.Sprintf("services/%d/Dockerfile", i)] = standin.File{Content: fmt.Sprintf("# Service %d.\nFROM node:22\n", i)}
	}
	owner, name, _ := strings.Cut(args[1], "/")
	_, err := w.gh.AddRepository(owner, name, files, standin.Collaborator("alice", "write"))
	ts.Check(err)
}

func cmdQueue(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "REPO NUMBER on|off")
	ts.Check(w.repo(ts, args[1]).SetQueued(number(ts, args[2]), args[3] == "on"))
}

// cmdForkPull opens a pull request from a fork.
func cmdForkPull(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "LOGIN REPO DIR")
	fork, err := w.repo(ts, args[2]).Fork(args[1])
	ts.Check(err)
	files, err := filesBelow(ts.MkAbs(args[3]))
	ts.Check(err)
	_, err = fork.Push(args[1], "change", "A change", files)
	ts.Check(err)
	ts.Check(w.call(args[1], http.MethodPost, "repos/"+args[2]+"/pulls", map[string]any{"title": "From a fork", "head": args[1] + ":change", "base": "main"}, nil))
}

// cmdAttempts sets how often a delivery is tried.
func cmdAttempts(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 1, "NUMBER")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts = number(ts, args[1])
}

// cmdLong asks for more paths than can be remembered.
func cmdLong(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 1, "REPO")
	r := w.repo(ts, args[1])
	text := "/dhi migrate"
	for i := range 30 {
		text += fmt.Sprintf(" %d%s", i, strings.Repeat("<", 900))
	}
	_, err := r.Comment("alice", r.OpenIssue("alice", "Please", ""), text)
	ts.Check(err)
}

func cmdRerun(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "LOGIN REPO BRANCH")
	for _, k := range w.checks(ts, args[2], args[3]) {
		ts.Check(w.repo(ts, args[2]).RerequestCheck(args[1], k.ID))
	}
}

// remembered is the commit that a pull request of ours names, and its branch.
func (w *world) remembered(ts *testscript.TestScript, repo, pull string) (commit, branch string) {
	m, err := testKeys.Read(w.text(ts, repo, pull))
	ts.Check(err)
	return m.Head, m.Branch
}

func (w *world) force(ts *testscript.TestScript, login, repo, branch, commit string) {
	ts.Check(w.call(login, http.MethodPatch, "repos/"+repo+"/git/refs/heads/"+branch, map[string]any{"sha": commit, "force": true}, nil))
}

func cmdReset(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "LOGIN REPO NUMBER")
	commit, branch := w.remembered(ts, args[2], args[3])
	w.force(ts, args[1], args[2], branch, commit)
}

func cmdAmend(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 4, "LOGIN REPO NUMBER DIR")
	commit, branch := w.remembered(ts, args[2], args[3])
	files, err := filesBelow(ts.MkAbs(args[4]))
	ts.Check(err)
	type sha struct {
		SHA string `json:"sha"`
	}
	var old struct {
		Message string `json:"message"`
		Tree    sha    `json:"tree"`
		Parents []sha  `json:"parents"`
	}
	ts.Check(w.call(args[1], http.MethodGet, "repos/"+args[2]+"/git/commits/"+commit, nil, &old))
	var items []map[string]string
	for path, f := range files {
		items = append(items, map[string]string{"path": path, "mode": "100644", "type": "blob", "content": f.Content})
	}
	var tree, amended sha
	ts.Check(w.call(args[1], http.MethodPost, "repos/"+args[2]+"/git/trees", map[string]any{"base_tree": old.Tree.SHA, "tree": items}, &tree))
	ts.Check(w.call(args[1], http.MethodPost, "repos/"+args[2]+"/git/commits", map[string]any{"message": old.Message, "tree": tree.SHA, "parents": []string{old.Parents[0].SHA}}, &amended))
	w.force(ts, args[1], args[2], branch, amended.SHA)
}

// cmdUpdate merges the default branch into that of a pull request, or puts its
// change onto it.
func cmdUpdate(ts *testscript.TestScript, w *world, args []string) {
	want(ts, args, 3, "LOGIN REPO NUMBER [DIR [BRANCH]]")
	if len(args) == 4 && args[0] == "update" {
		ts.Check(w.call(args[1], http.MethodPut, "repos/"+args[2]+"/pulls/"+args[3]+"/update-branch", map[string]any{}, nil))
		return
	}
	from := "main"
	if len(args) > 5 {
		from = args[5]
	}
	type sha struct {
		SHA string `json:"sha"`
	}
	var pull struct {
		Head struct{ Ref, SHA string } `json:"head"`
	}
	repo := "repos/" + args[2]
	ts.Check(w.call(args[1], http.MethodGet, repo+"/pulls/"+args[3], nil, &pull))
	onto := w.repo(ts, args[2]).Branch(from)
	files := standin.Files{}
	if len(args) > 4 && args[4] != "-" {
		var err error
		files, err = filesBelow(ts.MkAbs(args[4]))
		ts.Check(err)
	}
	// What ours has changed is put into the tree of the other, as a merge does.
	var ours struct {
		Files []struct {
			Filename, SHA, Status string
		} `json:"files"`
	}
	ts.Check(w.call(args[1], http.MethodGet, repo+"/compare/"+onto+"..."+pull.Head.SHA, nil, &ours))
	var items []map[string]string
	for _, f := range ours.Files {
		if _, replaced := files[f.Filename]; !replaced && f.Status == "modified" {
			items = append(items, map[string]string{"path": f.Filename, "mode": "100644", "type": "blob", "sha": f.SHA})
		}
	}
	for path, f := range files {
		items = append(items, map[string]string{"path": path, "mode": "100644", "type": "blob", "content": f.Content})
	}
	var other, head struct {
		Tree    sha    `json:"tree"`
		Message string `json:"message"`
	}
	var tree, next sha
	ts.Check(w.call(args[1], http.MethodGet, repo+"/git/commits/"+onto, nil, &other))
	ts.Check(w.call(args[1], http.MethodGet, repo+"/git/commits/"+pull.Head.SHA, nil, &head))
	message, parents := "Merge branch 'main'", []string{pull.Head.SHA, onto}
	if args[0] == "rebase" {
		message, parents = head.Message, []string{onto}
	}
	ts.Check(w.call(args[1], http.MethodPost, repo+"/git/trees", map[string]any{"base_tree": other.Tree.SHA, "tree": items}, &tree))
	ts.Check(w.call(args[1], http.MethodPost, repo+"/git/commits", map[string]any{"message": message, "tree": tree.SHA, "parents": parents}, &next))
	w.force(ts, args[1], args[2], pull.Head.Ref, next.SHA)
}

package standin_test

import (
	"fmt"
	"strings"
	"testing"

	"dhibot/bot/standin"
)

func pullBehaviours() []behaviour {
	const create = "rest/pulls/pulls#create-a-pull-request"
	feature := func(t *testing.T, w *world) { w.feature(t) }
	open := func(t *testing.T, w *world) { w.pull(t) }
	conflict := func(t *testing.T, w *world) {
		_, err := w.repo.Push("alice", "feature", "one", standin.Text(map[string]string{"Dockerfile": "FROM a\n"}))
		must(t, err)
		_, err = w.repo.Push("alice", "main", "other", standin.Text(map[string]string{"Dockerfile": "FROM b\n"}))
		must(t, err)
		w.pull(t)
	}
	behind := func(t *testing.T, w *world) {
		w.pull(t)
		_, err := w.repo.Push("alice", "main", "other", standin.Text(map[string]string{"other.txt": "x\n"}))
		must(t, err)
	}
	const body = `{"title":"T","head":"feature","base":"main"}`
	merged := func(method string, check func(t *testing.T, w *world)) func(*testing.T, *world, answer) {
		return func(t *testing.T, w *world, a answer) {
			if a.at("merged") != true || a.str("sha") != w.repo.Branch("main") {
				t.Errorf("%s: %s", method, a.Body)
			}
			is("merged", true, "state", "closed", "merged_by.login", "dhibot[bot]", "merge_commit_sha", a.str("sha"))(t, w, w.ok(t, "bot", "GET {R}/pulls/1", ""))
			w.ok(t, "bot", "GET {R}/pulls/1/merge", "")
			files, err := w.repo.ReadFiles("main")
			must(t, err)
			if files["new.txt"].Content != "new\n" || files["other.txt"].Content != "x\n" {
				t.Errorf("%s lost files: %v", method, files)
			}
			if said, err := w.repo.Fsck(t.Context()); err != nil || said != "" {
				t.Errorf("fsck: %s %v", said, err)
			}
			check(t, w)
		}
	}
	parents := func(want int) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			if n := w.ok(t, "bot", "GET {R}/commits/main", "").len("parents"); n != want {
				t.Errorf("%d parents, want %d", n, want)
			}
		}
	}
	return []behaviour{
		{does: "a pull request", source: create, given: feature, call: "POST {R}/pulls", body: body, status: 201, also: is("number", 1, "state", "open", "user.login", "dhibot[bot]", "user.type", "Bot", "head.ref", "feature", "head.label", "acme:feature", "commits", 1, "changed_files", 1)},
		{does: "a second one for the same branches", source: create, given: open, call: "POST {R}/pulls", body: body, status: 422, says: `"message":"A pull request already exists for acme:feature."`},
		{does: "a head that is not there", source: create, call: "POST {R}/pulls", body: `{"title":"T","head":"none","base":"main"}`, status: 422, says: `"field":"head"`},
		{does: "a base that is not there", source: create, given: feature, call: "POST {R}/pulls", body: `{"title":"T","head":"feature","base":"none"}`, status: 422, says: `"field":"base"`},
		{does: "nothing between head and base", source: create, call: "POST {R}/pulls", body: `{"title":"T","head":"main","base":"main"}`, status: 422, says: "No commits between main and main"},
		{does: "a missing title", source: create, given: feature, call: "POST {R}/pulls", body: `{"head":"feature","base":"main"}`, status: 422, says: "missing_field"},
		{does: "a missing head", source: create, call: "POST {R}/pulls", body: `{"title":"T","base":"main"}`, status: 422, says: `"head\" wasn't supplied`},
		{does: "a body of 65,536 characters", source: create, given: feature, call: "POST {R}/pulls", body: `{"title":"T","head":"feature","base":"main","body":"` + strings.Repeat("é", 65536) + `"}`, status: 201},
		{does: "a longer body", source: create, given: feature, call: "POST {R}/pulls", body: `{"title":"T","head":"feature","base":"main","body":"` + strings.Repeat("x", 65537) + `"}`, status: 422, says: "maximum is 65536 characters"},
		{does: "a title that is too long", source: create, given: feature, call: "POST {R}/pulls", body: `{"title":"` + strings.Repeat("x", 257) + `","head":"feature","base":"main"}`, status: 422, says: "title is too long (maximum is 256 characters)"},
		{does: "a pull request closed may be followed by another", source: create, given: func(t *testing.T, w *world) {
			w.pull(t)
			must(t, w.repo.CloseIssue("alice", 1))
		}, call: "POST {R}/pulls", body: body, status: 201, also: is("number", 2)},
		{does: "mergeable, because git says so", source: "rest/pulls/pulls#get-a-pull-request", given: open, call: "GET {R}/pulls/1", status: 200, also: is("mergeable", true, "mergeable_state", "clean", "additions", 1)},
		{does: "mergeability takes a while", source: "rest/pulls/pulls#get-a-pull-request", given: func(t *testing.T, w *world) {
			w.pull(t)
			must(t, w.AddFault(standin.Fault{Kind: standin.FaultMergeUnknown}))
		}, call: "GET {R}/pulls/1", status: 200, also: func(t *testing.T, w *world, a answer) {
			is("mergeable", nil, "mergeable_state", "unknown")(t, w, a)
			is("mergeable", true)(t, w, w.ok(t, "bot", "GET {R}/pulls/1", ""))
		}},
		{does: "not mergeable", source: "rest/pulls/pulls#get-a-pull-request", given: conflict, call: "GET {R}/pulls/1", status: 200, also: is("mergeable", false, "mergeable_state", "dirty")},
		{does: "the diff", source: "rest/pulls/pulls#get-a-pull-request", given: open, call: "GET {R}/pulls/1", header: []string{"Accept", "application/vnd.github.diff"}, status: 200, says: "+++ b/new.txt"},
		{does: "no such pull request", source: "rest/pulls/pulls#get-a-pull-request", call: "GET {R}/pulls/1", status: 404, says: "Not Found"},
		{does: "an issue is no pull request", source: "rest/pulls/pulls#get-a-pull-request", given: func(_ *testing.T, w *world) { w.repo.OpenIssue("alice", "x", "") }, call: "GET {R}/pulls/1", status: 404, says: "Not Found"},
		{does: "the head follows a push", source: "rest/pulls/pulls#get-a-pull-request", given: func(t *testing.T, w *world) {
			w.pull(t)
			_, err := w.repo.Push("alice", "feature", "more", standin.Text(map[string]string{"more.txt": "x"}))
			must(t, err)
		}, call: "GET {R}/pulls/1", status: 200, also: func(t *testing.T, w *world, a answer) {
			is("head.sha", w.repo.Branch("feature"), "commits", 2, "changed_files", 2)(t, w, a)
		}},
		{does: "the head follows a force push", source: "rest/pulls/pulls#get-a-pull-request", given: func(t *testing.T, w *world) {
			w.pull(t)
			_, err := w.repo.ForcePush("alice", "feature", "again", standin.Text(map[string]string{"other.txt": "x"}))
			must(t, err)
		}, call: "GET {R}/pulls/1", status: 200, also: func(t *testing.T, w *world, a answer) {
			is("head.sha", w.repo.Branch("feature"), "commits", 1)(t, w, a)
		}},
		{does: "a deleted head closes", source: "repositories/configuring-branches-and-merges-in-your-repository/managing-branches-in-your-repository/deleting-and-restoring-branches-in-a-pull-request", given: func(t *testing.T, w *world) {
			w.pull(t)
			must(t, w.repo.DeleteBranch("alice", "feature"))
		}, call: "GET {R}/pulls/1", status: 200, also: is("state", "closed", "merged", false)},
		{does: "the base gets the head by a push: merged", source: "pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges", given: func(t *testing.T, w *world) {
			w.pull(t)
			w.ok(t, "bot", "PATCH {R}/git/refs/heads/main", `{"sha":"{feature}"}`)
		}, call: "GET {R}/pulls/1", status: 200, also: is("state", "closed", "merged", true)},
		{does: "open ones are listed", source: "rest/pulls/pulls#list-pull-requests", given: func(t *testing.T, w *world) { w.pull(t); must(t, w.repo.CloseIssue("alice", 1)) }, call: "GET {R}/pulls", status: 200, says: "[]"},
		{does: "all, by head", source: "rest/pulls/pulls#list-pull-requests", given: func(t *testing.T, w *world) { w.pull(t); must(t, w.repo.CloseIssue("alice", 1)) }, call: "GET {R}/pulls?state=all&head=acme:feature", status: 200, also: is("0.number", 1, "0.state", "closed")},
		{does: "another head", source: "rest/pulls/pulls#list-pull-requests", given: open, call: "GET {R}/pulls?state=all&head=acme:other", status: 200, says: "[]"},
		{does: "a head without its owner is ignored", source: "rest/pulls/pulls#list-pull-requests", given: open, call: "GET {R}/pulls?head=other", status: 200, also: is("0.number", 1)},
		{does: "by base", source: "rest/pulls/pulls#list-pull-requests", given: open, call: "GET {R}/pulls?base=none", status: 200, says: "[]"},
		{does: "title and body change", source: "rest/pulls/pulls#update-a-pull-request", given: open, call: "PATCH {R}/pulls/1", body: `{"title":"New","body":"B"}`, status: 200, also: is("title", "New", "body", "B")},
		{does: "closing and reopening", source: "rest/pulls/pulls#update-a-pull-request", given: open, call: "PATCH {R}/pulls/1", body: `{"state":"closed"}`, status: 200, also: func(t *testing.T, w *world, a answer) {
			is("state", "closed")(t, w, a)
			is("state", "open")(t, w, w.ok(t, "bot", "PATCH {R}/pulls/1", `{"state":"open"}`))
		}},
		{does: "reopening beside another", source: "rest/pulls/pulls#create-a-pull-request", given: func(t *testing.T, w *world) {
			w.pull(t)
			must(t, w.repo.CloseIssue("alice", 1))
			w.pull(t)
		}, call: "PATCH {R}/pulls/1", body: `{"state":"open"}`, status: 422, says: "There is already an open pull request from feature to main."},
		{does: "reopening without the branch", source: "github.com/waffleio/waffle.io/issues/2194", given: func(t *testing.T, w *world) { w.pull(t); must(t, w.repo.DeleteBranch("alice", "feature")) }, call: "PATCH {R}/pulls/1", body: `{"state":"open"}`, status: 422, says: "branch has been deleted"},
		{does: "a head without commits of its own closes", source: "github.com/dimikot/git-grok/pull/30", given: func(t *testing.T, w *world) {
			w.pull(t)
			w.ok(t, "bot", "PATCH {R}/git/refs/heads/feature", `{"sha":"{main}","force":true}`)
		}, call: "GET {R}/pulls/1", status: 200, also: func(t *testing.T, w *world, a answer) {
			is("state", "closed", "merged", false)(t, w, a)
			if b := w.call(t, "bot", "PATCH {R}/pulls/1", `{"state":"open"}`); b.Status != 422 || !strings.Contains(b.Body, "There are no new commits between base branch 'main' and head branch 'feature'.") {
				t.Errorf("%d %s", b.Status, b.Body)
			}
		}},
		{does: "reopening after a force push", source: "github.com/isaacs/github/issues/361", given: func(t *testing.T, w *world) {
			w.pull(t)
			must(t, w.repo.CloseIssue("alice", 1))
			_, err := w.repo.ForcePush("alice", "feature", "again", standin.Text(map[string]string{"other.txt": "x"}))
			must(t, err)
		}, call: "PATCH {R}/pulls/1", body: `{"state":"open"}`, status: 422, says: "was force-pushed or recreated"},
		{does: "a state of its own", source: "rest/pulls/pulls#update-a-pull-request", given: open, call: "PATCH {R}/pulls/1", body: `{"state":"merged"}`, status: 422, says: "invalid"},
		{does: "files", source: "rest/pulls/pulls#list-pull-requests-files", given: open, call: "GET {R}/pulls/1/files", status: 200, also: is("0.filename", "new.txt", "0.patch", "@@ -0,0 +1 @@\n+new", "0.additions", 1)},
		{does: "commits", source: "rest/pulls/pulls#list-commits-on-a-pull-request", given: open, call: "GET {R}/pulls/1/commits", status: 200, also: is("0.commit.message", "Add a file")},
		{does: "not merged", source: "rest/pulls/pulls#check-if-a-pull-request-has-been-merged", given: open, call: "GET {R}/pulls/1/merge", status: 404, says: "Not Found"},
		{does: "a merge commit", source: "rest/pulls/pulls#merge-a-pull-request", given: behind, call: "PUT {R}/pulls/1/merge", status: 200, also: merged("merge", parents(2))},
		{does: "a squash", source: "rest/pulls/pulls#merge-a-pull-request", given: behind, call: "PUT {R}/pulls/1/merge", body: `{"merge_method":"squash"}`, status: 200, also: merged("squash", parents(1))},
		{does: "a rebase", source: "rest/pulls/pulls#merge-a-pull-request", given: behind, call: "PUT {R}/pulls/1/merge", body: `{"merge_method":"rebase"}`, status: 200, also: merged("rebase", parents(1))},
		{does: "merging a conflict", source: "rest/pulls/pulls#merge-a-pull-request", given: conflict, call: "PUT {R}/pulls/1/merge", status: 405, says: "Pull Request is not mergeable"},
		{does: "merging while the base moves", source: "github.com/NixOS/nixpkgs-merge-bot/issues/179", given: func(t *testing.T, w *world) {
			w.pull(t)
			must(t, w.AddFault(standin.Fault{Kind: standin.FaultMergeRefused}))
		}, call: "PUT {R}/pulls/1/merge", status: 405, says: "Base branch was modified. Review and try the merge again."},
		{does: "merging another head", source: "rest/pulls/pulls#merge-a-pull-request", given: open, call: "PUT {R}/pulls/1/merge", body: `{"sha":"{none}"}`, status: 409, says: "Head branch was modified."},
		{does: "a merge queue", source: "repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue", given: func(t *testing.T, w *world) {
			w.pull(t)
			w.repo.AddRule("main", standin.Rule{Type: "merge_queue"})
		}, call: "PUT {R}/pulls/1/merge", status: 405, says: "merge queue"},
		{does: "update branch", source: "rest/pulls/pulls#update-a-pull-request-branch", given: behind, call: "PUT {R}/pulls/1/update-branch", status: 202, says: "Updating pull request branch."},
		{does: "update branch with nothing to do", source: "rest/pulls/pulls#update-a-pull-request-branch", given: open, call: "PUT {R}/pulls/1/update-branch", status: 422, says: "There are no new commits on the base branch."},
		{does: "pull requests of a commit", source: "rest/commits/commits#list-pull-requests-associated-with-a-commit", given: open, call: "GET {R}/commits/{feature}/pulls", status: 200, also: is("0.number", 1)},
		{does: "from a fork", source: create, given: func(t *testing.T, w *world) {
			f, err := w.repo.Fork("bob")
			must(t, err)
			_, err = f.Push("bob", "fix", "Fix", standin.Text(map[string]string{"fix.txt": "x\n"}))
			must(t, err)
		}, who: "bob", call: "POST {R}/pulls", body: `{"title":"T","head":"bob:fix","base":"main"}`, status: 201, also: is("head.label", "bob:fix", "head.repo.full_name", "bob/shop", "head.repo.fork", true, "base.repo.full_name", "acme/shop", "changed_files", 1)},
	}
}

func reviewBehaviours() []behaviour {
	open := func(t *testing.T, w *world) { w.pull(t) }
	const reviews = "rest/pulls/reviews#create-a-review-for-a-pull-request"
	return []behaviour{
		{does: "a review with a comment on a line", source: reviews, given: open, call: "POST {R}/pulls/1/reviews", body: `{"event":"COMMENT","body":"B","comments":[{"path":"new.txt","line":1,"side":"RIGHT","body":"here"}]}`, status: 200, also: func(t *testing.T, w *world, a answer) {
			is("state", "COMMENTED")(t, w, a)
			list := w.ok(t, "bot", "GET {R}/pulls/1/comments", "")
			is("0.body", "here", "0.line", 1, "0.diff_hunk", "@@ -0,0 +1 @@\n+new")(t, w, list)
			id := fmt.Sprintf("%.0f", list.at("0.id"))
			w.ok(t, "bot", "GET {R}/pulls/comments/"+id, "")
			heart := w.ok(t, "alice", "POST {R}/pulls/comments/"+id+"/reactions", `{"content":"heart"}`)
			w.ok(t, "bot", "GET {R}/pulls/comments/"+id+"/reactions", "")
			w.ok(t, "alice", fmt.Sprintf("DELETE {R}/pulls/comments/%s/reactions/%.0f", id, heart.at("id")), "")
			is("0.state", "COMMENTED")(t, w, w.ok(t, "bot", "GET {R}/pulls/1/reviews", ""))
			rid := fmt.Sprintf("%.0f", a.at("id"))
			w.ok(t, "bot", "GET {R}/pulls/1/reviews/"+rid, "")
			is("0.body", "here")(t, w, w.ok(t, "bot", "GET {R}/pulls/1/reviews/"+rid+"/comments", ""))
		}},
		{does: "a line outside the diff", source: "github.com/warpdotdev/oz-for-oss/issues/310", given: open, call: "POST {R}/pulls/1/reviews", body: `{"event":"COMMENT","body":"B","comments":[{"path":"new.txt","line":9,"body":"x"}]}`, status: 422, says: "Line could not be resolved"},
		{does: "a line outside the diff, by itself", source: "github.com/openshift/openshift-docs/pull/104109", given: open, call: "POST {R}/pulls/1/comments", body: `{"path":"new.txt","line":9,"side":"RIGHT","body":"x","commit_id":"{feature}"}`, status: 422, says: `"field":"pull_request_review_thread.line"`},
		{does: "one pending review for each person", source: "github.com/github/app/issues/3371", given: open, call: "POST {R}/pulls/1/reviews", body: `{"body":"later"}`, status: 200, also: func(t *testing.T, w *world, a answer) {
			is("state", "PENDING")(t, w, a)
			if b := w.call(t, "bot", "POST {R}/pulls/1/reviews", `{"body":"again"}`); b.Status != 422 || !strings.Contains(b.Body, "User can only have one pending review per pull request") {
				t.Errorf("%d %s", b.Status, b.Body)
			}
		}},
		{does: "a path outside the diff", source: "github.com/warpdotdev/oz-for-oss/issues/310", given: open, call: "POST {R}/pulls/1/reviews", body: `{"event":"COMMENT","body":"B","comments":[{"path":"Dockerfile","line":1,"body":"x"}]}`, status: 422, says: "Path could not be resolved"},
		{does: "approving one's own", source: "github.com/hubtty/hubtty/issues/33", given: open, call: "POST {R}/pulls/1/reviews", body: `{"event":"APPROVE"}`, status: 422, says: "Can not approve your own pull request"},
		{does: "somebody else approves", source: reviews, given: open, who: "alice", call: "POST {R}/pulls/1/reviews", body: `{"event":"APPROVE"}`, status: 200, also: is("state", "APPROVED", "author_association", "COLLABORATOR")},
		{does: "a single comment", source: "rest/pulls/comments#create-a-review-comment-for-a-pull-request", given: open, who: "alice", call: "POST {R}/pulls/1/comments", body: `{"path":"new.txt","line":1,"side":"RIGHT","body":"hm","commit_id":"{feature}"}`, status: 201, also: func(t *testing.T, w *world, a answer) {
			at := fmt.Sprintf("{R}/pulls/comments/%.0f", a.at("id"))
			is("body", "hmm")(t, w, w.ok(t, "alice", "PATCH "+at, `{"body":"hmm"}`))
			if b := w.call(t, "eve", "PATCH "+at, `{"body":"mine"}`); b.Status != 403 {
				t.Errorf("a stranger edits: %d", b.Status)
			}
			reply := w.ok(t, "alice", "POST {R}/pulls/1/comments", fmt.Sprintf(`{"body":"re","in_reply_to":%.0f,"path":"new.txt","commit_id":"{feature}"}`, a.at("id")))
			is("in_reply_to_id", a.at("id"), "line", 1)(t, w, reply)
			w.ok(t, "alice", "DELETE "+at, "")
			if b := w.call(t, "bot", "GET "+at, ""); b.Status != 404 {
				t.Errorf("deleted: %d", b.Status)
			}
		}},
		{does: "reviewers", source: "rest/pulls/review-requests#request-reviewers-for-a-pull-request", given: open, call: "POST {R}/pulls/1/requested_reviewers", body: `{"reviewers":["alice"]}`, status: 201, also: func(t *testing.T, w *world, a answer) {
			is("requested_reviewers.0.login", "alice")(t, w, a)
			is("users.0.login", "alice")(t, w, w.ok(t, "bot", "GET {R}/pulls/1/requested_reviewers", ""))
			w.ok(t, "bot", "DELETE {R}/pulls/1/requested_reviewers", `{"reviewers":["alice"]}`)
		}},
		{does: "a reviewer without access", source: "github.com/peter-evans/create-pull-request/issues/4138", given: func(t *testing.T, w *world) { w.pull(t); w.AddUser("eve") }, call: "POST {R}/pulls/1/requested_reviewers", body: `{"reviewers":["eve"]}`, status: 422, says: "Reviews may only be requested from collaborators."},
	}
}

func talkBehaviours() []behaviour {
	issue := func(_ *testing.T, w *world) { w.repo.OpenIssue("alice", "Title", "Body") }
	var comment int64
	_ = comment
	commented := func(t *testing.T, w *world) {
		w.repo.OpenIssue("alice", "Title", "Body")
		_, err := w.repo.Comment("alice", 1, "Hello")
		must(t, err)
	}
	first := func(t *testing.T, w *world) string {
		return fmt.Sprintf("{R}/issues/comments/%.0f", w.ok(t, "bot", "GET {R}/issues/1/comments", "").at("0.id"))
	}
	const comments, issues, labels = "rest/issues/comments#create-an-issue-comment", "rest/issues/issues#create-an-issue", "rest/issues/labels"
	return []behaviour{
		{does: "an issue", source: issues, call: "POST {R}/issues", body: `{"title":"T","labels":["bug","new one"],"assignees":["alice","nobody"]}`, status: 201, also: is("number", 1, "labels.0.name", "bug", "labels.1.color", "ededed", "assignees.0.login", "alice", "assignees.1", nil, "user.login", "dhibot[bot]")},
		{does: "an issue needs a title", source: issues, call: "POST {R}/issues", body: `{"body":"x"}`, status: 422, says: `"title\" wasn't supplied`},
		{does: "one issue", source: "rest/issues/issues#get-an-issue", given: issue, call: "GET {R}/issues/1", status: 200, also: is("title", "Title", "pull_request", nil, "author_association", "COLLABORATOR")},
		{does: "a pull request seen as an issue", source: "rest/issues/issues#get-an-issue", given: func(t *testing.T, w *world) { w.pull(t) }, call: "GET {R}/issues/1", status: 200, says: `"pull_request":{`},
		{does: "no such issue", source: "rest/issues/issues#get-an-issue", call: "GET {R}/issues/1", status: 404, says: "Not Found"},
		{does: "issues and pull requests together", source: "rest/issues/issues#list-repository-issues", given: func(t *testing.T, w *world) { issue(t, w); w.pull(t) }, call: "GET {R}/issues", status: 200, also: is("0.number", 2, "1.number", 1)},
		{does: "by label", source: "rest/issues/issues#list-repository-issues", given: func(t *testing.T, w *world) { issue(t, w); must(t, w.repo.AddLabel("alice", 1, "bug")) }, call: "GET {R}/issues?labels=bug,none", status: 200, says: "[]"},
		{does: "closing with a reason", source: "rest/issues/issues#update-an-issue", given: issue, call: "PATCH {R}/issues/1", body: `{"state":"closed","state_reason":"not_planned"}`, status: 200, also: is("state", "closed", "state_reason", "not_planned", "closed_by.login", "dhibot[bot]")},
		{does: "a stranger may not edit", source: "rest/issues/issues#update-an-issue", given: issue, who: "eve", call: "PATCH {R}/issues/1", body: `{"title":"x"}`, status: 403},
		{does: "a locked issue takes no comments from strangers", source: "rest/issues/issues#lock-an-issue", given: func(t *testing.T, w *world) { issue(t, w); w.ok(t, "bot", "PUT {R}/issues/1/lock", "") }, who: "eve", call: "POST {R}/issues/1/comments", body: `{"body":"x"}`, status: 403, says: "issue is locked"},
		{does: "a comment", source: comments, given: issue, call: "POST {R}/issues/1/comments", body: `{"body":"B"}`, status: 201, also: is("body", "B", "user.type", "Bot", "performed_via_github_app.slug", "dhibot")},
		{does: "everybody comments on a public repository", source: comments, given: issue, who: "eve", call: "POST {R}/issues/1/comments", body: `{"body":"B"}`, status: 201, also: is("author_association", "NONE")},
		{does: "nobody does not", source: comments, given: issue, who: "nobody", call: "POST {R}/issues/1/comments", body: `{"body":"B"}`, status: 401, says: "Requires authentication"},
		{does: "a blank comment", source: comments, given: issue, call: "POST {R}/issues/1/comments", body: `{"body":" \n"}`, status: 422, says: "cannot be blank"},
		{does: "a comment that is too long", source: comments, given: issue, call: "POST {R}/issues/1/comments", body: `{"body":"` + strings.Repeat("x", 65537) + `"}`, status: 422, says: "Body is too long"},
		{does: "a comment on what is not there", source: comments, call: "POST {R}/issues/9/comments", body: `{"body":"B"}`, status: 404, says: "Not Found"},
		{does: "issues permission does not open pull requests", source: "rest/authentication/permissions-required-for-github-apps", given: func(t *testing.T, w *world) { w.pull(t) }, who: "bot/issues:write", call: "POST {R}/issues/1/comments", body: `{"body":"B"}`, status: 403, says: "Resource not accessible by integration"},
		{does: "pull request permission does not open issues", source: "rest/authentication/permissions-required-for-github-apps", given: issue, who: "bot/pull_requests:write", call: "POST {R}/issues/1/comments", body: `{"body":"B"}`, status: 403, says: "Resource not accessible by integration"},
		{does: "comments are listed, read, edited and deleted", source: "rest/issues/comments", given: commented, call: "GET {R}/issues/1/comments", status: 200, also: func(t *testing.T, w *world, a answer) {
			is("0.body", "Hello", "0.author_association", "COLLABORATOR")(t, w, a)
			at := first(t, w)
			w.ok(t, "bot", "GET "+at, "")
			is("0.body", "Hello")(t, w, w.ok(t, "bot", "GET {R}/issues/comments", ""))
			is("body", "Bye")(t, w, w.ok(t, "alice", "PATCH "+at, `{"body":"Bye"}`))
			if a := w.call(t, "eve", "PATCH "+at, `{"body":"mine"}`); a.Status != 403 {
				t.Errorf("a stranger edits: %d", a.Status)
			}
			w.ok(t, "alice", "DELETE "+at, "")
			if a := w.call(t, "bot", "GET "+at, ""); a.Status != 404 {
				t.Errorf("deleted: %d", a.Status)
			}
		}},
		{does: "a reaction, twice the same", source: "rest/reactions/reactions#create-reaction-for-an-issue-comment", given: commented, call: "GET {R}/issues/1", status: 200, also: func(t *testing.T, w *world, _ answer) {
			at := first(t, w)
			one := w.call(t, "bot", "POST "+at+"/reactions", `{"content":"eyes"}`)
			two := w.call(t, "bot", "POST "+at+"/reactions", `{"content":"eyes"}`)
			if one.Status != 201 || two.Status != 200 || one.at("id") != two.at("id") {
				t.Errorf("%d then %d", one.Status, two.Status)
			}
			is("reactions.eyes", 1, "reactions.total_count", 1)(t, w, w.ok(t, "bot", "GET "+at, ""))
			is("0.content", "eyes")(t, w, w.ok(t, "bot", "GET "+at+"/reactions", ""))
			if a := w.call(t, "bot", "POST "+at+"/reactions", `{"content":"tada"}`); a.Status != 422 {
				t.Errorf("unknown reaction: %d", a.Status)
			}
			w.ok(t, "bot", fmt.Sprintf("DELETE %s/reactions/%.0f", at, one.at("id")), "")
		}},
		{does: "a reaction to an issue", source: "rest/reactions/reactions#create-reaction-for-an-issue", given: issue, call: "POST {R}/issues/1/reactions", body: `{"content":"rocket"}`, status: 201, also: func(t *testing.T, w *world, a answer) {
			is("0.content", "rocket")(t, w, w.ok(t, "bot", "GET {R}/issues/1/reactions", ""))
			at := fmt.Sprintf("DELETE {R}/issues/1/reactions/%.0f", a.at("id"))
			if b := w.call(t, "alice", at, ""); b.Status != 404 {
				t.Errorf("somebody else's reaction: %d", b.Status)
			}
			w.ok(t, "bot", at, "")
		}},
		{does: "a label", source: labels, call: "POST {R}/labels", body: `{"name":"dhi","color":"0366D6","description":"d"}`, status: 201, also: func(t *testing.T, w *world, a answer) {
			is("color", "0366d6")(t, w, a)
			w.ok(t, "bot", "GET {R}/labels/dhi", "")
			is("name", "dhi2")(t, w, w.ok(t, "bot", "PATCH {R}/labels/dhi", `{"new_name":"dhi2"}`))
			w.ok(t, "bot", "DELETE {R}/labels/dhi2", "")
		}},
		{does: "a label that is there", source: labels, call: "POST {R}/labels", body: `{"name":"Bug"}`, status: 422, says: "already_exists"},
		{does: "a label's name that is too long", source: labels, call: "POST {R}/labels", body: `{"name":"` + strings.Repeat("x", 51) + `"}`, status: 422, says: "maximum is 50 characters"},
		{does: "a colour that is none", source: labels, call: "POST {R}/labels", body: `{"name":"x","color":"#fff"}`, status: 422, says: `"field":"color"`},
		{does: "labels of a repository", source: labels, call: "GET {R}/labels", status: 200, also: is("0.name", "bug", "0.default", true)},
		{does: "labels of an issue", source: labels, given: issue, call: "POST {R}/issues/1/labels", body: `{"labels":["dhi"]}`, status: 200, also: func(t *testing.T, w *world, a answer) {
			is("0.name", "dhi")(t, w, a)
			is("0.name", "dhi")(t, w, w.ok(t, "bot", "GET {R}/issues/1/labels", ""))
			is("0.name", "bug", "1", nil)(t, w, w.ok(t, "bot", "PUT {R}/issues/1/labels", `{"labels":["bug"]}`))
			is("0.name", "bug", "1", nil)(t, w, w.ok(t, "bot", "PUT {R}/issues/1/labels", `["bug"]`))
			w.ok(t, "bot", "DELETE {R}/issues/1/labels/bug", "")
			if a := w.call(t, "bot", "DELETE {R}/issues/1/labels/bug", ""); a.Status != 404 || a.str("message") != "Label does not exist" {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			w.ok(t, "bot", "DELETE {R}/issues/1/labels", "")
		}},
		{does: "assignees", source: "rest/issues/assignees#add-assignees-to-an-issue", given: issue, call: "POST {R}/issues/1/assignees", body: `{"assignees":["alice"]}`, status: 201, also: func(t *testing.T, w *world, a answer) {
			is("assignees.0.login", "alice")(t, w, a)
			is("assignees.0", nil)(t, w, w.ok(t, "bot", "DELETE {R}/issues/1/assignees", `{"assignees":["alice"]}`))
		}},
		{does: "unlocking", source: "rest/issues/issues#unlock-an-issue", given: issue, call: "DELETE {R}/issues/1/lock", status: 204},
	}
}

func checkBehaviours() []behaviour {
	const create = "rest/checks/runs#create-a-check-run"
	annotation := `{"path":"Dockerfile","start_line":1,"end_line":1,"annotation_level":"warning","message":"m"}`
	return []behaviour{
		{does: "a check run", source: create, call: "POST {R}/check-runs", body: `{"name":"DHI","head_sha":"{main}","status":"in_progress","output":{"title":"t","summary":"s","annotations":[` + annotation + `]}}`, status: 201, also: func(t *testing.T, w *world, a answer) {
			is("status", "in_progress", "conclusion", nil, "output.annotations_count", 1, "app.slug", "dhibot")(t, w, a)
			at := fmt.Sprintf("{R}/check-runs/%.0f", a.at("id"))
			w.ok(t, "bot", "GET "+at, "")
			is("0.path", "Dockerfile")(t, w, w.ok(t, "bot", "GET "+at+"/annotations", ""))
			is("status", "completed", "conclusion", "success", "output.annotations_count", 2)(t, w, w.ok(t, "bot", "PATCH "+at, `{"conclusion":"success","output":{"title":"t","summary":"s","annotations":[`+annotation+`]}}`))
			is("total_count", 1, "check_runs.0.name", "DHI")(t, w, w.ok(t, "bot", "GET {R}/commits/main/check-runs", ""))
			suites := w.ok(t, "bot", "GET {R}/commits/{main}/check-suites", "")
			is("check_suites.0.conclusion", "success")(t, w, suites)
			suite := fmt.Sprintf("{R}/check-suites/%.0f", suites.at("check_suites.0.id"))
			w.ok(t, "bot", "GET "+suite, "")
			is("total_count", 1)(t, w, w.ok(t, "bot", "GET "+suite+"/check-runs", ""))
			w.ok(t, "bot", "POST "+at+"/rerequest", "")
		}},
		{does: "only Apps make check runs", source: create, who: "alice", call: "POST {R}/check-runs", body: `{"name":"DHI","head_sha":"{main}"}`, status: 403, says: "You must authenticate via a GitHub App."},
		{does: "a check run on a commit that is not there", source: create, call: "POST {R}/check-runs", body: `{"name":"DHI","head_sha":"{none}"}`, status: 422, says: "No commit found for SHA"},
		{does: "completed needs a conclusion", source: create, call: "POST {R}/check-runs", body: `{"name":"DHI","head_sha":"{main}","status":"completed"}`, status: 422, says: "missing_field"},
		{does: "a conclusion of its own", source: create, call: "POST {R}/check-runs", body: `{"name":"DHI","head_sha":"{main}","conclusion":"fine"}`, status: 422, says: "is not a member of"},
		{does: "completing needs a conclusion", source: "rest/checks/runs#update-a-check-run", call: "POST {R}/check-runs", body: `{"name":"DHI","head_sha":"{main}"}`, status: 201, also: func(t *testing.T, w *world, a answer) {
			if b := w.call(t, "bot", fmt.Sprintf("PATCH {R}/check-runs/%.0f", a.at("id")), `{"status":"completed"}`); b.Status != 422 {
				t.Errorf("%d %s", b.Status, b.Body)
			}
		}},
		{does: "51 annotations", source: create, call: "POST {R}/check-runs", body: `{"name":"DHI","head_sha":"{main}","output":{"title":"t","summary":"s","annotations":[` + strings.TrimSuffix(strings.Repeat(annotation+",", 51), ",") + `]}}`, status: 422, says: "No more than 50 items are allowed"},
		{does: "a summary that is too long", source: create, call: "POST {R}/check-runs", body: `{"name":"DHI","head_sha":"{main}","output":{"title":"t","summary":"` + strings.Repeat("x", 65536) + `"}}`, status: 422, says: "65535 characters are allowed"},
		{does: "no permission for checks", source: "rest/authentication/permissions-required-for-github-apps", who: "bot/contents:write", call: "POST {R}/check-runs", body: `{"name":"DHI","head_sha":"{main}"}`, status: 403, says: "Resource not accessible by integration"},
		{does: "a status", source: "rest/commits/statuses#create-a-commit-status", who: "alice", call: "POST {R}/statuses/{main}", body: `{"state":"success","context":"ci"}`, status: 201, also: func(t *testing.T, w *world, _ answer) {
			is("state", "success", "total_count", 1)(t, w, w.ok(t, "alice", "GET {R}/commits/main/status", ""))
			is("0.context", "ci")(t, w, w.ok(t, "alice", "GET {R}/commits/main/statuses", ""))
		}},
		{does: "a state of its own", source: "rest/commits/statuses#create-a-commit-status", who: "alice", call: "POST {R}/statuses/{main}", body: `{"state":"fine"}`, status: 422, says: "Validation Failed"},
	}
}

func generalBehaviours() []behaviour {
	return []behaviour{
		{does: "an unknown token", source: "rest/authentication/authenticating-to-the-rest-api", who: "token ghs_none", call: "GET {R}", status: 401, says: "Bad credentials"},
		{does: "an unknown address", source: "rest/using-the-rest-api/troubleshooting-the-rest-api", call: "GET {R}/nonsense", status: 404, says: "Not Found"},
		{does: "a body that is no JSON", source: "rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed", call: "POST {R}/issues", body: `{"title":`, status: 400, says: "Problems parsing JSON"},
		{does: "a value of the wrong type", source: "rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed", call: "POST {R}/git/refs", body: `{"ref":1}`, status: 422, says: "Invalid request."},
		{does: "the limits", source: "rest/rate-limit/rate-limit", call: "GET /rate_limit", status: 200, also: is("resources.core.limit", 5000, "resources.graphql.limit", 5000, "resources.search.limit", 30)},
		{does: "every answer counts down", source: "rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit", call: "GET {R}", status: 200, also: func(t *testing.T, w *world, a answer) {
			if a.Header.Get("X-RateLimit-Limit") != "5000" || a.Header.Get("X-RateLimit-Remaining") != "4999" || a.Header.Get("X-RateLimit-Resource") != "core" || a.Header.Get("X-RateLimit-Reset") == "" {
				t.Errorf("%v", a.Header)
			}
			if b := w.ok(t, "bot", "GET {R}", ""); b.Header.Get("X-RateLimit-Remaining") != "4998" {
				t.Errorf("second: %s", b.Header.Get("X-RateLimit-Remaining"))
			}
		}},
		{does: "nobody has sixty calls", source: "rest/using-the-rest-api/rate-limits-for-the-rest-api#primary-rate-limit-for-unauthenticated-users", who: "nobody", call: "GET {R}", status: 200, also: header("X-RateLimit-Limit", "60")},
		{does: "an unchanged answer is 304 and free", source: "rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate", call: "GET /meta", status: 200, also: func(t *testing.T, w *world, _ answer) {
			token := w.as(t, "bot")
			first := send(t, token, "GET", w.URL()+"/repos/acme/shop", "")
			second := send(t, token, "GET", w.URL()+"/repos/acme/shop", "", "If-None-Match", first.Header.Get("ETag"))
			if second.Status != 304 || second.Body != "" || second.Header.Get("X-RateLimit-Remaining") != first.Header.Get("X-RateLimit-Remaining") {
				t.Errorf("%d %q, remaining %s then %s", second.Status, second.Body, first.Header.Get("X-RateLimit-Remaining"), second.Header.Get("X-RateLimit-Remaining"))
			}
			other := send(t, w.as(t, "bot"), "GET", w.URL()+"/repos/acme/shop", "", "If-None-Match", first.Header.Get("ETag"))
			if other.Status != 200 {
				t.Errorf("with another token: %d", other.Status)
			}
		}},
		{does: "pages", source: "rest/using-the-rest-api/using-pagination-in-the-rest-api", given: func(_ *testing.T, w *world) {
			for range 5 {
				w.repo.OpenIssue("alice", "x", "")
			}
		}, call: "GET {R}/issues?per_page=2&page=2", status: 200, also: func(t *testing.T, w *world, a answer) {
			link := a.Header.Get("Link")
			for _, want := range []string{`page=1&per_page=2>; rel="prev"`, `page=3&per_page=2>; rel="next"`, `page=3&per_page=2>; rel="last"`, `page=1&per_page=2>; rel="first"`} {
				if !strings.Contains(link, want) {
					t.Errorf("Link %q lacks %q", link, want)
				}
			}
			if a.len("") != 2 {
				t.Errorf("%d on the page", a.len(""))
			}
			last := w.ok(t, "bot", "GET {R}/issues?per_page=2&page=3", "")
			if last.len("") != 1 || strings.Contains(last.Header.Get("Link"), `rel="next"`) {
				t.Errorf("last page: %d, %q", last.len(""), last.Header.Get("Link"))
			}
		}},
		{does: "at most a hundred a page", source: "rest/using-the-rest-api/using-pagination-in-the-rest-api", given: func(_ *testing.T, w *world) {
			for range 101 {
				w.repo.OpenIssue("alice", "x", "")
			}
		}, call: "GET {R}/issues?per_page=1000", status: 200, also: func(t *testing.T, _ *world, a answer) {
			if a.len("") != 100 {
				t.Errorf("%d on the page", a.len(""))
			}
		}},
		{does: "a person", source: "rest/users/users#get-a-user", given: func(_ *testing.T, w *world) { w.AddUser("alice") }, call: "GET /users/alice", status: 200, also: is("type", "User")},
		{does: "a bot", source: "rest/users/users#get-a-user", call: "GET /users/dhibot%5Bbot%5D", status: 200, also: is("type", "Bot", "login", "dhibot[bot]")},
		{does: "who am I", source: "rest/users/users#get-the-authenticated-user", who: "alice", call: "GET /user", status: 200, also: is("login", "alice")},
		{does: "an installation is no user", source: "rest/users/users#get-the-authenticated-user", call: "GET /user", status: 403, says: "Resource not accessible by integration"},
		{does: "the Enterprise form", source: "enterprise-server@3.17/rest/using-the-rest-api/getting-started-with-the-rest-api", call: "GET /api/v3{R}", status: 200, also: is("full_name", "acme/shop")},
		{does: "one limit used up", source: "rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit", given: func(_ *testing.T, w *world) { w.inst.Exhaust() }, call: "GET {R}", status: 403, says: "API rate limit exceeded for installation", also: header("X-RateLimit-Remaining", "0")},
		{does: "GraphQL over its limit is HTTP 200", source: "graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#exceeding-the-rate-limit", given: func(_ *testing.T, w *world) { w.inst.Exhaust() }, call: "POST /graphql", body: `{"query":"{ viewer { login } }"}`, status: 200, says: `"type":"RATE_LIMITED"`, also: header("X-RateLimit-Remaining", "0")},
	}
}

func searchBehaviours() []behaviour {
	const issues, code = "rest/search/search#search-issues-and-pull-requests", "rest/search/search#search-code"
	given := func(t *testing.T, w *world) {
		w.pull(t)
		w.repo.OpenIssue("alice", "A title", "some text")
	}
	return []behaviour{
		{does: "pull requests of the App", source: issues, given: given, call: "GET /search/issues?q=repo:acme/shop+is:pr+is:open+author:app/dhibot+head:feature", status: 200, also: is("total_count", 1, "items.0.number", 1, "incomplete_results", false)},
		{does: "words", source: issues, given: given, call: "GET /search/issues?q=org:acme+TEXT", status: 200, also: is("total_count", 1, "items.0.title", "A title")},
		{does: "a label nothing has", source: issues, given: given, call: "GET /search/issues?q=label:bug", status: 200, also: is("total_count", 0)},
		{does: "a search needs a query", source: issues, call: "GET /search/issues", status: 422, says: `"field":"q"`},
		{does: "a repository that cannot be seen", source: issues, call: "GET /search/issues?q=repo:acme/none", status: 422, says: "cannot be searched"},
		{does: "code by file name", source: code, call: "GET /search/code?q=org:acme+filename:Dockerfile", status: 200, also: is("total_count", 1, "items.0.path", "Dockerfile", "items.0.repository.full_name", "acme/shop")},
		{does: "code by language and words", source: code, call: "GET /search/code?q=node+language:Dockerfile", status: 200, also: is("total_count", 1)},
		{does: "code by path and extension", source: code, call: "GET /search/code?q=path:docs+extension:md", status: 200, also: is("total_count", 1, "items.0.path", "docs/a/b.md")},
		{does: "search has a budget of its own", source: "rest/search/search#rate-limit", call: "GET /search/issues?q=x", status: 200, also: func(t *testing.T, w *world, a answer) {
			if a.Header.Get("X-RateLimit-Resource") != "search" || a.Header.Get("X-RateLimit-Limit") != "30" {
				t.Errorf("%v", a.Header)
			}
			for range 29 {
				w.ok(t, "bot", "GET /search/issues?q=x", "")
			}
			if b := w.call(t, "bot", "GET /search/issues?q=x", ""); b.Status != 403 || b.Header.Get("X-RateLimit-Remaining") != "0" {
				t.Errorf("the 31st: %d", b.Status)
			}
			w.ok(t, "bot", "GET {R}", "") // the core budget is another
		}},
		{does: "code search has a smaller one", source: "rest/search/search#rate-limit", call: "GET /search/code?q=x", status: 200, also: header("X-RateLimit-Limit", "10")},
	}
}

package standin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhibot/bot/standin"
)

func now() int64 { return time.Now().Unix() }

func gitBehaviours() []behaviour {
	const trees, blobs, commits = "rest/git/trees#create-a-tree", "rest/git/blobs", "rest/git/commits#create-a-commit"
	empty := func(t *testing.T, w *world) {
		_, err := w.AddRepository("acme", "empty", nil)
		must(t, err)
	}
	row := func(s string) string { return `{"base_tree":"{main}","tree":[` + s + `]}` }
	// commit makes a commit on main with a given body and returns the answer.
	const tree = `"tree":"` + "TREE" + `"`
	withTree := func(body string) func(*testing.T, *world, answer) {
		return func(t *testing.T, w *world, a answer) {
			full := strings.ReplaceAll(body, "TREE", a.str("sha"))
			made := w.call(t, "bot", "POST {R}/git/commits", full)
			if made.Status != 201 {
				t.Fatalf("%d %s", made.Status, made.Body)
			}
			want := !strings.Contains(full, `"author"`)
			if made.at("verification.verified") != want {
				t.Errorf("verified: %v, want %v", made.at("verification.verified"), want)
			}
		}
	}
	return []behaviour{
		{does: "git data of an empty repository is 409", source: "rest/git", given: empty, call: "GET /repos/acme/empty/git/trees/main", status: 409, says: "Git Repository is empty."},
		{does: "a blob cannot start a repository", source: "rest/git", given: empty, call: "POST /repos/acme/empty/git/blobs", body: `{"content":"x"}`, status: 409, says: "Git Repository is empty."},
		{does: "commits of an empty repository are 409", source: "rest/commits/commits#list-commits", given: empty, call: "GET /repos/acme/empty/commits", status: 409, says: "Git Repository is empty."},
		{does: "a tree by branch name", source: "rest/git/trees#get-a-tree", call: "GET {R}/git/trees/main", status: 200, also: is("truncated", false, "tree.0.path", "Dockerfile", "tree.0.mode", "100644", "tree.0.type", "blob", "tree.1.type", "tree")},
		{does: "a recursive tree", source: "rest/git/trees#get-a-tree", call: "GET {R}/git/trees/main?recursive=1", status: 200, also: is("tree.2.path", "bin/run.sh", "tree.2.mode", "100755", "tree.5.path", "docs/a/b.md", "tree.6.mode", "120000")},
		{does: "a tree of a commit that is not there", source: "rest/git/trees#get-a-tree", call: "GET {R}/git/trees/{none}", status: 404, says: "Not Found"},
		{does: "a large tree is cut and says so", source: "rest/git/trees#get-a-tree", given: func(t *testing.T, w *world) {
			must(t, w.AddFault(standin.Fault{Kind: standin.FaultTruncatedTree}))
		}, call: "GET {R}/git/trees/main?recursive=1", status: 200, also: is("truncated", true, "tree.0.path", "Dockerfile", "tree.1", nil)},
		{does: "a tree with inline content keeps the rest", source: trees, call: "POST {R}/git/trees", body: row(`{"path":"Dockerfile","mode":"100644","type":"blob","content":"FROM x\n"}`), status: 201, also: is("tree.0.path", "Dockerfile", "tree.1.path", "bin")},
		{does: "a null sha deletes", source: trees, call: "POST {R}/git/trees", body: row(`{"path":"bin/run.sh","mode":"100755","type":"blob","sha":null}`), status: 201, also: is("tree.1.path", "docs")},
		{does: "deleting what is not there", source: "github.com/google/go-github/issues/2418", call: "POST {R}/git/trees", body: row(`{"path":"none","mode":"100644","type":"blob","sha":null}`), status: 422, says: "GitRPC::BadObjectState"},
		{does: "a tree needs a list", source: trees, call: "POST {R}/git/trees", body: `{}`, status: 422, says: `"tree\" wasn't supplied`},
		{does: "a tree needs entries", source: trees, call: "POST {R}/git/trees", body: `{"tree":[]}`, status: 422, says: "Invalid tree info"},
		{does: "the base tree must exist", source: trees, call: "POST {R}/git/trees", body: `{"base_tree":"{none}","tree":[{"path":"a","mode":"100644","content":"x"}]}`, status: 422, says: "base_tree is not a valid tree oid"},
		{does: "an entry's object must exist", source: trees, call: "POST {R}/git/trees", body: row(`{"path":"a","mode":"100644","type":"blob","sha":"{none}"}`), status: 422, says: "is not a valid blob"},
		{does: "a mode must be one of git's", source: trees, call: "POST {R}/git/trees", body: row(`{"path":"a","mode":"100600","type":"blob","content":"x"}`), status: 422, says: "Must supply a valid tree.mode"},
		{does: "sha or content, not both", source: trees, call: "POST {R}/git/trees", body: row(`{"path":"a","mode":"100644","type":"blob","content":"x","sha":"{main}"}`), status: 422, says: "not both"},
		{does: "a path may not start with a slash", source: trees, call: "POST {R}/git/trees", body: row(`{"path":"/a","mode":"100644","type":"blob","content":"x"}`), status: 422, says: "cannot start with a slash"},
		{does: "a path may not leave the tree", source: trees, call: "POST {R}/git/trees", body: row(`{"path":"../a","mode":"100644","type":"blob","content":"x"}`), status: 422, says: "malformed path component"},
		{does: "a path may not name .git", source: trees, call: "POST {R}/git/trees", body: row(`{"path":"x/.GIT/config","mode":"100644","type":"blob","content":"x"}`), status: 422, says: "malformed path component"},
		{does: "a blob comes as base64", source: blobs, call: "GET {R}/git/trees/main", status: 200, also: func(t *testing.T, w *world, a answer) {
			sha := a.str("tree.0.sha")
			b := w.ok(t, "bot", "GET {R}/git/blobs/"+sha, "")
			is("encoding", "base64", "content", "RlJPTSBub2RlOjIzCkNNRCBbIm5vZGUiLCAiaW5kZXguanMiXQo=\n", "size", 38)(t, w, b)
			if raw := w.call(t, "bot", "GET {R}/git/blobs/"+sha, "", "Accept", "application/vnd.github.raw+json"); !strings.HasPrefix(raw.Body, "FROM node:23\n") {
				t.Errorf("raw: %q", raw.Body)
			}
		}},
		{does: "a blob that is not there", source: blobs, call: "GET {R}/git/blobs/{none}", status: 404, says: "Not Found"},
		{does: "a blob needs a whole sha", source: blobs, call: "GET {R}/git/blobs/abc", status: 422, says: "must be exactly 40 characters"},
		{does: "a blob from base64", source: blobs, call: "POST {R}/git/blobs", body: `{"content":"/w==","encoding":"base64"}`, status: 201, also: is("sha", "ce542efaa5124a0437f0c4db329d7ec4b7ba70a7")},
		{does: "broken base64", source: blobs, call: "POST {R}/git/blobs", body: `{"content":"%%%","encoding":"base64"}`, status: 422, says: "content is not valid Base64"},
		{does: "a blob needs content", source: blobs, call: "POST {R}/git/blobs", body: `{}`, status: 422, says: `"content\" wasn't supplied`},
		{does: "the App's own commit is verified", source: "authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots", call: "POST {R}/git/trees", body: row(`{"path":"a","mode":"100644","type":"blob","content":"x"}`), status: 201, also: withTree(`{"message":"m",` + tree + `,"parents":["{main}"]}`)},
		{does: "a commit with an author is not", source: "authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots", call: "POST {R}/git/trees", body: row(`{"path":"a","mode":"100644","type":"blob","content":"x"}`), status: 201, also: withTree(`{"message":"m",` + tree + `,"parents":["{main}"],"author":{"name":"a","email":"a@b"}}`)},
		{does: "a commit's tree must exist", source: commits, call: "POST {R}/git/commits", body: `{"message":"m","tree":"{none}"}`, status: 422, says: "Tree SHA does not exist"},
		{does: "a commit's parent must exist", source: commits, call: "POST {R}/git/commits", body: `{"message":"m","tree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904","parents":["{none}"]}`, status: 422, says: "Parent SHA does not exist or is not a commit object"},
		{does: "a commit needs a message", source: commits, call: "POST {R}/git/commits", body: `{"tree":"{none}"}`, status: 422, says: `"message\" wasn't supplied`},
		{does: "a commit object", source: "rest/git/commits#get-a-commit-object", call: "GET {R}/git/commits/{main}", status: 200, also: is("message", "Initial commit", "verification.verified", false, "verification.reason", "unsigned")},
		{does: "a commit object that is not there", source: "rest/git/commits#get-a-commit-object", call: "GET {R}/git/commits/{none}", status: 404, says: "Not Found"},
		{does: "a commit with its files", source: "rest/commits/commits#get-a-commit", given: func(t *testing.T, w *world) { w.feature(t) }, call: "GET {R}/commits/feature", status: 200, also: is("files.0.filename", "new.txt", "files.0.status", "added", "stats.total", 1, "author.login", "alice")},
		{does: "a commit that is not there", source: "rest/commits/commits#get-a-commit", call: "GET {R}/commits/none", status: 422, says: "No commit found for SHA: none"},
		{does: "a commit's sha alone", source: "rest/commits/commits#get-a-commit", call: "GET {R}/commits/main", header: []string{"Accept", "application/vnd.github.sha"}, status: 200, also: func(t *testing.T, w *world, a answer) {
			if a.Body != w.repo.Branch("main") {
				t.Errorf("%q", a.Body)
			}
		}},
		{does: "commits of a path", source: "rest/commits/commits#list-commits", given: func(t *testing.T, w *world) { w.feature(t) }, call: "GET {R}/commits?sha=feature&path=new.txt", status: 200, also: is("0.commit.message", "Add a file", "1", nil)},
		{does: "compare", source: "rest/commits/commits#compare-two-commits", given: func(t *testing.T, w *world) { w.feature(t) }, call: "GET {R}/compare/main...feature", status: 200, also: is("status", "ahead", "ahead_by", 1, "behind_by", 0, "files.0.filename", "new.txt")},
		{does: "compare the other way", source: "rest/commits/commits#compare-two-commits", given: func(t *testing.T, w *world) { w.feature(t) }, call: "GET {R}/compare/feature...main", status: 200, also: is("status", "behind", "ahead_by", 0)},
		{does: "compare with what is not there", source: "rest/commits/commits#compare-two-commits", call: "GET {R}/compare/main...none", status: 404, says: "Not Found"},
		{does: "an annotated tag", source: "rest/git/tags#create-a-tag-object", call: "POST {R}/git/tags", body: `{"tag":"v1","message":"one","object":"{main}","type":"commit"}`, status: 201, also: func(t *testing.T, w *world, a answer) {
			w.ok(t, "bot", "GET {R}/git/tags/"+a.str("sha"), "")
			w.ok(t, "bot", "POST {R}/git/refs", `{"ref":"refs/tags/v1","sha":"`+a.str("sha")+`"}`)
			is("object.type", "tag")(t, w, w.ok(t, "bot", "GET {R}/git/ref/tags/v1", ""))
			is("sha", w.repo.Branch("main"))(t, w, w.ok(t, "bot", "GET {R}/commits/v1", ""))
		}},
	}
}

func refBehaviours() []behaviour {
	const create, update, remove = "rest/git/refs#create-a-reference", "rest/git/refs#update-a-reference", "rest/git/refs#delete-a-reference"
	feature := func(t *testing.T, w *world) { w.feature(t) }
	rule := func(kind string) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			w.feature(t)
			w.repo.AddRule("*", standin.Rule{Type: kind, Parameters: map[string]any{"restricted_file_paths": []string{"new.txt"}}})
		}
	}
	const rules = "repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/available-rules-for-rulesets"
	return []behaviour{
		{does: "a reference", source: "rest/git/refs#get-a-reference", call: "GET {R}/git/ref/heads/main", status: 200, also: is("ref", "refs/heads/main", "object.type", "commit")},
		{does: "no such reference", source: "rest/git/refs#get-a-reference", call: "GET {R}/git/ref/heads/mai", status: 404, says: "Not Found"},
		{does: "references by prefix", source: "rest/git/refs#list-matching-references", given: feature, call: "GET {R}/git/matching-refs/heads/f", status: 200, also: is("0.ref", "refs/heads/feature", "1", nil)},
		{does: "a new branch", source: create, call: "POST {R}/git/refs", body: `{"ref":"refs/heads/a/b","sha":"{main}"}`, status: 201, also: is("ref", "refs/heads/a/b")},
		{does: "a branch that is there", source: create, call: "POST {R}/git/refs", body: `{"ref":"refs/heads/main","sha":"{main}"}`, status: 422, says: "Reference already exists"},
		{does: "a sha that is not there", source: create, call: "POST {R}/git/refs", body: `{"ref":"refs/heads/x","sha":"{none}"}`, status: 422, says: "Object does not exist"},
		{does: "a name without refs/", source: create, call: "POST {R}/git/refs", body: `{"ref":"heads/x","sha":"{main}"}`, status: 422, says: "Reference name must start with 'refs/' and contain at least two slashes."},
		{does: "a name git refuses", source: create, call: "POST {R}/git/refs", body: `{"ref":"refs/heads/a..b","sha":"{main}"}`, status: 422, says: "is not a valid ref name"},
		{does: "a directory of another branch", source: "github.com/microsoft/vscode-remote-repositories-github/issues/122", call: "POST {R}/git/refs", body: `{"ref":"refs/heads/main/x","sha":"{main}"}`, status: 422, says: "Reference update failed"},
		{does: "a fast forward", source: update, given: feature, call: "PATCH {R}/git/refs/heads/main", body: `{"sha":"{feature}"}`, status: 200},
		{does: "no fast forward", source: update, given: feature, call: "PATCH {R}/git/refs/heads/feature", body: `{"sha":"{main}"}`, status: 422, says: "Update is not a fast forward"},
		{does: "no fast forward by force", source: update, given: feature, call: "PATCH {R}/git/refs/heads/feature", body: `{"sha":"{main}","force":true}`, status: 200},
		{does: "updating to what is not there", source: update, call: "PATCH {R}/git/refs/heads/main", body: `{"sha":"{none}"}`, status: 422, says: "Object does not exist"},
		{does: "updating a branch that is not there", source: update, call: "PATCH {R}/git/refs/heads/none", body: `{"sha":"{main}"}`, status: 422, says: "Reference does not exist"},
		{does: "updating needs a sha", source: update, call: "PATCH {R}/git/refs/heads/main", body: `{}`, status: 422, says: `"sha\" wasn't supplied`},
		{does: "deleting a branch", source: remove, given: feature, call: "DELETE {R}/git/refs/heads/feature", status: 204},
		{does: "deleting a branch that is not there", source: remove, call: "DELETE {R}/git/refs/heads/none", status: 422, says: "Reference does not exist"},
		{does: "a spurious refusal", source: "github.com/rust-lang/homu/issues/75", given: func(t *testing.T, w *world) {
			w.feature(t)
			must(t, w.AddFault(standin.Fault{Kind: standin.FaultNotFastForward}))
		}, call: "PATCH {R}/git/refs/heads/main", body: `{"sha":"{feature}"}`, status: 422, says: "Update is not a fast forward"},
		{does: "a ruleset against new branches", source: rules, given: rule("creation"), call: "POST {R}/git/refs", body: `{"ref":"refs/heads/x","sha":"{main}"}`, status: 422, says: "Cannot create ref due to creations being restricted."},
		{does: "a ruleset against updates", source: rules, given: rule("update"), call: "PATCH {R}/git/refs/heads/main", body: `{"sha":"{feature}"}`, status: 422, says: "Cannot update this protected ref."},
		{does: "a ruleset against deletion", source: rules, given: rule("deletion"), call: "DELETE {R}/git/refs/heads/feature", status: 422, says: "Cannot delete this protected ref."},
		{does: "a ruleset against force pushes", source: rules, given: rule("non_fast_forward"), call: "PATCH {R}/git/refs/heads/feature", body: `{"sha":"{main}","force":true}`, status: 422, says: "Cannot force-push to this branch"},
		{does: "a ruleset for pull requests", source: rules, given: rule("pull_request"), call: "PATCH {R}/git/refs/heads/main", body: `{"sha":"{feature}"}`, status: 422, says: "Changes must be made through a pull request."},
		{does: "a ruleset for signatures", source: rules, given: rule("required_signatures"), call: "PATCH {R}/git/refs/heads/main", body: `{"sha":"{feature}"}`, status: 422, says: "Commits must have verified signatures."},
		{does: "a ruleset on paths", source: rules, given: rule("file_path_restriction"), call: "PATCH {R}/git/refs/heads/main", body: `{"sha":"{feature}"}`, status: 422, says: "File path new.txt is restricted."},
		{does: "workflows need their permission", source: "rest/git/refs", given: func(t *testing.T, w *world) {
			_, err := w.repo.Push("alice", "feature", "ci", standin.Text(map[string]string{".github/workflows/ci.yml": "on: push\n"}))
			must(t, err)
		}, call: "PATCH {R}/git/refs/heads/main", body: `{"sha":"{feature}"}`, status: 403, says: "Resource not accessible by integration"},
	}
}

func contentBehaviours() []behaviour {
	const get, put = "rest/repos/contents#get-repository-content", "rest/repos/contents#create-or-update-file-contents"
	const content = `"content":"eAo="`
	return []behaviour{
		{does: "a file", source: get, call: "GET {R}/contents/Dockerfile", status: 200, also: is("type", "file", "encoding", "base64", "path", "Dockerfile", "size", 38)},
		{does: "a file raw", source: get, call: "GET {R}/contents/docs/a/b.md", header: []string{"Accept", "application/vnd.github.raw"}, status: 200, says: "text\n"},
		{does: "a directory", source: get, call: "GET {R}/contents/docs", status: 200, also: is("0.type", "dir", "0.path", "docs/a")},
		{does: "the root", source: get, call: "GET {R}/contents", status: 200, also: is("0.name", "Dockerfile", "3.type", "symlink")},
		{does: "a symbolic link", source: get, call: "GET {R}/contents/link", status: 200, also: is("type", "symlink", "target", "Dockerfile")},
		{does: "a path that is not there", source: get, call: "GET {R}/contents/none", status: 404, says: "Not Found"},
		{does: "a reference that is not there", source: get, call: "GET {R}/contents/Dockerfile?ref=none", status: 404, says: "No commit found for the ref none"},
		{does: "an empty repository", source: get, given: func(t *testing.T, w *world) {
			_, err := w.AddRepository("acme", "empty", nil)
			must(t, err)
		}, call: "GET /repos/acme/empty/contents/a", status: 404, says: "This repository is empty."},
		{does: "a new file", source: put, call: "PUT {R}/contents/a/new", body: `{"message":"m",` + content + `}`, status: 201, also: is("content.path", "a/new", "commit.message", "m")},
		{does: "a new file in an empty repository", source: put, given: func(t *testing.T, w *world) {
			_, err := w.AddRepository("acme", "empty", nil)
			must(t, err)
		}, call: "PUT /repos/acme/empty/contents/a", body: `{"message":"m",` + content + `}`, status: 201},
		{does: "changing a file needs its sha", source: put, call: "PUT {R}/contents/Dockerfile", body: `{"message":"m",` + content + `}`, status: 422, says: `"sha\" wasn't supplied`},
		{does: "changing a file that has changed", source: put, call: "PUT {R}/contents/Dockerfile", body: `{"message":"m",` + content + `,"sha":"{none}"}`, status: 409, says: "Dockerfile does not match"},
		{does: "changing a file keeps its mode", source: put, call: "GET {R}/contents/bin/run.sh", status: 200, also: func(t *testing.T, w *world, a answer) {
			w.ok(t, "bot", "PUT {R}/contents/bin/run.sh", fmt.Sprintf(`{"message":"m",%s,"sha":%q}`, content, a.str("sha")))
			files, err := w.repo.ReadFiles("main")
			must(t, err)
			if f := files["bin/run.sh"]; f.Mode != "100755" || f.Content != "x\n" {
				t.Errorf("%+v", f)
			}
			w.ok(t, "bot", "DELETE {R}/contents/docs/a/b.md", fmt.Sprintf(`{"message":"gone","sha":%q}`, w.ok(t, "bot", "GET {R}/contents/docs/a/b.md", "").str("sha")))
		}},
		{does: "no such branch to write to", source: put, call: "PUT {R}/contents/a", body: `{"message":"m","branch":"none",` + content + `}`, status: 404, says: "Branch none not found"},
		{does: "the readme", source: "rest/repos/contents#get-a-repository-readme", given: func(t *testing.T, w *world) {
			_, err := w.repo.Push("alice", "main", "doc", standin.Text(map[string]string{"README.md": "# Shop\n"}))
			must(t, err)
		}, call: "GET {R}/readme", status: 200, also: is("name", "README.md")},
	}
}

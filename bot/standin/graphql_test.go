package standin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"dhibot/bot/standin"
)

func (w *world) graphql(t testing.TB, who, query string, vars map[string]any) answer {
	t.Helper()
	b, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		t.Fatal(err)
	}
	return send(t, w.as(t, who), "POST", w.URL()+"/api/graphql", string(b))
}

// TestGraphQLBatch reads many repositories in one request, as a reconcile does.
func TestGraphQLBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second, err := w.AddRepository("acme", "second", standin.Text(map[string]string{".github/dhi.yml": "mode: plan\n"}), standin.Private())
	if err != nil {
		t.Fatal(err)
	}
	empty, err := w.AddRepository("acme", "empty", nil)
	if err != nil {
		t.Fatal(err)
	}
	w.AddUser("elsewhere")
	foreign, err := w.AddRepository("elsewhere", "secret", standin.Text(map[string]string{"a": "b"}), standin.Private())
	if err != nil {
		t.Fatal(err)
	}
	number := w.pull(t)
	ids := []string{}
	for _, r := range []*standin.Repository{w.repo, second, empty, foreign} {
		a := w.call(t, "app", fmt.Sprintf("GET /repositories/%d", r.ID()), "")
		_ = a
		u := send(t, w.as(t, "bot"), "GET", fmt.Sprintf("%s/repositories/%d", w.URL(), r.ID()), "")
		if id := u.str("node_id"); id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) != 3 {
		t.Fatalf("visible repositories: %v", ids)
	}
	ids = append(ids, "R_nonsense")
	const query = `query($ids: [ID!]!, $head: String!) {
		nodes(ids: $ids) { __typename ...repo }
		rateLimit { cost remaining }
	}
	fragment repo on Repository {
		databaseId nameWithOwner isArchived isEmpty
		defaultBranchRef { name target { oid ... on Commit { tree { oid } } } }
		config: object(expression: "HEAD:.github/dhi.yml") { ... on Blob { text isBinary isTruncated oid } }
		docker: object(expression: "HEAD:Dockerfile") { oid ... on Blob { text byteSize } }
		branch: ref(qualifiedName: "refs/heads/dhi/migrate") { target { oid } }
		pullRequests(headRefName: $head, first: 10, states: [OPEN, CLOSED, MERGED], orderBy: {field: CREATED_AT, direction: DESC}) {
			totalCount pageInfo { hasNextPage endCursor }
			nodes { number state headRefOid body isInMergeQueue mergeable author { login __typename ... on Bot { databaseId } } headRepository { nameWithOwner } }
		}
	}`
	a := w.graphql(t, "bot", query, map[string]any{"ids": ids, "head": "feature"})
	if a.Status != 200 || a.len("data.nodes") != 4 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	for path, want := range map[string]any{
		"data.nodes.0.nameWithOwner": "acme/shop", "data.nodes.0.__typename": "Repository", "data.nodes.0.isEmpty": false,
		"data.nodes.0.defaultBranchRef.target.oid": w.repo.Branch("main"),
		"data.nodes.0.docker.text":                 "FROM node:23\nCMD [\"node\", \"index.js\"]\n",
		"data.nodes.0.branch":                      nil, "data.nodes.0.config": nil,
		"data.nodes.0.pullRequests.nodes.0.number":                       float64(number),
		"data.nodes.0.pullRequests.nodes.0.mergeable":                    "MERGEABLE",
		"data.nodes.0.pullRequests.nodes.0.author.login":                 "dhibot",
		"data.nodes.0.pullRequests.nodes.0.author.__typename":            "Bot",
		"data.nodes.0.pullRequests.nodes.0.headRefOid":                   w.repo.Branch("feature"),
		"data.nodes.0.pullRequests.nodes.0.headRepository.nameWithOwner": "acme/shop",
		"data.nodes.1.config.text":                                       "mode: plan\n", "data.nodes.1.pullRequests.totalCount": float64(0),
		"data.nodes.2.isEmpty": true, "data.nodes.2.defaultBranchRef": nil, "data.nodes.3": nil,
		"errors.0.type": "NOT_FOUND", "errors.0.path.1": float64(3), "data.rateLimit.cost": float64(1),
	} {
		if got := a.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if a.Header.Get("X-RateLimit-Resource") != "graphql" {
		t.Errorf("resource %q", a.Header.Get("X-RateLimit-Resource"))
	}
	if t.Failed() {
		t.Log(a.Body)
	}
}

func TestGraphQLErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct{ who, query, want string }{
		"unknown field":          {"bot", `{ repository(owner:"acme", name:"shop") { nonsense } }`, `"message":"Field 'nonsense' doesn't exist on type 'Repository'"`},
		"unknown argument":       {"bot", `{ repository(owner:"acme", name:"shop", x:1) { id } }`, `Field 'repository' doesn't accept argument 'x'`},
		"unknown repository":     {"bot", `{ repository(owner:"acme", name:"none") { id } }`, `Could not resolve to a Repository with the name 'acme/none'.`},
		"no syntax":              {"bot", `{ repository(`, `Parse error on end of file`},
		"no selection":           {"bot", `{ repository(owner:"acme", name:"shop") }`, `Field must have selections`},
		"selection on scalar":    {"bot", `{ viewer { login { x } } }`, `Selections can't be made on scalars`},
		"page size missing":      {"bot", `{ repository(owner:"acme", name:"shop") { pullRequests { totalCount } } }`, `MISSING_PAGINATION_BOUNDARIES`},
		"page too large":         {"bot", `{ repository(owner:"acme", name:"shop") { pullRequests(first: 101) { totalCount } } }`, `EXCESSIVE_PAGINATION`},
		"mutation":               {"bot", `mutation { createRef(input: {}) { ref { name } } }`, `Schema is not configured for mutations`},
		"undeclared variable":    {"bot", `{ node(id: $x) { id } }`, `Variable $x is used`},
		"missing variable":       {"bot", `query($id: ID!) { node(id: $id) { id } }`, `was provided invalid value`},
		"unknown fragment":       {"bot", `{ viewer { ...f } }`, `Fragment f was used, but not defined`},
		"fragment on wrong type": {"bot", `{ repository(owner:"acme", name:"shop") { ... on Bot { login } } }`, `can't be spread inside Repository`},
		"no permission":          {"bot/issues:read", `{ repository(owner:"acme", name:"shop") { pullRequests(first:1) { totalCount } } }`, `FORBIDDEN`},
		"empty":                  {"bot", ``, `A query attribute must be specified`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := w.graphql(t, c.who, c.query, nil)
			if a.Status != 200 || !strings.Contains(a.Body, c.want) {
				t.Errorf("%d %s, want %s", a.Status, a.Body, c.want)
			}
		})
	}
	if a := w.graphql(t, "nobody", "{ viewer { login } }", nil); a.Status != 401 {
		t.Errorf("without credentials: %d", a.Status)
	}
	if a := w.graphql(t, "alice", "{ viewer { login __typename } }", nil); a.str("data.viewer.login") != "alice" {
		t.Errorf("viewer: %s", a.Body)
	}
}

// TestMergeQueue: a push to the head takes a pull request out of the queue.
func TestMergeQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull(t)
	queued := func() any {
		a := w.graphql(t, "bot", `query($n: Int!) { repository(owner:"acme", name:"shop") { pullRequest(number: $n) { isInMergeQueue isCrossRepository } } }`, map[string]any{"n": n})
		return a.at("data.repository.pullRequest.isInMergeQueue")
	}
	if queued() != false {
		t.Error("queued from the start")
	}
	must(t, w.repo.SetQueued(n, true))
	if queued() != true {
		t.Error("not queued")
	}
	_, err := w.repo.ForcePush("alice", "feature", "again", standin.Text(map[string]string{"x": "y"}))
	must(t, err)
	if queued() != false {
		t.Error("still queued after a push")
	}
	if w.repo.SetQueued(99, true) == nil {
		t.Error("a pull request that is not there is queued")
	}
}

// TestGraphQLPages goes through a connection by its cursors.
func TestGraphQLPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		w.repo.OpenIssue("alice", "x", "")
	}
	var numbers []float64
	var after any
	for range 4 {
		a := w.graphql(t, "bot", `query($after: String) { repository(owner:"acme", name:"shop") { issues(first: 2, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { number } } } } }`, map[string]any{"after": after})
		const at = "data.repository.issues."
		for i := range a.len(at + "edges") {
			n, _ := a.at(fmt.Sprintf("%sedges.%d.node.number", at, i)).(float64)
			numbers = append(numbers, n)
		}
		if a.at(at+"totalCount") != 5.0 {
			t.Fatal(a.Body)
		}
		if a.at(at+"pageInfo.hasNextPage") != true {
			break
		}
		after = a.at(at + "pageInfo.endCursor")
	}
	if got := fmt.Sprint(numbers); got != "[1 2 3 4 5]" {
		t.Errorf("%s", got)
	}
	last := w.graphql(t, "bot", `{ repository(owner:"acme", name:"shop") { issues(last: 2) { nodes { number author { login } } } defaultBranchRef { target { ... on Commit { message signature { isValid } author { name user { login } } history(first: 1) { totalCount } tree { entries { name type mode oid object { __typename ... on Tree { entries { path } } } } } } } } } }`, nil)
	for path, want := range map[string]any{
		"data.repository.issues.nodes.0.number": 4.0, "data.repository.defaultBranchRef.target.history.totalCount": 1.0, "data.repository.defaultBranchRef.target.signature": nil,
		"data.repository.defaultBranchRef.target.tree.entries.0.mode": 33188.0, "data.repository.defaultBranchRef.target.tree.entries.1.object.entries.0.path": "run.sh",
	} {
		if got := last.at(path); got != want {
			t.Errorf("%s is %v, want %v\n%s", path, got, want, last.Body)
		}
	}
}

package githubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// treeAPI serves trees whose recursive form is cut when it has more than most entries.
func treeAPI(t *testing.T, most int) *api {
	a := newAPI(t)
	type item struct{ path, typ, sha string }
	trees := map[string][]item{
		"main":                  {{"Dockerfile", "blob", shaA}, {"big", "tree", strings.Repeat("1", 40)}, {"small", "tree", strings.Repeat("2", 40)}, {"mod", "commit", shaD}},
		strings.Repeat("1", 40): {{"a", "tree", strings.Repeat("3", 40)}, {"b", "tree", strings.Repeat("4", 40)}},
		strings.Repeat("2", 40): {{"Dockerfile", "blob", shaA}},
		strings.Repeat("3", 40): {{"Dockerfile", "blob", shaA}, {"x", "blob", shaB}},
		strings.Repeat("4", 40): {{"Dockerfile", "blob", shaA}, {"y", "blob", shaB}},
	}
	trees[strings.Repeat("0", 40)] = trees["main"]
	var flat func(sha, prefix string, recursive bool) []string
	flat = func(sha, prefix string, recursive bool) (out []string) {
		for _, i := range trees[sha] {
			out = append(out, fmt.Sprintf(`{"path":%q,"type":%q,"sha":%q,"mode":"100644","size":3,"url":"u"}`, prefix+i.path, i.typ, i.sha))
			if recursive && i.typ == "tree" {
				out = append(out, flat(i.sha, prefix+i.path+"/", true)...)
			}
		}
		return out
	}
	a.handle("GET /repos/acme/shop/git/trees/{sha}", func(w http.ResponseWriter, r *http.Request) {
		sha := r.PathValue("sha")
		all := flat(sha, "", r.URL.Query().Get("recursive") == "1")
		truncated := len(all) > most
		if truncated {
			all = all[:most]
		}
		if sha == "main" {
			sha = strings.Repeat("0", 40)
		}
		reply(w, 200, fmt.Sprintf(`{"sha":%q,"truncated":%t,"tree":[%s]}`, sha, truncated, strings.Join(all, ",")))
	})
	return a
}

// TestTree: one call when GitHub gives it all; the same answer by more calls
// when it cuts; and what a small budget did not reach is named.
func TestTree(t *testing.T) {
	t.Parallel()
	want := []string{"Dockerfile", "big", "big/a", "big/a/Dockerfile", "big/a/x", "big/b", "big/b/Dockerfile", "big/b/y", "mod", "small", "small/Dockerfile"}
	for _, c := range []struct {
		most, budget, calls int
		unread              []string
	}{
		{100, 0, 1, nil},
		{5, 0, 7, nil}, // root twice, big cut, big listed, its two, small
		{5, 3, 3, []string{"big", "small"}},
		{5, 1, 1, []string{""}},
		{3, 0, 7, []string{""}}, // the root alone has four
	} {
		a := treeAPI(t, c.most)
		client := a.client(func(s *Settings) { s.Limits = Limits{TreeCalls: c.budget} })
		tree, err := client.Tree(context.Background(), testRepo, "main")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range tree.Entries {
			got = append(got, e.Path)
		}
		if c.unread == nil {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("cut at %d: %s", c.most, diff)
			}
		}
		if calls := len(a.requests()); calls != c.calls && c.most != 3 {
			t.Errorf("cut at %d with %d calls: %d calls", c.most, c.budget, calls)
		}
		if diff := cmp.Diff(c.unread, tree.Unread); diff != "" || tree.Incomplete() != (c.unread != nil) {
			t.Errorf("cut at %d with %d calls: %s", c.most, c.budget, diff)
		}
		if tree.SHA != strings.Repeat("0", 40) || !slices.IsSorted(got) {
			t.Errorf("%s %v", tree.SHA, got)
		}
		if c.budget == 0 && c.most != 3 {
			if e, ok := tree.Find("big/b/y"); !ok || e.SHA != shaB || e.Size != 3 {
				t.Errorf("%+v, %v", e, ok)
			}
		}
	}
	a := newAPI(t)
	a.answer("GET /repos/acme/shop/git/trees/main", 409, `{"message":"Git Repository is empty."}`)
	if _, err := a.client().Tree(context.Background(), testRepo, "main"); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
}

func gitID(content string) string {
	for _, known := range []struct{ content, sha string }{
		{"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"}, {"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"},
	} {
		if known.content == content {
			return known.sha
		}
	}
	panic(content)
}

// TestBlob: the content is checked against its id.
func TestBlob(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer("GET /repos/acme/shop/git/blobs/"+gitID("hello\n"), 200, "hello\n", "Content-Type", "application/vnd.github.raw; charset=utf-8")
	a.answer("GET /repos/acme/shop/git/blobs/"+shaA, 200, "hello\n", "Content-Type", "application/vnd.github.raw; charset=utf-8")
	c := a.client()
	if got, err := c.Blob(context.Background(), testRepo, gitID("hello\n")); err != nil || string(got) != "hello\n" {
		t.Errorf("%q, %v", got, err)
	}
	if accept := a.requests()[0].Header.Get("Accept"); !strings.Contains(accept, "raw") {
		t.Errorf("asked for %s", accept)
	}
	if got, err := c.Blob(context.Background(), testRepo, shaA); err == nil {
		t.Errorf("another content was accepted: %q", got)
	}
}

// TestBlobs: a hundred a query; what the query cannot give exactly is read one
// by one; too large ones are left out.
func TestBlobs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var shas []string
	for i := range 130 {
		shas = append(shas, fmt.Sprintf("%040x", i+1)) // ids that match no content: all fall back
	}
	shas = append(shas, gitID("hello\n"), gitID(""), gitID("hello\n"))
	queries := 0
	a.handle("POST /api/graphql", func(w http.ResponseWriter, r *http.Request) {
		queries++
		var fields []string
		body := a.last().Body
		query := asJSON(t, body)["query"].(string)
		for i, part := range strings.Split(query, "object(oid:")[1:] {
			switch sha := part[1:41]; sha {
			case gitID("hello\n"):
				fields = append(fields, fmt.Sprintf(`"b%d":{"text":"hello\n","isTruncated":false}`, i))
			case gitID(""):
				fields = append(fields, fmt.Sprintf(`"b%d":{"text":"","isTruncated":false}`, i))
			case shas[0]:
				fields = append(fields, fmt.Sprintf(`"b%d":null`, i))
			case shas[1]:
				fields = append(fields, fmt.Sprintf(`"b%d":{"text":null,"isTruncated":true}`, i))
			default:
				fields = append(fields, fmt.Sprintf(`"b%d":{"text":"changed on the way","isTruncated":false}`, i))
			}
		}
		reply(w, 200, `{"data":{"repository":{`+strings.Join(fields, ",")+`}}}`)
	})
	rest := 0
	a.handle("GET /repos/acme/shop/git/blobs/{sha}", func(w http.ResponseWriter, r *http.Request) {
		rest++
		reply(w, 200, strings.Repeat("x", 100), "Content-Type", "application/vnd.github.raw")
	})
	c := a.client(func(s *Settings) { s.Limits = Limits{BlobBytes: 50} })
	got, err := c.Blobs(context.Background(), testRepo, shas)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]byte{gitID("hello\n"): []byte("hello\n"), gitID(""): {}}, got); diff != "" {
		t.Error(diff)
	}
	if queries != 2 || rest != 130 {
		t.Errorf("%d queries, %d single reads", queries, rest)
	}
}

func (a *api) last() request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen[len(a.seen)-1]
}

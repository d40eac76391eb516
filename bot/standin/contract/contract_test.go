package contract_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"dhibot/bot/standin/contract"
)

// TestFindings shows that the checks can fail.
func TestFindings(t *testing.T) {
	t.Parallel()
	spec, err := contract.Shared()
	if err != nil {
		t.Fatal(err)
	}
	const reaction = `{"id":1,"node_id":"x","user":null,"content":"eyes","created_at":"2026-01-02T03:04:05Z"}`
	good := contract.Call{
		Method: "POST", Path: "/repos/acme/shop/issues/comments/7/reactions", RequestBody: []byte(`{"content":"eyes"}`), Status: 201,
		Response: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, ResponseBody: []byte(reaction),
	}
	if err := spec.CheckCall(good); err != nil {
		t.Fatalf("a good call: %v", err)
	}
	for _, content := range []string{"FROM a\n", ""} {
		raw := contract.Call{Method: "GET", Path: "/repos/acme/shop/git/blobs/" + strings.Repeat("a", 40), Status: 200,
			Response: http.Header{"Content-Type": {"application/vnd.github.raw; charset=utf-8"}}, ResponseBody: []byte(content)}
		if err := spec.CheckCall(raw); err != nil {
			t.Errorf("a file of %d bytes, as it is: %v", len(content), err)
		}
	}
	for name, c := range map[string]struct {
		change func(*contract.Call)
		want   string
	}{
		"a key is missing":       {func(c *contract.Call) { c.ResponseBody = []byte(strings.Replace(reaction, `"id":1,`, "", 1)) }, `property "id" is missing`},
		"a value of its own":     {func(c *contract.Call) { c.ResponseBody = []byte(strings.Replace(reaction, "eyes", "tada", 1)) }, "not one of the allowed values"},
		"a time that is none":    {func(c *contract.Call) { c.ResponseBody = []byte(strings.Replace(reaction, "T03", " 03", 1)) }, "created_at"},
		"an unknown status":      {func(c *contract.Call) { c.Status = 202 }, "status is not supported"},
		"no JSON":                {func(c *contract.Call) { c.ResponseBody = []byte("x") }, "POST"},
		"another media type":     {func(c *contract.Call) { c.Response = http.Header{"Content-Type": {"text/plain"}} }, "media type text/plain"},
		"a bad request accepted": {func(c *contract.Call) { c.RequestBody = []byte(`{"content":"tada"}`) }, "not one of the allowed values"},
		"a request without body": {func(c *contract.Call) { c.RequestBody = []byte(`{}`) }, `property "content" is missing`},
		"a parameter's type":     {func(c *contract.Call) { c.Path = "/repos/acme/shop/issues/comments/x/reactions" }, "comment_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := good
			c.change(&bad)
			if err := spec.CheckCall(bad); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if err := spec.CheckCall(contract.Call{Method: "GET", Path: "/repos/a/b/nonsense", Status: 200}); !errors.Is(err, contract.ErrUndocumented) {
		t.Errorf("an unknown operation: %v", err)
	}
	if err := spec.CheckWebhook("issue_comment", []byte(`{"action":"created"}`)); err == nil || !strings.Contains(err.Error(), `property "comment" is missing`) {
		t.Errorf("an empty webhook: %v", err)
	}
	if err := spec.CheckWebhook("issue_comment", []byte(`{"action":"sneezed"}`)); !errors.Is(err, contract.ErrUndocumented) {
		t.Errorf("an unknown webhook: %v", err)
	}
	if err := spec.CheckWebhook("push", []byte(`{`)); err == nil {
		t.Error("a webhook that is no JSON passes")
	}
}

// TestPaths: names of branches and files span slashes.
func TestPaths(t *testing.T) {
	t.Parallel()
	spec, err := contract.Shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/repos/a/b/git/ref/heads/dhi/migrate", "/repos/a/b/contents/x/y/z.md", "/repos/a/b/compare/main...dhi/migrate", "/repos/a/b/branches/dhi/migrate"} {
		err := spec.CheckCall(contract.Call{Method: "GET", Path: path, Status: 404, Response: http.Header{"Content-Type": {"application/json"}}, ResponseBody: []byte(`{"message":"Not Found"}`)})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

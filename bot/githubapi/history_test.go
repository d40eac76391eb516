package githubapi

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommitsTouching(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	for name, c := range map[string]struct {
		status int
		body   string
		want   []string
		failed bool
	}{
		"two":               {200, `[{"sha":"` + a + `"},{"sha":"` + b + `"}]`, []string{a, b}, false},
		"more than asked":   {200, `[{"sha":"` + a + `"},{"sha":"` + b + `"},{"sha":"` + a + `"}]`, []string{a, b}, false},
		"none":              {200, `[]`, nil, false},
		"empty repository":  {409, `{"message":"Git Repository is empty."}`, nil, false},
		"no such branch":    {404, `{"message":"Not Found"}`, nil, true},
		"not an object id":  {200, `[{"sha":"../x"}]`, nil, true},
		"not what is asked": {200, `{}`, nil, true},
	} {
		api := newAPI(t)
		api.answer("GET /repos/acme/shop/commits", c.status, c.body)
		got, err := api.client().CommitsTouching(context.Background(), testRepo, "main", ".github/dhi.yml", 2)
		if diff := cmp.Diff(c.want, got); (err != nil) != c.failed || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestAncestor(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	for name, c := range map[string]struct {
		status int
		body   string
		want   bool
		failed bool
	}{
		"before":             {200, `{"status":"ahead","merge_base_commit":{"sha":"` + a + `"}}`, true, false},
		"the same":           {200, `{"status":"identical","merge_base_commit":{"sha":"` + a + `"}}`, true, false},
		"after":              {200, `{"status":"behind","merge_base_commit":{"sha":"` + b + `"}}`, false, false},
		"beside":             {200, `{"status":"diverged","merge_base_commit":{"sha":"` + b + `"}}`, false, false},
		"another merge base": {200, `{"status":"ahead","merge_base_commit":{"sha":"` + b + `"}}`, false, false},
		"nothing said":       {200, `{}`, false, false},
		"not there":          {404, `{"message":"Not Found"}`, false, true},
	} {
		api := newAPI(t)
		api.answer("GET /repos/acme/shop/compare/"+a+"..."+b, c.status, c.body)
		got, err := api.client().Ancestor(context.Background(), testRepo, a, b)
		if got != c.want || (err != nil) != c.failed {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	if _, err := newAPI(t).client().Ancestor(context.Background(), testRepo, a, "main/../.."); err == nil {
		t.Error("something that is no object id was asked about")
	}
}

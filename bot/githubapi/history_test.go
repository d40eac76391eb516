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

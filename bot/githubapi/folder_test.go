package githubapi

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	full := "[" + strings.TrimSuffix(strings.Repeat(`{"name":"x","type":"file"},`, folderMost), ",") + "]"
	for name, c := range map[string]struct {
		status int
		body   string
		want   []string
		more   bool
		failed bool
	}{
		"some":          {200, ` [{"name":"a","type":"file"},{"name":"b","type":"dir"},{"name":"c","type":"symlink"}]`, []string{"a", "c"}, false, false},
		"none":          {200, `[]`, nil, false, false},
		"a file":        {200, `{"name":".github","type":"file"}`, nil, false, false},
		"as many as go": {200, full, slices.Repeat([]string{"x"}, folderMost), true, false},
		"not there":     {404, `{"message":"Not Found"}`, nil, false, true},
		"something":     {200, `[1]`, nil, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t)
			api.answer("GET /repos/acme/shop/contents/.github", c.status, c.body)
			got, more, err := api.client().Folder(context.Background(), testRepo, "", ".github")
			if diff := cmp.Diff(c.want, got); (err != nil) != c.failed || more != c.more || diff != "" {
				t.Error(fmt.Sprint(more, err), diff)
			}
		})
	}
}

package rewrite

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
)

// TestSettled: a result that a second migration would change is not handed out,
// and the second one sees the other files that the first one changed.
func TestSettled(t *testing.T) {
	t.Parallel()
	const site = "server {\n  listen 80;\n  root /usr/share/nginx/html;\n}\n"
	repo := fstest.MapFS{"default.conf": {Data: []byte(site)}, "index.html": {Data: []byte("hello\n")}}
	before := "FROM nginx:1.30\nCOPY default.conf /etc/nginx/conf.d/default.conf\nCOPY index.html /usr/share/nginx/html/\nEXPOSE 80\n"
	in := Input{Path: "Dockerfile", Content: []byte(before), FS: repo}
	r, err := Migrate(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Verified || len(r.Files) != 1 || !strings.Contains(string(r.Files[0].After), "listen 8080") {
		t.Fatalf("%s: %s\n%s", r.Outcome, r.Reason, r.After)
	}
	cat, err := catalog.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		result Result
		want   string
	}{
		"settled":                  {*r, ""},
		"the site was not seen":    {Result{After: r.After}, ""}, // the port of the new image is said, nothing is edited
		"not migrated":             {Result{After: []byte(before)}, "once more changes line 1 again (base-image)"},
		"the site is as it was":    {Result{After: []byte(before), Files: []FileChange{{Path: "default.conf", After: []byte(site)}}}, "once more"},
		"a file that is not there": {Result{After: r.After, Files: []FileChange{{Path: "gone.conf", After: []byte("x")}}}, ""},
	} {
		result := tt.result
		after, err := dockerfile.ParseWithBuildKit(result.After)
		if err != nil {
			t.Fatal(err)
		}
		err = (&migration{in: in, catalog: cat, result: &result}).settled(context.Background(), after)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

package rewrite

import (
	"slices"
	"testing"
	"testing/fstest"
)

// TestPorts: a result says on which ports the new image is asked to answer, so
// that people can try it.
func TestPorts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		tree fstest.MapFS
		want []int
	}{
		"as written": {"FROM node:22\nWORKDIR /app\nCOPY . .\nEXPOSE 3000 9229/tcp\nCMD [\"node\", \"index.js\"]\n", fstest.MapFS{"index.js": {}, "package.json": {Data: []byte("{}")}}, []int{3000, 9229}},
		"none":       {"FROM node:22\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"index.js\"]\n", fstest.MapFS{"index.js": {}, "package.json": {Data: []byte("{}")}}, nil},
		"moved":      {"FROM nginx:1.30\nCOPY nginx.conf /etc/nginx/conf.d/default.conf\nEXPOSE 80\n", fstest.MapFS{"nginx.conf": {Data: []byte("server {\n    listen 80;\n    location / {\n        root /usr/share/nginx/html;\n    }\n}\n")}}, []int{8080}},
		"stays":      {"FROM scratch\nEXPOSE 80\n", nil, nil},
	} {
		in := Input{Path: "Dockerfile", Content: []byte(c.file)}
		if c.tree != nil {
			c.tree["Dockerfile"] = &fstest.MapFile{Data: in.Content}
			in.FS = c.tree
		}
		r, err := Migrate(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.Ports, c.want) {
			t.Errorf("%s: %v, want %v (%s: %s)", name, r.Ports, c.want, r.Outcome, r.Reason)
		}
	}
}

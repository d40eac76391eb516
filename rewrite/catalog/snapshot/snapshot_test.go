package snapshot

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dhibot/rewrite/catalog"
)

var source = catalog.Source{Repository: "example/catalog", Commit: "c0ffee", Date: "2026-08-22", License: "Apache-2.0"}

// tree is a small catalog repository in the form of the real one.
func tree() fstest.MapFS {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"README.md":                    file("# Catalog"),
		"image/tempo/config/x.yaml":    file("not: [a definition"),
		"image/node/info.yaml":         file("name: Node.js"),
		"image/node/debian-13/24.yaml": file(nodeRuntime),
		"image/node/debian-13/24-dev.yaml": file(`image: dhi.io/node
variant: dev
tags: [24-dev, 24-debian13-dev, 24.19-debian13-dev]
platforms: [linux/amd64]
contents:
  packages: ['!acl', apt, bash, npm, bash]
accounts:
  run-as: root
  users: [{name: node, uid: 1000, gid: 1000}]
cmd: [node]
`),
		"image/static/alpine-3.24/static.yaml": file(`image: dhi.io/static
variant: runtime
flavor: musl
tags: [20260611-musl-alpine3.24]
platforms: [linux/amd64, linux/arm64]
contents: {packages: [musl]}
accounts: {run-as: nonroot, users: [{name: nonroot, uid: 65532, gid: 65532}]}
`),
	}
}

const nodeRuntime = `# syntax=dhi.io/build:2-debian13
name: Node.js 24.x
image: dhi.io/node
variant: runtime
tags:
  - "24"
  - 24-debian13
  - 24.19-debian13
platforms:
  - linux/amd64
  - linux/arm64
dates:
  release: "2025-05-06"
  end-of-life: "2028-04-30"
contents:
  packages:
    - '!acl'
    - nodejs-24=24.19.0-0
    - base-files
    - musl>1.2
    - zlib@edge
    - base-files
accounts:
  root: true
  run-as: node
  users:
    - name: node
      uid: 1000
      gid: 1000
os-release:
  id: debian
  version-id: "13"
work-dir: /app
stop-signal: SIGTERM
environment:
  NODE_VERSION: 24.19.0-0
  FLAG: true
  RATIO: 1.10
paths:
  - {type: directory, path: /app, uid: 0, gid: 0, mode: "0755"}
  - {type: directory, path: /data, uid: 1000, gid: 1000, mode: "0700"}
  - {type: hardlink, path: /bin/x, uid: 1000, gid: 1000}
entrypoint: [/usr/bin/tini, --]
cmd:
  - node
ports:
  - 3000/tcp
`

func TestFromFS(t *testing.T) {
	t.Parallel()
	s, err := FromFS(tree(), source)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Images) != 2 || s.Images[0].Name != "node" || s.Images[1].Name != "static" || len(s.Images[0].Definitions) != 2 {
		t.Fatalf("images = %+v", s.Images)
	}
	want := catalog.Definition{
		Distro: catalog.Debian, DistroVersion: "13", Variant: "runtime",
		Tags:      []string{"24", "24-debian13", "24.19-debian13"},
		Platforms: []string{"linux/amd64", "linux/arm64"}, Released: "2025-05-06", EndOfLife: "2028-04-30",
		RunAs: "node", Users: []catalog.User{{Name: "node", UID: 1000, GID: 1000}}, WorkDir: "/app", StopSignal: "SIGTERM",
		Environment: map[string]string{"NODE_VERSION": "24.19.0-0", "FLAG": "true", "RATIO": "1.10"},
		Entrypoint:  []string{"/usr/bin/tini", "--"}, Cmd: []string{"node"}, Ports: []string{"3000/tcp"},
		Directories: []catalog.Directory{{Path: "/data", UID: 1000, GID: 1000, Mode: "0700"}},
		Packages:    []string{"base-files", "musl", "nodejs-24", "zlib"},
	}
	// 24-dev.yaml sorts before 24.yaml.
	if diff := cmp.Diff(want, s.Images[0].Definitions[1], cmpopts.IgnoreUnexported(catalog.Definition{})); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
	c, err := s.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := c.Lookup("static", "20260611-musl-alpine3.24"); !ok || d.Flavor != "musl" || d.Distro != catalog.Alpine {
		t.Errorf("static = %+v %t", d, ok)
	}
	if c.Source() != source {
		t.Errorf("source = %+v", c.Source())
	}
}

func TestFromTar(t *testing.T) {
	t.Parallel()
	want, err := FromFS(tree(), source)
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"", "./", "catalog-c0ffee/"} {
		for _, compress := range []bool{false, true} {
			t.Run(fmt.Sprintf("%q %t", prefix, compress), func(t *testing.T) {
				t.Parallel()
				s, err := FromTar(tarball(t, tree(), prefix, compress), catalog.Source{Repository: source.Repository, License: source.License})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, s, cmpopts.IgnoreUnexported(catalog.Definition{})); diff != "" { // with commit and date from the tarball
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
	if _, err := FromTar(strings.NewReader("no tarball at all"), source); err == nil {
		t.Error("text was taken for a tarball")
	}
}

func tarball(t *testing.T, fsys fstest.MapFS, prefix string, compress bool) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	header := func(h *tar.Header) {
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	header(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "c0ffee"}})
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data := fsys[p].Data
		header(&tar.Header{Name: prefix + p, Mode: 0o644, Size: int64(len(data)), ModTime: time.Date(2026, 8, 22, 3, 0, 0, 0, time.UTC)})
		_, err = tw.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if !compress {
		return &buf
	}
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	if _, err := zw.Write(buf.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return &zipped
}

// TestRefused holds what makes a source unusable; the errors name the file.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		path, content string
		want          []string
	}{
		"yaml":         {"image/node/debian-13/25.yaml", "tags: [", []string{"image/node/debian-13/25.yaml: "}},
		"other image":  {"image/node/debian-13/25.yaml", "image: dhi.io/deno\nvariant: dev\ntags: [a]", []string{`image "dhi.io/deno" is defined below the folder of "node"`}},
		"other distro": {"image/node/debian-13/25.yaml", "image: dhi.io/node\nvariant: dev\ntags: [a]\nos-release: {id: alpine}", []string{"os-release says alpine"}},
		"no tags":      {"image/node/debian-13/25.yaml", "image: dhi.io/node\nvariant: dev", []string{"it has no tags"}},
		"no variant":   {"image/node/debian-13/25.yaml", "image: dhi.io/node\ntags: [a]", []string{"it has no variant"}},
		"huge":         {"image/node/debian-13/25.yaml", strings.Repeat("#", maxDefinition+1), []string{"larger than"}},
	} {
		fsys := tree()
		fsys[tt.path] = &fstest.MapFile{Data: []byte(tt.content)}
		_, err := FromFS(fsys, source)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, w := range append(tt.want, tt.path) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error %q, want %q in it", name, err, w)
			}
		}
	}
	if _, err := FromFS(fstest.MapFS{"README.md": {}}, source); err == nil || !strings.Contains(err.Error(), "not the catalog repository") {
		t.Errorf("an empty tree: %v", err)
	}
	fsys := tree()
	fsys["image/node/debian-13/again.yaml"] = &fstest.MapFile{Data: []byte(nodeRuntime)}
	s, err := FromFS(fsys, source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Catalog(); err == nil || !strings.Contains(err.Error(), "belongs to two definitions") {
		t.Errorf("a tag of two definitions: %v", err)
	}
}

func TestEncodeIsStable(t *testing.T) {
	t.Parallel()
	var outputs [2]bytes.Buffer
	for i := range outputs {
		s, err := FromFS(tree(), source)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Encode(&outputs[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(outputs[0].Bytes(), outputs[1].Bytes()) {
		t.Error("the same facts gave different bytes")
	}
}

// TestRoundTrip proves that a snapshot made from the embedded catalog's own
// facts reads back as the same facts.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	c, err := catalog.Default()
	if err != nil {
		t.Fatal(err)
	}
	s := &Snapshot{Source: c.Source()}
	for _, name := range c.Images() {
		img := Image{Name: name}
		for _, d := range c.Definitions(name) {
			img.Definitions = append(img.Definitions, *d)
		}
		s.Images = append(s.Images, img)
	}
	again, err := s.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	ch := Compare(c, again)
	if ch.Before != ch.After || len(ch.Images)+len(ch.ImagesAdded)+len(ch.ImagesRemoved) != 0 {
		t.Errorf("changes = %+v", ch)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	before := build(t, tree())
	fsys := tree()
	fsys["image/node/debian-13/24.yaml"] = &fstest.MapFile{Data: []byte(strings.NewReplacer(
		"24.19-debian13", "24.20-debian13", "entrypoint: [/usr/bin/tini, --]", "entrypoint: [node]", "work-dir: /app\n", "",
		"    - zlib@edge\n", "    - tzdata\n", "2028-04-30", "2028-05-31", "FLAG: true", "FLAG: false").Replace(nodeRuntime))}
	delete(fsys, "image/static/alpine-3.24/static.yaml")
	fsys["image/bun/debian-13/1.yaml"] = &fstest.MapFile{Data: []byte("image: dhi.io/bun\nvariant: runtime\ntags: [1-debian13]")}
	ch := Compare(before, build(t, fsys))
	want := &Changes{
		Before: Size{2, 3, 7}, After: Size{2, 3, 7},
		ImagesAdded: []string{"bun"}, ImagesRemoved: []string{"static"},
		Images: []ImageChange{{
			Name: "node", TagsAdded: []string{"24.20-debian13"}, TagsRemoved: []string{"24.19-debian13"},
			Facts: []FactChange{
				{"24", "entrypoint", `["/usr/bin/tini" "--"]`, `["node"]`}, {"24", "work dir", "/app", "/"},
				{"24", "end of life", "2028-04-30", "2028-05-31"}, {"24", "environment", "FLAG=true", "FLAG=false"},
				{"24", "packages", "zlib", "tzdata"},
			},
		}},
	}
	if diff := cmp.Diff(want, ch); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var lost *LostError
	if err := ch.Check(3); !errors.As(err, &lost) || !strings.Contains(err.Error(), "lost 1 of 2 images (50.0 %, more than 3 %): static") {
		t.Errorf("half of the images are gone: %v", err)
	}
	if err := ch.Check(50); err != nil {
		t.Errorf("half is allowed to go: %v", err)
	}
	if err := Compare(before, before).Check(0); err != nil {
		t.Errorf("nothing changed: %v", err)
	}
}

func build(t *testing.T, fsys fs.FS) *catalog.Catalog {
	t.Helper()
	s, err := FromFS(fsys, source)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

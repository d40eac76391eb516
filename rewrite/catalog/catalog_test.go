package catalog

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// TestEmbeddedSnapshot proves what Default leaves for later: every definition
// of the embedded snapshot decodes, and no tag belongs to two definitions.
func TestEmbeddedSnapshot(t *testing.T) {
	t.Parallel()
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	definitions, tags := 0, 0
	for _, name := range c.Images() {
		img := c.image(name)
		if img.err != nil {
			t.Fatalf("image %s: %v", name, img.err)
		}
		if len(img.byTag) != len(img.tags) {
			t.Errorf("image %s: the same tag belongs to two definitions", name)
		}
		definitions += len(img.defs)
		tags += len(img.tags)
	}
	if len(c.Images()) != 554 || definitions != 2582 || tags != 18095 {
		t.Errorf("images, definitions, tags = %d, %d, %d, want 554, 2582, 18095", len(c.Images()), definitions, tags)
	}
	if got := c.Date().Format("2006-01-02"); got != "2026-08-22" {
		t.Errorf("date = %s", got)
	}
}

// TestConcurrentUse is for the race detector: a fresh catalog, loaded image by
// image from several goroutines.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c, err := decode(bytes.NewReader(embeddedSnapshot))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, reference := range []string{"node:22", "golang:1.26-alpine", "php:8.4-fpm", "maven:3.9-eclipse-temurin-21"} {
				if _, err := c.Choose(c.Origin(reference, nil), Want{Need: NeedDev}); err != nil {
					t.Errorf("%s: %v", reference, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestLoadRefuses holds what is not a catalog.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"source":{"date":"2026-08-22"},"images":[`
	for name, tt := range map[string]struct{ content, want string }{
		"empty":            {"", "decode the catalog"},
		"no json":          {"FROM node:22", "decode the catalog"},
		"no date":          {`{"images":[]}`, "the date of the catalog"},
		"no name":          {head + `{"definitions":[]}]}`, "has no name"},
		"an image twice":   {head + `{"name":"a","definitions":[]},{"name":"a","definitions":[]}]}`, `image "a" is in the catalog twice`},
		"wrong definition": {head + `{"name":"a","definitions":[{"tags":"1"}]}]}`, `image "a"`},
		"a tag twice":      {head + `{"name":"a","definitions":[{"tags":["1"]},{"tags":["1"]}]}]}`, "belongs to two definitions"},
		"torn gzip":        {string(embeddedSnapshot[:1000]), "read the catalog"},
	} {
		if _, err := Load(strings.NewReader(tt.content)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, tt.want)
		}
	}
	c, err := Load(strings.NewReader(head + `{"name":"a","definitions":[{"tags":["1-debian13"],"distro":"debian","distro_version":"13","run_as":"7"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := c.Lookup("a", "1-debian13"); !ok || d.Image != "a" || d.RunUser().UID != 7 {
		t.Errorf("definition = %+v %t", d, ok)
	}
	if _, ok := c.Lookup("b", "1"); ok || c.Definitions("b") != nil || c.Tags("b") != nil || c.Has("b") {
		t.Error("an image that is not there was found")
	}
}

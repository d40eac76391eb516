package catalog

import "testing"

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

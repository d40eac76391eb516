package catalog

import (
	"bytes"
	"testing"
)

// BenchmarkDecode is what the first call to Default costs.
func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(bytes.NewReader(embeddedSnapshot)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstChoice is a cold start: decode, one reference, one choice.
func BenchmarkFirstChoice(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c, err := decode(bytes.NewReader(embeddedSnapshot))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Choose(c.Origin("node:22-alpine", nil), Want{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOrigin(b *testing.B) {
	c, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Origin("docker.io/library/node:22.12.0-bookworm-slim", nil)
	}
}

func BenchmarkChoose(b *testing.B) {
	c, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	o := c.Origin("node:22.12.0-bookworm-slim", nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Choose(o, Want{}); err != nil {
			b.Fatal(err)
		}
	}
}

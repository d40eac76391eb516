package dockerfile

import (
	"testing"

	"github.com/distribution/reference"
)

// FuzzPlainImage holds that the short cut accepts nothing that BuildKit's test
// of an image name refuses.
func FuzzPlainImage(f *testing.F) {
	for _, text := range []string{
		"node", "node:22.12-slim", "docker.io/library/node:22", "ghcr.io/a/b-c/d.e:1.2", "localhost/a", "a//b", "a..b", "a--b", "-a", "a-", "/a", "a/",
		"a:", ":a", "a:b:c", "a:-b", "a:b/c", "host.name:5000/a", "docker.io", "docker.io/", "docker.io/a", "Node", "a_b", "a:B_c", "a:_b", "A:b", "a@sha256:0",
		"0123456789012345678901234567890123456789012345678901234567890123", "a.b/0123456789012345678901234567890123456789012345678901234567890123",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !plainImage(text) {
			return
		}
		if _, err := reference.ParseNormalizedNamed(text); err != nil {
			t.Errorf("%q is taken for an image: %v", text, err)
		}
	})
}

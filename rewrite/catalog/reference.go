package catalog

import (
	"slices"
	"strings"
)

// maxReference bounds a reference: 255 for the repository, 128 for the tag and
// 136 for the digest are the limits of registries.
const maxReference = 640

// hubPrefixes stand for Docker Hub, or for a public mirror of its official
// images, in front of a repository.
var hubPrefixes = []string{
	"docker.io/", "index.docker.io/", "registry-1.docker.io/", "registry.hub.docker.com/", "registry.docker.com/",
	"public.ecr.aws/docker/", "mirror.gcr.io/", "mcr.microsoft.com/mirror/docker/",
}

// trimHub removes what stands for Docker Hub, and its library namespace.
func trimHub(repository string) string {
	for _, prefix := range hubPrefixes {
		if rest, ok := strings.CutPrefix(repository, prefix); ok {
			repository = rest
			break
		}
	}
	return strings.TrimPrefix(repository, "library/")
}

// splitReference takes a reference apart. It follows the grammar of
// github.com/distribution/reference, but for digests, whose algorithm does not
// matter here. Nothing with white space, variables or quotes in it passes.
func splitReference(ref string) (repository, tag, digest string, ok bool) {
	if ref == "" || len(ref) > maxReference {
		return "", "", "", false
	}
	repository, digest, pinned := strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(repository, ':'); colon > strings.LastIndexByte(repository, '/') {
		repository, tag = repository[:colon], repository[colon+1:]
		if !validTag(tag) {
			return "", "", "", false
		}
	}
	if pinned && (digest == "" || !consistsOf(digest, isWordByte, ":+.-")) {
		return "", "", "", false
	}
	more := "._-"
	if strings.Contains(repository, "/") {
		more = "._-:" // a host may have a port
	}
	for part := range strings.SplitSeq(repository, "/") {
		lower := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
		if part == "" || !lower(part[0]) || !consistsOf(part, lower, more) {
			return "", "", "", false
		}
		more = "._-"
	}
	return repository, tag, digest, true
}

// validTag tells whether a registry would accept the tag.
func validTag(tag string) bool {
	return tag != "" && len(tag) <= 128 && isWordByte(tag[0]) && consistsOf(tag, isWordByte, ".-")
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func consistsOf(s string, class func(byte) bool, more string) bool {
	for i := range len(s) {
		if !class(s[i]) && strings.IndexByte(more, s[i]) < 0 {
			return false
		}
	}
	return true
}

// mapRepository applies the user's own mappings. A key that ends in a slash is
// a prefix, such as that of a pull-through cache:
// "registry.example.com/dockerhub/": "docker.io/". The longest key wins.
func mapRepository(repository string, extra map[string]string) (mapped, key string) {
	if len(extra) == 0 {
		return repository, ""
	}
	keys := make([]string, 0, len(extra))
	for k := range extra {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	for _, k := range keys {
		if strings.HasSuffix(k, "/") {
			if rest, ok := strings.CutPrefix(repository, k); ok && rest != "" {
				return extra[k] + rest, k
			}
			continue
		}
		if extra[k] != "" && (repository == k || repository == trimHub(k)) {
			return extra[k], k
		}
	}
	return repository, ""
}

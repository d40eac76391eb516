package catalog

import (
	"slices"
	"strconv"
	"strings"
)

// version is a version as numbers: 22.12.0 is {22, 12, 0}, 8u402-b06 of Java is
// {8, 402, 6}. Nil is no version.
type version []int

// maxPart bounds a number of a version; calendar versions are the largest.
const maxPart = 99999999

// parseVersion reads a release version. Pre-releases (1.27rc1) and anything
// else that is not purely a version give false. A leading v, a trailing .x and
// Java's forms (8u402, 8u402.b06, 21.0.2_13) are understood.
func parseVersion(text string) (version, bool) {
	var parts [6]int
	v, ok := appendVersion(parts[:0], text)
	if !ok {
		return nil, false
	}
	return slices.Clone(v), true
}

// isVersion tells whether parseVersion reads a text.
func isVersion(text string) bool {
	var parts [6]int
	_, ok := appendVersion(parts[:0], text)
	return ok
}

// appendVersion is parseVersion for a caller that brings the memory: versions
// are read and compared many times in one choice. What it returns without ok is
// of no use.
func appendVersion(v version, text string) (version, bool) {
	rest := strings.TrimPrefix(text, "v")
	rest = strings.TrimSuffix(rest, ".x")
	for {
		i := 0
		for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		if i == 0 || i > 8 || len(v) == 6 {
			return v[:0], false
		}
		n, err := strconv.Atoi(rest[:i])
		if err != nil || n > maxPart {
			return v[:0], false
		}
		v = append(v, n)
		rest = rest[i:]
		switch {
		case rest == "":
			return v, true
		case strings.HasPrefix(rest, ".b"):
			rest = rest[2:]
		case rest[0] == '.', rest[0] == '_', rest[0] == '+', rest[0] == 'u' && len(v) == 1:
			rest = rest[1:]
		default:
			return v[:0], false
		}
	}
}

// compareVersions orders versions by their numbers; of two that agree as far
// as both go, the longer is larger.
func compareVersions(a, b version) int { return slices.Compare(a, b) }

// atLeast compares only as many numbers as both versions have: 1.26 is at
// least 1.26.3, since it is a tag that moves with its line.
func (v version) atLeast(w version) bool {
	n := min(len(v), len(w))
	return slices.Compare(v[:n], w[:n]) >= 0
}

// prefix tells whether the first numbers of v are those of w.
func (v version) hasPrefix(w version) bool {
	return len(v) >= len(w) && slices.Equal(v[:len(w)], w)
}

// line is the compatibility line of a version: its first depth numbers.
func (v version) line(depth int) version { return v[:min(depth, len(v))] }

func (v version) String() string {
	parts := make([]string, len(v))
	for i, n := range v {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ".")
}

package project

import (
	"strconv"
	"strings"
)

// Dialect is the language of a version range.
type Dialect int

// The dialects: package.json, pyproject.toml (PEP 440 and Poetry), Gemfile.
const (
	NPM Dialect = iota
	PEP440
	Gem
)

// Allows tells whether a range of versions holds a version, such as "22.17.0".
// known is false when the range is not understood; then allowed says nothing.
// Sources: node-semver's README, PEP 440 with Poetry's dependency
// specification, and RubyGems' version constraints.
func Allows(d Dialect, text, version string) (allowed, known bool) {
	v, ok := numbers(version)
	if !ok {
		return false, false
	}
	alternatives := []string{text}
	if d != Gem {
		alternatives = strings.Split(strings.ReplaceAll(text, "||", "|"), "|")
	}
	for _, alt := range alternatives {
		all, ok := allowsAll(d, alt, v)
		if !ok {
			return false, false
		}
		allowed = allowed || all
	}
	return allowed, true
}

// allowsAll tells whether a version satisfies every comparator of a list.
func allowsAll(d Dialect, text string, v []int) (allowed, known bool) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	if d == NPM && len(words) == 3 && words[1] == "-" {
		words = []string{">=" + words[0], "<=" + words[2]}
	}
	allowed = true
	op := ""
	for _, w := range words {
		rest := strings.TrimLeft(w, "<>=~^!")
		op += w[:len(w)-len(rest)]
		if rest == "" {
			continue // "> 1.2": the operator stands alone
		}
		ok, understood := compare(d, op, rest, v)
		if !understood {
			return false, false
		}
		allowed = allowed && ok
		op = ""
	}
	return allowed, op == ""
}

// compare applies one comparator.
func compare(d Dialect, op, text string, v []int) (allowed, known bool) {
	text = strings.TrimPrefix(text, "v")
	if text == "*" || text == "x" || text == "X" || d == NPM && text == "latest" {
		return true, op == "" || op == "=" || op == "==" || op == ">="
	}
	wild := false
	for _, suffix := range []string{".*", ".x", ".X"} {
		for strings.HasSuffix(text, suffix) {
			text, wild = strings.TrimSuffix(text, suffix), true
		}
	}
	w, ok := numbers(text)
	if !ok {
		return false, false
	}
	by := order(v, w)
	prefix := len(v) >= len(w) && order(v[:len(w)], w) == 0
	switch op {
	case "", "=", "==":
		// In package.json "18" is any 18; in a Gemfile it is exactly 18.0.
		if wild || d == NPM || d == PEP440 && op == "" {
			return prefix, true
		}
		return by == 0, true
	case "!=":
		if wild {
			return !prefix, true
		}
		return by != 0, true
	case ">=":
		return by >= 0, true
	case ">":
		if d == NPM && len(w) < 3 {
			return by > 0 && !prefix, true
		}
		return by > 0, true
	case "<":
		return by < 0, true
	case "<=":
		if d == NPM && len(w) < 3 {
			return by <= 0 || prefix, true
		}
		return by <= 0, true
	case "^":
		return by >= 0 && order(v[:1], w[:1]) == 0, w[0] > 0
	case "~", "~=", "~>":
		keep := len(w) - 1
		if op == "~" {
			keep = min(len(w), 2)
		}
		if keep < 1 {
			return by >= 0, true
		}
		return by >= 0 && len(v) >= keep && order(v[:keep], w[:keep]) == 0, true
	}
	return false, false
}

// numbers are the parts of a plain version.
func numbers(text string) ([]int, bool) {
	var out []int
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || len(part) > 9 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, len(out) > 0
}

// order compares two versions; missing parts count as 0.
func order(a, b []int) int {
	for i := range max(len(a), len(b)) {
		x, y := 0, 0
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return x - y
		}
	}
	return 0
}

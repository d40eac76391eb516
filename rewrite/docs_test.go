package rewrite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dhibot/rewrite"
	"dhibot/rewrite/goldentest"
	"dhibot/rewrite/rules"
)

// TestRuleDocs holds docs/rules against the words of the rules.
func TestRuleDocs(t *testing.T) {
	t.Parallel()
	index := "# Rules\n\nOne rule per row of Docker's migration guide, in its order. Generated from the rules; `go test ./rewrite -run Docs -update` renews it.\n\n| rule | what it does |\n|---|---|\n"
	for _, r := range rules.All() {
		index += fmt.Sprintf("| [`%s`](%s.md) | %s |\n", r.ID, r.ID, strings.ReplaceAll(r.Note, "|", "\\|"))
		goldentest.Check(t, "../docs/rules/"+r.ID+".md", fmt.Sprintf("# %s (`%s`)\n\n%s\n\nBefore:\n\n```dockerfile\n%s\n```\n\nAfter:\n\n```dockerfile\n%s\n```\n\nDocker's own words: %s\n", r.Title, r.ID, r.Note, r.Before, r.After, r.URL))
	}
	goldentest.Check(t, "../docs/rules/README.md", index)
}

// TestReasonDocs holds docs/reasons.md against the list of codes.
func TestReasonDocs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Reasons\n\nEvery Dockerfile that is not moved all the way carries one of these codes (`reason` in the JSON output has the sentence about the file). The codes are stable. Generated; `go test ./rewrite -run Docs -update` renews it.\n\n| code | meaning | what to do |\n|---|---|---|\n")
	for _, r := range rewrite.Reasons() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Code, r.Meaning, r.Advice)
	}
	goldentest.Check(t, "../docs/reasons.md", b.String())
}

// TestReasonsComplete finds every code that the sources give and checks that it
// is listed, and that every listed one is given somewhere.
func TestReasonsComplete(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, r := range rewrite.Reasons() {
		if listed[string(r.Code)] {
			t.Errorf("%s is listed twice", r.Code)
		}
		listed[string(r.Code)] = true
	}
	used := map[string]bool{}
	code := regexp.MustCompile(`(?:Code: |block\((?:c, )?)"([a-z-]+)"|Code[A-Za-z]+ +(?:ReasonCode )?= "([a-z-]+)"`)
	for _, dir := range []string{"strategy", "dockerfile", "."} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range code.FindAllStringSubmatch(string(src), -1) {
				used[m[1]+m[2]] = true
			}
		}
	}
	for c := range used {
		if !listed[c] {
			t.Errorf("code %q is not documented in Reasons", c)
		}
	}
	for c := range listed {
		if !used[c] {
			t.Errorf("code %q is documented, but nothing gives it", c)
		}
	}
}

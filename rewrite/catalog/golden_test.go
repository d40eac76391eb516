package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"dhibot/rewrite/goldentest"
)

// TestGoldenChoices holds the reading of every reference in references.txt and
// the choice for it against choices.golden. Whatever the golden file says, an
// emitted tag must be listed and fit the need: see checkChoice.
func TestGoldenChoices(t *testing.T) {
	t.Parallel()
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	input, err := os.ReadFile("testdata/references.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	n := 0
	for line := range strings.Lines(string(input)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			fmt.Fprintln(&out, line)
			continue
		}
		n++
		describe(t, &out, c, line)
	}
	if n < 700 {
		t.Errorf("only %d references", n)
	}
	goldentest.Check(t, "testdata/choices.golden", out.String())
}

// describe writes what is understood of a reference and what is chosen: for
// both variants, else for each, and with the nearest version where the default
// reports it as missing.
func describe(t *testing.T, out *bytes.Buffer, c *Catalog, reference string) {
	t.Helper()
	o := c.Origin(reference, nil)
	fmt.Fprintf(out, "%s\n\t%s\n", reference, originLine(o))
	if o.Image == "" {
		return
	}
	both, err := c.Choose(o, Want{Need: NeedBoth})
	if err == nil {
		checkChoice(t, c, o, both, NeedBoth)
		fmt.Fprintf(out, "\t-> %s\n", choiceLine(both))
		return
	}
	needs := []Need{NeedDev, NeedRuntime}
	var version *NoVersionError
	if errors.As(err, &version) {
		needs = []Need{NeedBoth}
	}
	for _, need := range needs {
		one, err := c.Choose(o, Want{Need: need})
		if err == nil {
			checkChoice(t, c, o, one, need)
			fmt.Fprintf(out, "\t-> %s\n", choiceLine(one))
			continue
		}
		fmt.Fprintf(out, "\t!! %v\n", err)
		if !errors.As(err, &version) {
			continue
		}
		if near, err := c.Choose(o, Want{Need: need, Missing: NearestVersion}); err == nil {
			checkChoice(t, c, o, near, need)
			fmt.Fprintf(out, "\t-> nearest: %s\n", choiceLine(near))
		}
	}
}

func originLine(o *Origin) string {
	var b strings.Builder
	word := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, " %s=%s", name, value)
		}
	}
	word("image", o.Image)
	word("hint", o.Hint)
	word("version", o.Version)
	word("channel", o.Channel)
	word("flavor", o.Flavor)
	word("distro", string(o.Distro))
	word("release", o.Release)
	word("foreign", o.Foreign)
	word("split", strings.Join(o.Split, "+"))
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"explicit", o.Explicit}, {"slim", o.Slim}, {"windows", o.Windows}, {"hardened", o.Hardened}, {"config", o.Config.Known},
	} {
		if flag.set {
			b.WriteString(" " + flag.name)
		}
	}
	if o.Image == "" || o.Hardened {
		b.WriteString(" (" + o.Evidence + ")")
	}
	return strings.TrimSpace(b.String())
}

func choiceLine(c *Choice) string {
	var b strings.Builder
	if c.Dev != nil {
		b.WriteString(" dev " + c.Dev.Tag)
	}
	if c.Runtime != nil {
		b.WriteString(" run " + c.Runtime.Tag)
	}
	if c.Bumped {
		b.WriteString(" bumped")
	}
	if c.Widened {
		b.WriteString(" widened")
	}
	if c.DistroChanged {
		b.WriteString(" distro-changed")
	}
	if c.ReleaseChanged {
		b.WriteString(" release-changed")
	}
	if len(c.Why) > 0 {
		b.WriteString(" | " + strings.Join(c.Why, " "))
	}
	return strings.TrimSpace(b.String())
}

// checkChoice proves what every choice must keep: the tags are listed, name
// their distribution release, are of the wanted kind, share version and
// distribution, and leave the compatibility line only when they say so.
func checkChoice(t testing.TB, c *Catalog, o *Origin, ch *Choice, need Need) {
	t.Helper()
	if (ch.Dev != nil) != (need&NeedDev != 0) || (ch.Runtime != nil) != (need&NeedRuntime != 0) {
		t.Errorf("%s: the choice does not fit the need %d: %s", o.Reference, need, choiceLine(ch))
	}
	for _, p := range []*Pick{ch.Dev, ch.Runtime} {
		if p == nil {
			continue
		}
		def, ok := c.Lookup(ch.Image, p.Tag)
		if !ok || def != p.Def {
			t.Errorf("%s: %s:%s is not listed", o.Reference, ch.Image, p.Tag)
			continue
		}
		release := string(def.Distro) + def.DistroVersion
		found := false
		for word := range strings.SplitSeq(p.Tag, "-") {
			found = found || word == release
		}
		if !found {
			t.Errorf("%s: %s does not name its release %s", o.Reference, p.Tag, release)
		}
		if p.Version+"-"+p.Suffix != p.Tag || p.Version != ch.To {
			t.Errorf("%s: %q and %q do not make %q, To is %q", o.Reference, p.Version, p.Suffix, p.Tag, ch.To)
		}
		if def.Build() != (p == ch.Dev) {
			t.Errorf("%s: %s is of the wrong kind", o.Reference, p.Tag)
		}
	}
	if d, r := ch.Dev, ch.Runtime; d != nil && r != nil &&
		(d.Version != r.Version || d.Def.Distro != r.Def.Distro || d.Def.DistroVersion != r.Def.DistroVersion) {
		t.Errorf("%s: %s and %s do not go together", o.Reference, d.Tag, r.Tag)
	}
	one := ch.Runtime
	if one == nil {
		one = ch.Dev
	}
	if one == nil {
		return
	}
	from, ok := parseVersion(ch.From)
	if _, os := osImages[ch.Image]; !ok || os {
		return
	}
	line := from.line(depth(ch.Image, from))
	if same := fullVersion(one.Def).hasPrefix(line); same == ch.Bumped && ch.JDKTo == "" {
		t.Errorf("%s: %s became %s, Bumped is %t", o.Reference, ch.From, fullVersion(one.Def), ch.Bumped)
	}
}

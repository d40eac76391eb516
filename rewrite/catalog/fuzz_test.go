package catalog

import (
	"os"
	"strings"
	"testing"
)

// FuzzOrigin feeds references: nothing panics, and no tag is chosen that the
// catalog does not list.
func FuzzOrigin(f *testing.F) {
	data, err := os.ReadFile("testdata/references.txt")
	if err != nil {
		f.Fatal(err)
	}
	for i, line := range strings.Split(string(data), "\n") {
		if i%7 == 0 {
			f.Add(line, "", "")
		}
	}
	f.Add("node", "22.12", "1.2")
	f.Add("maven:3-jdk-11", "3.9", "")
	c := catalogForTest(f)
	f.Fuzz(func(t *testing.T, reference, hint, floor string) {
		o := c.Origin(reference, map[string]string{"mapped": "node", "cache.example.com/": ""})
		if o.Evidence == "" {
			t.Errorf("%q: no evidence", reference)
		}
		for _, w := range []Want{
			{}, {Need: NeedDev, Version: hint, AtLeast: floor, MoveUp: true},
			{Need: NeedRuntime, Missing: NearestVersion, OtherDistro: true, Release: hint},
		} {
			ch, err := c.Choose(o, w)
			if err != nil {
				continue
			}
			need := w.Need
			if need == 0 {
				need = NeedBoth
			}
			checkChoice(t, c, o, ch, need)
		}
	})
}

// FuzzTag takes any tag apart: it does not panic, and what it finds is in it.
func FuzzTag(f *testing.F) {
	for _, s := range []string{"24.19.0-0-debian13-dev", "3.9.16-r0-jdk21-alpine3.24-dev", "8u502.b07-jdk", "trixie-debian13", "-", "dev", "0--dev"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := parseTag(s, nil).Pick
		if !strings.HasPrefix(s, p.Version) || !strings.HasSuffix(s, p.Suffix) {
			t.Errorf("%q became %+v", s, p)
		}
	})
}

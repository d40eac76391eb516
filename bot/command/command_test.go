package command

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"dhibot/rewrite/goldentest"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		comment string
		want    []Invocation
	}{
		"nothing":              {"", nil},
		"prose":                {"please /dhi migrate this", nil},
		"plain":                {"/dhi migrate", []Invocation{{"migrate", []string{}, 1}}},
		"upper case verb":      {"/dhi MIGRATE A", []Invocation{{"migrate", []string{"A"}, 1}}},
		"bare":                 {"/dhi", []Invocation{{Line: 1}}},
		"other word":           {"/dhibot migrate\n/dhi-migrate\n/dhi/migrate", nil},
		"several":              {"Hello,\n/dhi migrate api\n/dhi help\nthanks", []Invocation{{"migrate", []string{"api"}, 2}, {"help", []string{}, 3}}},
		"CRLF":                 {"Hi\r\n/dhi migrate api\r\n/dhi help\r\n", []Invocation{{"migrate", []string{"api"}, 2}, {"help", []string{}, 3}}},
		"CR":                   {"Hi\r/dhi help", []Invocation{{"help", []string{}, 2}}},
		"tab":                  {"/dhi\tmigrate\tapi", []Invocation{{"migrate", []string{"api"}, 1}}},
		"quotes":               {"/dhi migrate 'a b' \"c d\" `e f` g\" h", []Invocation{{"migrate", []string{"a b", "c d", "e f", "g h"}, 1}}},
		"empty word":           {"/dhi migrate ''", []Invocation{{"migrate", []string{""}, 1}}},
		"quoted reply":         {"> /dhi migrate\n\nno", nil},
		"fence":                {"```\n/dhi migrate\n```\n/dhi help", []Invocation{{"help", []string{}, 4}}},
		"tilde fence":          {"~~~ sh\n/dhi migrate\n```\n/dhi migrate\n~~~~\n/dhi help", []Invocation{{"help", []string{}, 6}}},
		"fence closed shorter": {"````\n```\n/dhi migrate\n````\n", nil},
		"fence with info":      {"```text\n/dhi migrate\n``` x\n/dhi migrate\n", nil},
		"fence never closed":   {"```\n/dhi migrate\n", nil},
		"inline code is prose": {"```not a fence```\n/dhi help", []Invocation{{"help", []string{}, 2}}},
		"indented":             {"    /dhi migrate\n\t/dhi migrate\n /dhi migrate", nil},
		"HTML comment":         {"<!--\n/dhi migrate\n-->\n<!-- x -->\n/dhi help", []Invocation{{"help", []string{}, 5}}},
		"pre":                  {"<PRE>\n/dhi migrate\n</PRE>\n/dhi help", []Invocation{{"help", []string{}, 4}}},
		"after a byte order":   {"\ufeff/dhi help", nil},
	} {
		if diff := cmp.Diff(c.want, Parse(c.comment)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestParseIsBounded(t *testing.T) {
	t.Parallel()
	if n := len(Parse(strings.Repeat("/dhi help\n", 1000))); n != Max {
		t.Errorf("%d commands, want %d", n, Max)
	}
	got := Parse("/dhi migrate " + strings.Repeat("x ", 1000) + "\n/dhi migrate " + strings.Repeat("é", 1<<17))
	if len(got) != 2 || len(got[0].Args) > maxArgs || len(got[1].Args[0]) > maxArg || !utf8.ValidString(got[1].Args[0]) {
		t.Error("arguments are not bounded")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Request{
		"/dhi":                                   Help{},
		"/dhi help":                              Help{},
		"/dhi help migrate":                      Help{},
		"/dhi migrate":                           Migrate{},
		"/dhi migrate a b":                       Migrate{Paths: []string{"a", "b"}},
		"/dhi migrate --distro alpine a":         Migrate{Paths: []string{"a"}, Distro: "alpine"},
		"/dhi migrate a --again --distro=keep":   Migrate{Paths: []string{"a"}, Distro: "keep", Again: true},
		"/dhi migrate '--distro' debian --again": Migrate{Distro: "debian", Again: true},
		"/dhi plan a --distro alpine":            Plan{Paths: []string{"a"}, Distro: "alpine"},
		"/dhi rebase":                            Rebase{},
		"/dhi recreate":                          Recreate{},
		"/dhi ignore a/ --until 2027-01-31":      Ignore{What: "a/", Until: "2027-01-31"},
		"/dhi unignore 'a b'":                    Unignore{What: "a b"},
		"/dhi explain a/Dockerfile":              Explain{Path: "a/Dockerfile"},
		"/dhi explain a/Dockerfile:16":           Explain{Path: "a/Dockerfile", Line: 16},
		"/dhi status":                            Status{},
	} {
		_, got, err := Read(Parse(line)[0])
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"/dhi migrate --distro":         `migrate: "--distro": its value is missing`,
		"/dhi migrate --distro --again": `migrate: "--distro": its value is missing`,
		"/dhi migrate --distro= a":      `migrate: "--distro ": it can be keep, debian, alpine`,
		"/dhi migrate --distro arch":    `migrate: "--distro arch": it can be keep, debian, alpine`,
		"/dhi migrate --force":          `migrate: "--force": there is no such option`,
	} {
		_, _, err := Read(Parse(line)[0])
		var usage *UsageError
		if !errors.As(err, &usage) || err.Error() != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
	for verb, want := range map[string]string{
		"migrat": "migrate", "mirgate": "migrate", "migrates": "migrate", "hlep": "help", "mig": "migrate", "rebsae": "rebase", "stats": "status", "unignroe": "unignore", "expl": "explain",
		"merge": "", "xyz": "", "a": "", strings.Repeat("migrate", 1000): "",
	} {
		_, _, err := Read(Invocation{Verb: verb})
		var unknown *UnknownError
		if !errors.As(err, &unknown) || unknown.Nearest != want {
			t.Errorf("%.20q: %.100v, want nearest %q", verb, err, want)
		}
	}
}

// TestTable holds what the rest relies on: the examples work, and names are
// words that no other command starts with.
func TestTable(t *testing.T) {
	t.Parallel()
	for _, c := range Table() {
		if c.Summary == "" || len(c.Examples) == 0 {
			t.Errorf("%s has no summary or no example", c.Name)
		}
		for _, e := range c.Examples {
			got := Parse(e)
			if len(got) != 1 {
				t.Errorf("%s: %d commands in example %q", c.Name, len(got), e)
				continue
			}
			found, req, err := Read(got[0])
			if err != nil || found.Name != c.Name || req.Command() != c.Name {
				t.Errorf("example %q is read as %q: %v", e, found.Name, err)
			}
		}
	}
	for _, line := range strings.Split(HelpText(), "\n") {
		if strings.HasPrefix(line, Prefix) {
			t.Errorf("help starts a line with a command: %q", line)
		}
	}
	if got := Parse(HelpText()); len(got) != 0 {
		t.Errorf("help would command us: %v", got)
	}
}

func TestDocs(t *testing.T) {
	goldentest.Check(t, "../../docs/commands.md", Docs())
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"/dhi migrate a --again", "```\n/dhi x\n```", "> /dhi x", "<!--\n/dhi\n-->", "/dhi 'a\n/dhi `b", "\r\n/dhi\r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Parse(s)
		if len(got) > Max {
			t.Fatalf("%d commands", len(got))
		}
		for _, inv := range got {
			if len(inv.Args) > maxArgs {
				t.Fatalf("%d arguments", len(inv.Args))
			}
			_, _, _ = Read(inv)
		}
		// Whatever is quoted is text.
		if quoted := Parse("> " + strings.NewReplacer("\r\n", "\n> ", "\n", "\n> ", "\r", "\n> ").Replace(s)); len(quoted) > 0 {
			t.Fatalf("commands in a quote: %v", quoted)
		}
	})
}

package catalog

import (
	"strings"
	"testing"
)

// TestPHPExtensions: the embedded facts can be read, and say what an extension
// needs where.
func TestPHPExtensions(t *testing.T) {
	t.Parallel()
	known, err := phpExtensions()
	if err != nil || len(known) < 90 {
		t.Fatalf("%d extensions: %v", len(known), err)
	}
	for _, c := range []struct {
		name           string
		debian, alpine PHPNeeds
		in83, in84     bool
		libraries      string
	}{
		{"mbstring", PHPBuiltIn, PHPBuiltIn, true, true, ""},
		{"json", PHPBuiltIn, PHPBuiltIn, false, false, ""},
		{"pdo_mysql", PHPNothing, PHPNothing, true, true, ""},
		{"sockets", PHPNothing, PHPLibraries, true, true, "headers of Linux to be compiled on Alpine"},
		{"redis", PHPPecl, PHPPecl, false, false, ""},
		{"imap", PHPLibraries, PHPLibraries, true, false, ""},
		{"zip", PHPLibraries, PHPLibraries, true, true, "libzip"},
		{"nobody-knows", "", "", false, false, ""},
		{"MBString", "", "", false, false, ""},
	} {
		e := PHPExtensionNamed(c.name)
		if e.Needs(Debian) != c.debian || e.Needs(Alpine) != c.alpine || e.InSource("8.3") != c.in83 || e.InSource("8.4") != c.in84 || e.Libraries != c.libraries {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}

// TestPHPExtensionsStrict: a slip in a row is an error and no fact.
func TestPHPExtensionsStrict(t *testing.T) {
	t.Parallel()
	const head = "extension,needs,needs_on_alpine,in_source,libraries,source\n"
	for text, want := range map[string]string{
		"":                                  "no header",
		head + "gd,libraries,,*":            "wrong number of fields",
		head + "GD,libraries,,*,,x":         "lower case",
		head + ",libraries,,*,,x":           "no name",
		head + "gd,libs,,*,,x":              "needs \"libs\"",
		head + "gd,libraries,lots,*,,x":     "on Alpine \"lots\"",
		head + "gd,,,*,,x":                  "needs \"\"",
		head + "gd,libraries,,*,,":          "no source",
		head + "a,pecl,,*,,x":               "either",
		head + "a,nothing,,,,x":             "either",
		head + "a,pecl,,,,x\na,pecl,,,,x\n": "row 3: a is there twice",
	} {
		if known, err := readPHPExtensions(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", text, known, err)
		}
	}
}

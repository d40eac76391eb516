package catalog

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed data/php-extensions.csv
var embeddedPHPExtensions string

// PHPNeeds says what an extension needs to work with DHI's PHP.
type PHPNeeds string

// What extensions need. The zero value is for one that nothing is known of.
const (
	PHPBuiltIn   PHPNeeds = "built-in"  // it is part of it
	PHPNothing   PHPNeeds = "nothing"   // it is compiled from PHP's own sources, and needs the C library alone
	PHPPecl      PHPNeeds = "pecl"      // the same, from PECL
	PHPLibraries PHPNeeds = "libraries" // it loads libraries of the system, or needs their headers
)

// PHPExtension is what is known of an extension for the versions that DHI
// offers. The zero value knows nothing.
type PHPExtension struct {
	needs, alpine PHPNeeds
	versions      []string // in whose sources it is; nil for all
	source        bool
	// Libraries names what it loads, for people; "" when that is not known.
	Libraries string
}

// Needs is what it needs on a distribution.
func (e PHPExtension) Needs(on Distro) PHPNeeds {
	if on == Alpine && e.alpine != "" {
		return e.alpine
	}
	return e.needs
}

// InSource tells whether it is in the sources of a version of PHP ("8.4"), which
// come with DHI's dev images in ext/ ($PHP_SRC_DIR).
func (e PHPExtension) InSource(version string) bool {
	return e.source && (e.versions == nil || slices.Contains(e.versions, version))
}

// PHPExtensionNamed gives what is known of the extension of a name, in lower
// case.
func PHPExtensionNamed(name string) PHPExtension {
	known, err := phpExtensions()
	if err != nil { // the embedded facts are tested
		return PHPExtension{}
	}
	return known[name]
}

var phpExtensions = sync.OnceValues(func() (map[string]PHPExtension, error) {
	known, err := readPHPExtensions(embeddedPHPExtensions)
	if err != nil {
		return nil, fmt.Errorf("read php-extensions.csv: %w", err)
	}
	return known, nil
})

// readPHPExtensions refuses what it does not know: a slip in a row would be a
// promise about somebody's build.
func readPHPExtensions(text string) (map[string]PHPExtension, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = 6
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("there is no header")
	}
	known := make(map[string]PHPExtension, len(rows))
	for i, row := range rows[1:] {
		name := row[0]
		e := PHPExtension{needs: PHPNeeds(row[1]), alpine: PHPNeeds(row[2]), source: row[3] != "", Libraries: row[4]}
		if row[3] != "*" {
			e.versions = strings.Fields(row[3])
		}
		_, twice := known[name]
		kinds := []PHPNeeds{PHPBuiltIn, PHPNothing, PHPPecl, PHPLibraries}
		switch {
		case name == "" || name != strings.ToLower(name):
			return nil, fmt.Errorf("row %d: %q is no name in lower case", i+2, name)
		case twice:
			return nil, fmt.Errorf("row %d: %s is there twice", i+2, name)
		case !slices.Contains(kinds, e.needs) || e.alpine != "" && !slices.Contains(kinds, e.alpine):
			return nil, fmt.Errorf("row %d: %s needs %q, on Alpine %q", i+2, name, row[1], row[2])
		case e.needs == PHPPecl && e.source || e.needs == PHPNothing && !e.source:
			return nil, fmt.Errorf("row %d: %s is either of PHP's sources or of PECL's", i+2, name)
		case row[5] == "":
			return nil, fmt.Errorf("row %d: %s has no source", i+2, name)
		}
		known[name] = e
	}
	return known, nil
}

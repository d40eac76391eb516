package catalog

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed data/programs.csv
var embeddedPrograms string

// programRule says that a program comes with a package, or with an image.
type programRule struct {
	pkg   string // declared package, "" for an image rule
	image string
	where string // any, dev, jdk, debian for images; "" or shell for packages
}

// programs holds the rules by program. A program that no rule names is not
// known to be there: packages that others pull in are not in the catalog.
var programs = sync.OnceValues(func() (map[string][]programRule, error) {
	r := csv.NewReader(strings.NewReader(embeddedPrograms))
	r.FieldsPerRecord = 5
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read programs.csv: %w", err)
	}
	index := make(map[string][]programRule, 512)
	for i, row := range rows[1:] {
		rule := programRule{where: row[2]}
		switch row[0] {
		case "package":
			rule.pkg = row[1]
		case "image":
			rule.image = row[1]
		default:
			return nil, fmt.Errorf("programs.csv, row %d: unknown kind %q", i+2, row[0])
		}
		for name := range strings.FieldsSeq(row[3]) {
			index[name] = append(index[name], rule)
		}
	}
	return index, nil
})

// HasProgram tells whether the image surely has the program on its PATH, by
// its declared packages, its own entrypoint and the documented contents of the
// image family (node, npm, yarn, corepack in node -dev; pip in python -dev;
// go; java, javac ...). False means "not known", not "absent".
func (d *Definition) HasProgram(name string) bool {
	if name == "sh" && d.Shell() == "/bin/sh" {
		return true
	}
	if len(d.Entrypoint) > 0 && path.Base(d.Entrypoint[0]) == name ||
		len(d.Entrypoint) == 0 && len(d.Cmd) > 0 && path.Base(d.Cmd[0]) == name {
		return true
	}
	index, err := programs()
	if err != nil { // the embedded rules are tested
		return false
	}
	return slices.ContainsFunc(index[name], d.follows)
}

// follows tells whether a rule holds for the definition.
func (d *Definition) follows(r programRule) bool {
	if r.pkg != "" {
		return d.HasPackage(r.pkg) && (r.where != "shell" || d.Shell() != "")
	}
	if r.image != d.Image {
		return false
	}
	switch r.where {
	case "dev":
		return d.Build()
	case "debian":
		return d.Distro == Debian
	case "jdk":
		return slices.ContainsFunc(d.Tags, func(t string) bool { return slices.Contains(strings.Split(t, "-"), "jdk") })
	}
	return true
}

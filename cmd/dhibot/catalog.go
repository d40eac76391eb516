package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"dhibot/rewrite/catalog"
)

// CatalogCmd is dhibot catalog.
type CatalogCmd struct {
	Show   CatalogShowCmd   `cmd:"" help:"Show an image, a tag, or what an upstream image becomes."`
	Tags   CatalogTagsCmd   `cmd:"" help:"List the tags of an image."`
	Update CatalogUpdateCmd `cmd:"" help:"Make a catalog file from a checkout or tarball of the public catalog repository."`
}

// catalogFlags choose the catalog and the names of its images.
type catalogFlags struct {
	Catalog   string `help:"Catalog file to use instead of the built-in one." placeholder:"FILE"`
	Registry  string `help:"Registry of the hardened images (default: dhi.io)." placeholder:"HOST"`
	Namespace string `help:"Namespace of your mirror: NS/dhi-<image>." placeholder:"NS"`
	Prefix    string `help:"Prefix of image names in the namespace (default: dhi- with --namespace)." placeholder:"PREFIX"`
}

func (f *catalogFlags) load() (*catalog.Catalog, error) {
	if f.Catalog == "" {
		return catalog.Default()
	}
	c, err := loadCatalog(f.Catalog)
	if err != nil {
		return nil, usage(fmt.Errorf("--catalog: %w", err))
	}
	return c, nil
}

func (f *catalogFlags) naming() catalog.Naming {
	return catalog.Naming{Registry: f.Registry, Namespace: f.Namespace, Prefix: f.Prefix}
}

// familyNames are the distributions in words.
var familyNames = map[catalog.Distro]string{catalog.Debian: "Debian", catalog.Alpine: "Alpine"}

// distroName names the distribution of a definition.
func distroName(d *catalog.Definition) string { return familyNames[d.Distro] + " " + d.DistroVersion }

// kindOf says what a definition is for.
func kindOf(d *catalog.Definition) string {
	if d.Build() {
		return "build"
	}
	return "runtime"
}

// userName writes an account with its number.
func userName(u catalog.User) string {
	if u.Name == "" {
		return fmt.Sprint(u.UID)
	}
	return fmt.Sprintf("%s (%d)", u.Name, u.UID)
}

// table writes rows in columns; the first row is the heading.
func table(w io.Writer, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = cell; cell == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	return tw.Flush()
}

// unknownImage is the error for a name that the catalog does not have, with
// the names that resemble it.
func unknownImage(c *catalog.Catalog, name string) error {
	var alike []string
	for _, n := range c.Images() {
		if strings.Contains(n, name) || strings.Contains(name, n) && len(n) > 2 {
			alike = append(alike, n)
		}
	}
	text := fmt.Sprintf("the catalog has no image %q", name)
	if len(alike) > 0 {
		text += "; it has " + strings.Join(alike[:min(len(alike), 10)], ", ")
	}
	return fmt.Errorf("%s", text)
}

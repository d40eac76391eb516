package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dhibot/bot/registry"
	"dhibot/rewrite/catalog"
)

// CatalogTagsCmd is dhibot catalog tags.
type CatalogTagsCmd struct {
	catalogFlags `embed:""`

	Image  string `arg:"" help:"Image of the catalog, such as node."`
	All    bool   `help:"List every tag, also those that leave the distribution release open."`
	Kind   string `help:"Only build or runtime variants." enum:"build,runtime,all" default:"all"`
	Format string `help:"text or json (an object for each variant, a line each)." enum:"text,json" default:"text"`
	Verify bool   `help:"Ask the registry for each variant, with the logins of docker login."`
}

// variant is a row of the list; its JSON form is for scripts.
type variant struct {
	Image     string   `json:"image"`
	Version   string   `json:"version"`
	Distro    string   `json:"distro"`
	Kind      string   `json:"kind"`
	User      string   `json:"user"`
	EndOfLife string   `json:"end_of_life,omitempty"`
	Tags      []string `json:"tags"`
	Registry  string   `json:"registry,omitempty"`

	def *catalog.Definition
}

// Run lists the tags of an image by variant, newest first.
func (cmd *CatalogTagsCmd) Run(ctx context.Context, p *Program) error {
	c, err := cmd.load()
	if err != nil {
		return err
	}
	if !c.Has(cmd.Image) {
		return usage(unknownImage(c, cmd.Image))
	}
	list := variants(c, cmd.Image, cmd.Kind, cmd.All)
	failed := 0
	if cmd.Verify {
		failed = verifyVariants(ctx, p, cmd.naming(), list)
	}
	if err := cmd.print(p, c, list); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d variants are not as the catalog says", failed, len(list))
	}
	return nil
}

func (cmd *CatalogTagsCmd) print(p *Program, c *catalog.Catalog, list []*variant) error {
	if cmd.Format == "json" {
		enc := json.NewEncoder(p.Stdout)
		enc.SetEscapeHTML(false)
		for _, v := range list {
			if err := enc.Encode(v); err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Fprintf(p.Stdout, "%s: %d variants, catalog of %s\n\n", cmd.naming().Repository(cmd.Image), len(list), c.Source().Date)
	heading := []string{"VERSION", "DISTRIBUTION", "KIND", "USER", "END OF LIFE"}
	if cmd.Verify {
		heading = append(heading, "REGISTRY")
	}
	rows := [][]string{append(heading, "TAGS")}
	for _, v := range list {
		row := []string{v.Version, distroName(v.def), v.Kind, v.User, v.EndOfLife}
		if cmd.Verify {
			row = append(row, v.Registry)
		}
		rows = append(rows, append(row, strings.Join(v.Tags, " ")))
	}
	return table(p.Stdout, rows)
}

// variants lists the definitions of an image in the order of its tags, newest
// version first.
func variants(c *catalog.Catalog, image, kind string, all bool) []*variant {
	var list []*variant
	seen := make(map[*catalog.Definition]*variant)
	for _, tag := range c.Tags(image) {
		d, _ := c.Lookup(image, tag)
		if kind != "all" && kind != kindOf(d) {
			continue
		}
		v := seen[d]
		if v == nil {
			v = &variant{
				Image: image, Distro: string(d.Distro) + d.DistroVersion, Kind: kindOf(d), User: d.RunUser().Name,
				EndOfLife: d.EndOfLife, def: d, Version: d.Version(),
			}
			seen[d] = v
			list = append(list, v)
		}
	}
	for _, v := range list {
		for _, tag := range v.def.Tags {
			if all || namesRelease(v.def, tag) {
				v.Tags = append(v.Tags, tag)
			}
		}
		if len(v.Tags) == 0 { // a few images never name the release
			v.Tags = v.def.Tags
		}
	}
	return list
}

// namesRelease tells whether a tag names its distribution release and so stays
// with it.
func namesRelease(d *catalog.Definition, tag string) bool {
	return slices.Contains(strings.Split(tag, "-"), string(d.Distro)+d.DistroVersion)
}

// verifyVariants asks the registry for a tag of each variant and notes the
// answer. It returns how many are not as the catalog says.
func verifyVariants(ctx context.Context, p *Program, naming catalog.Naming, list []*variant) (failed int) {
	targets := make([]registry.Target, len(list))
	for i, v := range list {
		targets[i] = registry.Target{Reference: naming.Repository(v.Image) + ":" + v.Tags[0], Definition: v.def}
	}
	said := map[string]bool{}
	for i, a := range p.verifier().CheckAll(ctx, targets) {
		switch {
		case a.Err != nil:
			list[i].Registry = "failed"
			failed++
			if text := a.Err.Error(); !said[text] {
				said[text] = true
				fmt.Fprintln(p.Stderr, "dhibot:", text)
			}
		case len(a.Report.Differences) > 0:
			list[i].Registry = "differs"
			failed++
			printDifferences(p.Stderr, a.Report)
		default:
			list[i].Registry = "ok"
		}
	}
	return failed
}

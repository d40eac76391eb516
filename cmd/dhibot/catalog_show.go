package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"dhibot/bot/registry"
	"dhibot/rewrite/catalog"
)

// CatalogShowCmd is dhibot catalog show.
type CatalogShowCmd struct {
	catalogFlags `embed:""`

	Image  string `arg:"" help:"Image (node), tag (node:24-debian13) or upstream reference (golang:1.22-alpine)."`
	Verify bool   `help:"Ask the registry for the tags that are shown, with the logins of docker login."`
}

// Run shows an image of the catalog, one of its tags, or what an upstream
// reference becomes.
func (cmd *CatalogShowCmd) Run(ctx context.Context, p *Program) error {
	c, err := cmd.load()
	if err != nil {
		return err
	}
	image, tag, _ := strings.Cut(cmd.Image, ":")
	if name, ok := cmd.naming().Image(image); ok {
		image = name
	}
	var shown []registry.Target
	target := func(tag string, d *catalog.Definition) {
		shown = append(shown, registry.Target{Reference: cmd.naming().Repository(d.Image) + ":" + tag, Definition: d})
	}
	switch def, listed := c.Lookup(image, tag); {
	case listed:
		showDefinition(p.Stdout, cmd.naming(), tag, def)
		target(tag, def)
	case c.Has(image) && tag == "":
		if err := showImage(p.Stdout, c, cmd.naming(), image); err != nil {
			return err
		}
		choice, err := c.ChooseImage(image, "", "", catalog.Want{})
		if err == nil {
			target(choice.Dev.Tag, choice.Dev.Def)
			target(choice.Runtime.Tag, choice.Runtime.Def)
		}
	default:
		choice, err := showOrigin(p.Stdout, c, cmd.naming(), cmd.Image)
		if err != nil {
			return err
		}
		for _, pick := range []*catalog.Pick{choice.Dev, choice.Runtime} {
			if pick != nil {
				target(pick.Tag, pick.Def)
			}
		}
	}
	if !cmd.Verify {
		return nil
	}
	return verifyTargets(ctx, p, shown)
}

// showDefinition prints everything about one variant.
func showDefinition(w io.Writer, naming catalog.Naming, tag string, d *catalog.Definition) {
	fmt.Fprintf(w, "%s:%s\n\n", naming.Repository(d.Image), tag)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "  %-16s%s\n", name, value)
		}
	}
	row("kind", kindOf(d))
	row("distribution", distroName(d))
	row("version", d.Version())
	row("end of life", d.EndOfLife)
	row("platforms", strings.Join(d.Platforms, " "))
	row("user", userName(d.RunUser()))
	var accounts []string
	for _, u := range d.Users {
		accounts = append(accounts, userName(u))
	}
	row("accounts", strings.Join(accounts, ", "))
	row("entrypoint", execForm(d.Entrypoint))
	row("cmd", execForm(d.Cmd))
	row("work dir", cmp.Or(d.WorkDir, "/"))
	row("ports", strings.Join(d.Ports, " "))
	row("stop signal", d.StopSignal)
	row("shell", cmp.Or(d.Shell(), "none declared"))
	row("package manager", cmp.Or(d.PackageManager(), "none declared"))
	row("CA bundle", yesNo(d.CABundle()))
	row("time zones", yesNo(d.TZData()))
	for i, key := range slices.Sorted(maps.Keys(d.Environment)) {
		name := ""
		if i == 0 {
			name = "environment"
		}
		fmt.Fprintf(w, "  %-16s%s=%s\n", name, key, d.Environment[key])
	}
	for i, dir := range d.Directories {
		name := ""
		if i == 0 {
			name = "directories"
		}
		fmt.Fprintf(w, "  %-16s%s %d:%d %s\n", name, dir.Path, dir.UID, dir.GID, dir.Mode)
	}
	row("packages", strings.Join(d.Packages, " "))
	row("tags", strings.Join(d.Tags, " "))
}

func execForm(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "none declared"
}

// showImage prints the versions of an image with the distributions that have
// them.
func showImage(w io.Writer, c *catalog.Catalog, naming catalog.Naming, image string) error {
	fmt.Fprintf(w, "%s: catalog of %s\n", naming.Repository(image), c.Source().Date)
	if names := catalog.Upstreams(image); len(names) > 0 {
		fmt.Fprintf(w, "takes the place of %s\n", strings.Join(names, ", "))
	}
	fmt.Fprintln(w)
	type line struct{ version, flavor string }
	type cell struct{ build, runtime []string }
	var order []line
	cells := make(map[line]*cell)
	ends := make(map[line]string)
	for _, v := range variants(c, image, "all", false) {
		l := line{v.Version, v.def.Flavor}
		if cells[l] == nil {
			cells[l] = &cell{}
			order = append(order, l)
		}
		if v.Kind == "build" {
			cells[l].build = append(cells[l].build, distroName(v.def))
		} else {
			cells[l].runtime = append(cells[l].runtime, distroName(v.def))
		}
		ends[l] = cmp.Or(ends[l], v.EndOfLife)
	}
	rows := [][]string{{"VERSION", "FLAVOR", "BUILD", "RUNTIME", "END OF LIFE"}}
	for _, l := range order {
		rows = append(rows, []string{l.version, l.flavor, joined(cells[l].build), joined(cells[l].runtime), ends[l]})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	fmt.Fprintf(w, "\ndhibot catalog tags %s lists the tags.\n", image)
	return nil
}

func joined(distros []string) string {
	slices.Sort(distros)
	return strings.Join(slices.Compact(distros), ", ")
}

// showOrigin prints how an upstream reference is understood and what it
// becomes. The choice falls back to the variants that there are.
func showOrigin(w io.Writer, c *catalog.Catalog, naming catalog.Naming, reference string) (*catalog.Choice, error) {
	o := c.Origin(reference, nil)
	if o.Image == "" {
		text := fmt.Sprintf("%s has no equivalent: %s", reference, o.Evidence)
		if o.Hint != "" {
			text += fmt.Sprintf(" (%s)", o.Hint)
		}
		return nil, errors.New(text)
	}
	fmt.Fprintf(w, "%s is %s: %s\n", reference, naming.Repository(o.Image), o.Evidence)
	choice, err := c.Choose(o, catalog.Want{})
	var variant *catalog.NoVariantError
	for _, need := range []catalog.Need{catalog.NeedRuntime, catalog.NeedDev} {
		if errors.As(err, &variant) {
			choice, err = c.Choose(o, catalog.Want{Need: need})
		}
	}
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(w)
	if choice.Dev != nil {
		fmt.Fprintf(w, "  to build in  %s:%s\n", naming.Repository(o.Image), choice.Dev.Tag)
	}
	if choice.Runtime != nil {
		fmt.Fprintf(w, "  to run       %s:%s\n", naming.Repository(o.Image), choice.Runtime.Tag)
	}
	if len(choice.Why) > 0 {
		fmt.Fprintln(w)
	}
	for _, why := range choice.Why {
		fmt.Fprintf(w, "  %s\n", why)
	}
	return choice, nil
}

// verifier asks registries for the commands.
func (p *Program) verifier() *registry.Verifier { return registry.New() }

// verifyTargets asks the registry for the images that were shown.
func verifyTargets(ctx context.Context, p *Program, targets []registry.Target) error {
	var wrong []error
	fmt.Fprintln(p.Stdout)
	for _, a := range p.verifier().CheckAll(ctx, targets) {
		switch {
		case a.Err != nil:
			wrong = append(wrong, a.Err)
		case len(a.Report.Differences) > 0:
			printDifferences(p.Stdout, a.Report)
			wrong = append(wrong, fmt.Errorf("%s is not as the catalog says", a.Target.Reference))
		default:
			fmt.Fprintf(p.Stdout, "  verified: %s is %s, as the catalog says\n", a.Target.Reference, a.Report.Digest)
		}
	}
	return errors.Join(wrong...)
}

func printDifferences(w io.Writer, r *registry.Report) {
	for _, d := range r.Differences {
		fmt.Fprintf(w, "  %s: the %s is %s, the catalog says %s\n", r.Reference, d.What, d.Registry, d.Catalog)
	}
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/catalog/snapshot"
)

// CatalogUpdateCmd is dhibot catalog update.
type CatalogUpdateCmd struct {
	From    string  `required:"" help:"Checkout or tarball of github.com/docker-hardened-images/catalog." placeholder:"DIR|TARBALL"`
	Output  string  `help:"File to write." default:"dhi-catalog.json.gz" placeholder:"FILE"`
	Catalog string  `help:"Catalog to compare with (default: the built-in one)." placeholder:"FILE"`
	MaxLost float64 `help:"Refuse a source that lost more than this per cent of the images." default:"3" placeholder:"PERCENT"`
	Commit  string  `help:"Commit of the source, when it does not say." placeholder:"SHA"`
	Date    string  `help:"Day of the source, YYYY-MM-DD, when it does not say." placeholder:"DATE"`
	Check   bool    `help:"Write nothing; exit 3 when the facts differ from the catalog to compare with."`
}

// Run makes a snapshot, compares it and writes it.
func (cmd *CatalogUpdateCmd) Run(ctx context.Context, p *Program) error {
	before, err := (&catalogFlags{Catalog: cmd.Catalog}).load()
	if err != nil {
		return err
	}
	if cmd.Date != "" {
		if _, err := time.Parse(time.DateOnly, cmd.Date); err != nil {
			return usage(fmt.Errorf("--date: %w", err))
		}
	}
	s, err := cmd.read(ctx)
	if err != nil {
		return fmt.Errorf("reading %s: %w", cmd.From, err)
	}
	if s.Source.Date == "" {
		return usage(fmt.Errorf("%s does not say of which day it is: give --date", cmd.From))
	}
	after, err := s.Catalog()
	if err != nil {
		return fmt.Errorf("the facts of %s: %w", cmd.From, err)
	}
	changes := snapshot.Compare(before, after)
	printChanges(p.Stdout, before, after, changes)
	if err := changes.Check(cmd.MaxLost); err != nil {
		return fmt.Errorf("%w; --max-lost allows it", err)
	}
	if cmd.Check {
		if changes.Empty() {
			return nil
		}
		return &exitError{code: exitChanges}
	}
	if err := writeFile(cmd.Output, s.Encode); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "\nwrote %s; dhibot migrate --catalog %s uses it\n", cmd.Output, cmd.Output)
	return err
}

// read makes the snapshot from the directory or tarball.
func (cmd *CatalogUpdateCmd) read(ctx context.Context) (*snapshot.Snapshot, error) {
	source := catalog.Source{
		Repository: "docker-hardened-images/catalog", License: "Apache-2.0", Commit: cmd.Commit, Date: cmd.Date,
	}
	f, err := os.Open(cmd.From)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return snapshot.FromTar(f, source)
	}
	commit, date := headOf(ctx, cmd.From)
	source.Commit, source.Date = cmp.Or(source.Commit, commit), cmp.Or(source.Date, date)
	root, err := os.OpenRoot(cmd.From)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return snapshot.FromFS(root.FS(), source)
}

// headOf asks git for the commit that is checked out and its day. A tree
// without git has neither.
func headOf(ctx context.Context, dir string) (commit, date string) {
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		return "", ""
	}
	out, err := exec.CommandContext(ctx, "git", "-C", dir, "log", "-1", "--format=%H %cs").Output()
	if err != nil {
		return "", ""
	}
	commit, date, _ = strings.Cut(strings.TrimSpace(string(out)), " ")
	return commit, date
}

// writeFile replaces a file as a whole or not at all.
func writeFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}

// maxShown bounds how many images a list of changes names, maxFact how long a
// change is written.
const (
	maxShown = 25
	maxFact  = 100
)

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// printChanges says what the new snapshot has and how it differs.
func printChanges(w io.Writer, before, after *catalog.Catalog, c *snapshot.Changes) {
	fmt.Fprintf(w, "source: %s at %s, %s\n", after.Source().Repository, cmp.Or(after.Source().Commit, "an unknown commit"), after.Source().Date)
	fmt.Fprintf(w, "%d images, %d definitions, %d tags; the catalog of %s had %d, %d, %d\n",
		c.After.Images, c.After.Definitions, c.After.Tags, before.Source().Date, c.Before.Images, c.Before.Definitions, c.Before.Tags)
	if c.Empty() {
		fmt.Fprintln(w, "the facts are the same")
		return
	}
	names := func(title string, list []string) {
		if len(list) > 0 {
			fmt.Fprintf(w, "images %s: %s\n", title, strings.Join(some(list), ", "))
		}
	}
	names("added", c.ImagesAdded)
	names("removed", c.ImagesRemoved)
	rows := [][]string{{"IMAGE", "TAGS", "FACTS"}}
	for _, ic := range c.Images {
		if len(rows) > maxShown {
			break
		}
		facts := ""
		if len(ic.Facts) > 0 {
			f := ic.Facts[0]
			facts = clip(fmt.Sprintf("%s of %s was %s, is %s", f.What, f.Tag, f.Before, f.After), maxFact)
			if len(ic.Facts) > 1 {
				facts += fmt.Sprintf(" and %s", count(len(ic.Facts)-1, "more change"))
			}
		}
		rows = append(rows, []string{ic.Name, fmt.Sprintf("+%d -%d", len(ic.TagsAdded), len(ic.TagsRemoved)), facts})
	}
	if len(rows) > 1 {
		fmt.Fprintln(w)
		_ = table(w, rows) // like the lines above: a broken pipe shows at the end
	}
	if more := len(c.Images) - len(rows) + 1; more > 0 {
		fmt.Fprintf(w, "and %s more\n", count(more, "image"))
	}
}

func some(list []string) []string {
	if len(list) <= maxShown {
		return list
	}
	return append(list[:maxShown:maxShown], fmt.Sprintf("%d more", len(list)-maxShown))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

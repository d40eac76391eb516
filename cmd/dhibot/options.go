package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/distribution/reference"

	"dhibot/rewrite"
	"dhibot/rewrite/catalog"
)

// optionFlags are the choices of a migration on the command line. Empty means
// that the flag was not given.
type optionFlags struct {
	Config            string `help:"Configuration file, in the form of .github/dhi.yml." placeholder:"FILE"`
	Registry          string `help:"Registry of the hardened images (default: dhi.io)." placeholder:"HOST"`
	Namespace         string `help:"Namespace of your mirror: NS/dhi-<image>." placeholder:"NS"`
	Prefix            string `help:"Prefix of image names in the namespace (default: dhi- with --namespace)." placeholder:"PREFIX"`
	Distro            string `help:"Distribution: keep, debian or alpine (default: keep)." placeholder:"DISTRO"`
	RuntimeNeedsShell string `help:"A final stage that needs a shell: dev (move it to the dev image) or skip (default: dev)." placeholder:"WHAT"`
	MissingVersion    string `help:"A version that is not offered: report or nearest (default: report)." placeholder:"WHAT"`
	Catalog           string `help:"Catalog file to use instead of the built-in one." placeholder:"FILE"`
}

// load makes options of the flags. The error names everything that is wrong.
func (f *optionFlags) load(p *Program) (rewrite.Options, error) {
	var o rewrite.Options
	var wrong []error
	if f.Registry != "" || f.Namespace != "" || f.Prefix != "" {
		o.Naming = catalog.Naming{Registry: f.Registry, Namespace: f.Namespace, Prefix: f.Prefix}
		if _, err := reference.ParseNormalizedNamed(o.Naming.Repository("node") + ":1"); err != nil {
			wrong = append(wrong, fmt.Errorf("--registry, --namespace and --prefix give %q, which is no image: %w", o.Naming.Repository("node"), err))
		}
	}
	word := func(flag, value string, set map[string]func()) {
		if value == "" {
			return
		}
		if do, ok := set[value]; ok {
			do()
			return
		}
		wrong = append(wrong, fmt.Errorf("--%s: unknown value %q: one of %s", flag, value, keys(set)))
	}
	word("distro", f.Distro, map[string]func(){
		"keep":   func() { o.Distro = catalog.KeepDistro },
		"debian": func() { o.Distro = catalog.Debian },
		"alpine": func() { o.Distro = catalog.Alpine },
	})
	word("runtime-needs-shell", f.RuntimeNeedsShell, map[string]func(){
		"dev":  func() { o.RuntimeNeedsShell = rewrite.ShellDev },
		"skip": func() { o.RuntimeNeedsShell = rewrite.ShellSkip },
	})
	word("missing-version", f.MissingVersion, map[string]func(){
		"report":  func() { o.MissingVersion = catalog.ReportMissing },
		"nearest": func() { o.MissingVersion = catalog.NearestVersion },
	})
	if f.Catalog != "" {
		c, err := loadCatalog(f.Catalog)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("--catalog: %w", err))
		}
		o.Catalog = c
	}
	return o, errors.Join(wrong...)
}

func loadCatalog(name string) (*catalog.Catalog, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := catalog.Load(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return c, nil
}

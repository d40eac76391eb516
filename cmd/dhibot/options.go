package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/distribution/reference"

	"dhibot/bot/config"
	"dhibot/bot/discover"
	"dhibot/cmd/dhibot/local"
	"dhibot/rewrite"
	"dhibot/rewrite/catalog"
)

// optionFlags are the choices of a migration on the command line. Empty means
// that the flag was not given; then the configuration file decides.
type optionFlags struct {
	Config            string `help:"Configuration file (default: .github/dhi.yml of the repository, if it has one)." placeholder:"FILE"`
	Registry          string `help:"Registry of the hardened images (default: dhi.io)." placeholder:"HOST"`
	Namespace         string `help:"Namespace of your mirror: NS/dhi-<image>." placeholder:"NS"`
	Prefix            string `help:"Prefix of image names in the namespace (default: dhi- with --namespace)." placeholder:"PREFIX"`
	Distro            string `help:"Distribution: keep, debian or alpine (default: keep)." placeholder:"DISTRO"`
	RuntimeNeedsShell string `help:"A final stage that needs a shell: dev (move it to the dev image) or skip (default: dev)." placeholder:"WHAT"`
	MissingVersion    string `help:"A version that is not offered: report or nearest (default: report)." placeholder:"WHAT"`
	Catalog           string `help:"Catalog file to use instead of the built-in one." placeholder:"FILE"`
}

// choices are the flags, checked, and the configuration file if one was named.
type choices struct {
	config *config.File // of --config; nil: the one of each repository
	set    []func(*rewrite.Options)
}

// load checks the flags. The error names everything that is wrong with them.
func (f *optionFlags) load() (*choices, error) {
	c := &choices{}
	var wrong []error
	with := func(set func(*rewrite.Options)) { c.set = append(c.set, set) }
	word := func(flag, value string, known map[string]func(*rewrite.Options)) {
		if value == "" {
			return
		}
		if set, ok := known[value]; ok {
			with(set)
			return
		}
		wrong = append(wrong, fmt.Errorf("--%s: unknown value %q: one of %s", flag, value, keys(known)))
	}
	word("distro", f.Distro, map[string]func(*rewrite.Options){
		"keep":   func(o *rewrite.Options) { o.Distro = catalog.KeepDistro },
		"debian": func(o *rewrite.Options) { o.Distro = catalog.Debian },
		"alpine": func(o *rewrite.Options) { o.Distro = catalog.Alpine },
	})
	word("runtime-needs-shell", f.RuntimeNeedsShell, map[string]func(*rewrite.Options){
		"dev":  func(o *rewrite.Options) { o.RuntimeNeedsShell = rewrite.ShellDev },
		"skip": func(o *rewrite.Options) { o.RuntimeNeedsShell = rewrite.ShellSkip },
	})
	word("missing-version", f.MissingVersion, map[string]func(*rewrite.Options){
		"report":  func(o *rewrite.Options) { o.MissingVersion = catalog.ReportMissing },
		"nearest": func(o *rewrite.Options) { o.MissingVersion = catalog.NearestVersion },
	})
	with(func(o *rewrite.Options) {
		replace(&o.Naming.Registry, f.Registry)
		replace(&o.Naming.Namespace, f.Namespace)
		replace(&o.Naming.Prefix, f.Prefix)
	})
	if f.Registry != "" || f.Namespace != "" || f.Prefix != "" {
		named := catalog.Naming{Registry: f.Registry, Namespace: f.Namespace, Prefix: f.Prefix}.Repository("node")
		if _, err := reference.ParseNormalizedNamed(named + ":1"); err != nil {
			wrong = append(wrong, fmt.Errorf("--registry, --namespace and --prefix: they give %q, which is no image: %w", named, err))
		}
	}
	if f.Catalog != "" {
		facts, err := loadCatalog(f.Catalog)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("--catalog: %w", err))
		}
		with(func(o *rewrite.Options) { o.Catalog = facts })
	}
	if f.Config != "" {
		content, err := os.ReadFile(f.Config)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("--config: %w", err))
		}
		c.config = &config.File{Name: f.Config, Content: content}
	}
	return c, errors.Join(wrong...)
}

func replace(to *string, value string) {
	if value != "" {
		*to = value
	}
}

// maxConfig bounds a configuration file.
const maxConfig = 1 << 20

// options are the choices for the Dockerfiles of a repository: its
// configuration file, or the one of --config, and over it the flags. A nil
// repository has no file.
func (c *choices) options(repo *local.Repository) (rewrite.Options, config.Config, error) {
	file := config.File{Name: config.Path}
	switch {
	case c.config != nil:
		file = *c.config
	case repo != nil:
		content, err := repo.ReadFile(config.Path, maxConfig)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return rewrite.Options{}, config.Config{}, err
		}
		file.Content = content
		if file.Misnamed, err = repo.Has(config.Misnamed); err != nil {
			return rewrite.Options{}, config.Config{}, err
		}
	}
	cfg, problems := config.Resolve(config.File{}, file)
	if len(problems) > 0 {
		return rewrite.Options{}, cfg, problems
	}
	o := cfg.Options()
	for _, set := range c.set {
		set(&o)
	}
	return o, cfg, nil
}

// configure gives every job its options and passes over what the configuration
// leaves out, unless the user named the file.
func configure(jobs *local.Jobs, choose *choices) error {
	type setting struct {
		options rewrite.Options
		config  config.Config
	}
	settings := map[*local.Repository]setting{}
	var wrong []error
	for _, repo := range jobs.Repositories() {
		o, cfg, err := choose.options(repo)
		if err != nil {
			wrong = append(wrong, err)
		}
		settings[repo] = setting{o, cfg}
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	for i := range jobs.List {
		job := &jobs.List[i]
		s := settings[job.Repo]
		job.Options, job.Wants = s.options, s.config.WantsImage
		if job.Named || job.Skip != "" {
			continue
		}
		if ok, why := s.config.Wants(job.Path); !ok {
			job.Skip, job.Code = why, rewrite.ReasonCode(discover.Settings)
		}
	}
	return nil
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

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"dhibot/cmd/dhibot/local"
	"dhibot/rewrite"
	"dhibot/rewrite/report"
)

// MigrateCmd is dhibot migrate.
type MigrateCmd struct {
	Paths []string `arg:"" name:"path" help:"Dockerfile, directory (walked), or - for standard input to standard output."`

	Write  bool   `short:"w" help:"Write the results in place."`
	Check  bool   `help:"Change nothing; exit 3 when something would change."`
	Format string `help:"How to report: text, diff, json, markdown or sarif (default: text)." placeholder:"FORMAT"`
	Color  string `help:"Colours: auto, always or never. NO_COLOR counts for auto." default:"auto" placeholder:"WHEN"`

	Options optionFlags `embed:""`

	StdinPath string `name:"stdin-path" help:"Where the Dockerfile on standard input stands in its repository, so that its neighbours can be read." placeholder:"PATH"`
	Workers   int    `help:"How many files are worked on at once (default: one per processor, at least 2)." placeholder:"N"`
}

// Help is shown below the flags.
func (MigrateCmd) Help() string {
	return `By default a unified diff with explanations goes to standard output and nothing is
changed. On a pipe that output can be fed to git apply.

Exit codes: 0 done, 1 a file failed, 2 usage, 3 --check found changes.`
}

// Run migrates what the arguments name.
func (c *MigrateCmd) Run(ctx context.Context, p *Program) error {
	format, wrong := c.validate()
	choose, err := c.Options.load()
	wrong = append(wrong, err)
	if err := errors.Join(wrong...); err != nil {
		return usage(err)
	}
	if c.Paths[0] == "-" {
		return c.stdin(ctx, p, format, choose)
	}
	cwd, err := p.Getwd()
	if err != nil {
		return fmt.Errorf("finding the current directory: %w", err)
	}
	jobs, err := local.Find(ctx, cwd, c.Paths)
	if errors.Is(err, local.ErrArgument) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	defer jobs.Close()
	if err := configure(jobs, choose); err != nil {
		return usage(err)
	}
	return c.jobs(ctx, p, jobs, format)
}

// validate finds everything that is wrong with the flags.
func (c *MigrateCmd) validate() (report.Format, []error) {
	var wrong []error
	format := report.Text
	if c.Format != "" {
		var err error
		if format, err = report.ParseFormat(c.Format); err != nil {
			wrong = append(wrong, fmt.Errorf("--format: %w", err))
		}
	}
	if c.Color != "auto" && c.Color != "always" && c.Color != "never" {
		wrong = append(wrong, fmt.Errorf("--color: unknown value %q: one of auto, always, never", c.Color))
	}
	if c.Write && c.Check {
		wrong = append(wrong, errors.New("--write and --check contradict each other"))
	}
	if c.Workers < 0 {
		wrong = append(wrong, fmt.Errorf("--workers: %d is not a number of workers", c.Workers))
	}
	for _, path := range c.Paths {
		if path == "-" && len(c.Paths) > 1 {
			wrong = append(wrong, errors.New("- cannot be mixed with other paths"))
			break
		}
	}
	if len(c.Paths) == 1 && c.Paths[0] == "-" {
		if c.Write {
			wrong = append(wrong, errors.New("--write cannot be used with -: the result goes to standard output"))
		}
	} else if c.StdinPath != "" {
		wrong = append(wrong, errors.New("--stdin-path is for standard input: dhibot migrate --stdin-path PATH -"))
	}
	return format, wrong
}

func (c *MigrateCmd) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return max(2, runtime.NumCPU())
}

// jobs migrates files and reports them in their order.
func (c *MigrateCmd) jobs(ctx context.Context, p *Program, jobs *local.Jobs, format report.Format) error {
	for _, note := range jobs.Notes {
		fmt.Fprintf(p.Stderr, "dhibot: %s\n", report.Escape(note))
	}
	out, err := report.New(p.Stdout, format, p.reportOptions(p.Stdout, c.Color))
	if err != nil {
		return err
	}
	progress := newProgress(p, len(jobs.List))
	var failed, changed int
	err = local.Run(ctx, jobs.List, c.workers(), p.Engine, func(job local.Job, r *rewrite.Result) error {
		if c.Write && r.Outcome != rewrite.Failed && r.Changed() {
			if err := local.Write(job, r); err != nil {
				r = local.Failed(r, err)
			}
		}
		if r.Outcome == rewrite.Failed {
			failed++
		} else if r.Changed() {
			changed++
		}
		progress.clear()
		if err := out.Add(r); err != nil {
			return err
		}
		progress.step()
		return nil
	})
	progress.clear()
	// What is there is finished properly even when the run was cut short: half
	// a SARIF log helps nobody.
	err = errors.Join(err, out.Close())
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return &exitError{exitInterrupted, fmt.Errorf("interrupted after %d of %d Dockerfiles", progress.done, progress.total)}
		}
		return err
	}
	return c.verdict(failed, changed)
}

// verdict is the exit code of a run.
func (c *MigrateCmd) verdict(failed, changed int) error {
	switch {
	case failed > 0:
		return &exitError{exitFailed, nil} // each is in the report
	case c.Check && changed > 0:
		return &exitError{exitChanges, nil}
	}
	return nil
}

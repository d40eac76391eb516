package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"dhibot/cmd/dhibot/local"
	"dhibot/rewrite"
	"dhibot/rewrite/report"
)

// stdin migrates one Dockerfile from standard input. Without --format the new
// file goes to standard output, byte for byte, and the explanations to standard
// error; with --format the report goes to standard output instead.
func (c *MigrateCmd) stdin(ctx context.Context, p *Program, format report.Format, choose *choices) error {
	content, err := readAll(ctx, io.LimitReader(p.Stdin, local.MaxFile))
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	in := rewrite.Input{Path: "Dockerfile", Content: content}
	if c.StdinPath != "" {
		cwd, err := p.Getwd()
		if err != nil {
			return fmt.Errorf("finding the current directory: %w", err)
		}
		file := c.StdinPath
		if !filepath.IsAbs(file) {
			file = filepath.Join(cwd, file)
		}
		repo, err := local.Open(local.RepositoryOfFile(filepath.Dir(file), cwd, c.StdinPath))
		if err != nil {
			return usage(fmt.Errorf("--stdin-path: %w", err))
		}
		defer repo.Close()
		rel, err := filepath.Rel(repo.Dir, file)
		if err != nil {
			return usage(fmt.Errorf("--stdin-path: %w", err))
		}
		in.Path, in.FS = filepath.ToSlash(rel), repo.FS()
		if in.Options, _, err = choose.options(repo); err != nil {
			return usage(err)
		}
	} else if in.Options, _, err = choose.options(nil); err != nil {
		return usage(err)
	}
	r := local.Migrate(ctx, p.Engine, in)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.stdinResult(p, r, format); err != nil {
		return err
	}
	failed, changed := 0, 0
	if r.Outcome == rewrite.Failed {
		failed = 1
	} else if r.Changed() {
		changed = 1
	}
	return c.verdict(failed, changed)
}

func (c *MigrateCmd) stdinResult(p *Program, r *rewrite.Result, format report.Format) error {
	to := p.Stdout
	if c.Format == "" && !c.Check {
		if _, err := p.Stdout.Write(r.After); err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
		to = p.Stderr
	}
	out, err := report.New(to, format, p.reportOptions(to, c.Color))
	if err != nil {
		return err
	}
	if err := out.Add(r); err != nil {
		return err
	}
	return out.Close()
}

// readAll reads until the end or until ctx ends; then the reading goroutine is
// left behind, for a read of a terminal cannot be interrupted.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	type all struct {
		content []byte
		err     error
	}
	done := make(chan all, 1)
	go func() {
		content, err := io.ReadAll(r)
		done <- all{content, err}
	}()
	select {
	case a := <-done:
		return a.content, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dhibot/cmd/dhibot/server"
	"dhibot/rewrite"
)

// PlanCmd is dhibot plan: what the App would do in a repository.
type PlanCmd struct {
	Repository string       `arg:"" name:"owner/repo" help:"Repository on GitHub."`
	App        appFlags     `embed:""`
	Registry   registryFlag `embed:""`
	Log        demoLogFlags `embed:""`
}

// Help is shown below the flags.
func (PlanCmd) Help() string {
	return `Asks GitHub with the App's credentials, prints what the App would do, and changes nothing.`
}

// Run prints the plan.
func (c *PlanCmd) Run(ctx context.Context, p *Program) error {
	app, appErr := c.App.parse()
	flags := logFlags(c.Log)
	log, logErr := flags.logger(p.Stderr)
	owner, name, ok := strings.Cut(c.Repository, "/")
	var repoErr error
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		repoErr = fmt.Errorf("%q is not of the form OWNER/REPO", c.Repository)
	}
	desk, deskErr := c.Registry.desk()
	if err := errors.Join(repoErr, appErr, deskErr, logErr); err != nil {
		return usage(fmt.Errorf("these settings are missing or malformed:\n%w", err))
	}
	cfg := server.Config{AppID: app.id, Keys: app.keys, APIURL: app.apiURL, Registry: desk, Log: log}
	github, err := cfg.GitHub(nil)
	if err != nil {
		return err
	}
	b, err := cfg.Bot(github, rewrite.Migrate, nil)
	if err != nil {
		return err
	}
	text, err := b.Plan(ctx, owner, name)
	if err != nil {
		return fmt.Errorf("planning for %s: %w", c.Repository, err)
	}
	_, err = fmt.Fprintln(p.Stdout, strings.TrimRight(text, "\n"))
	return err
}

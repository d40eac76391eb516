package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/memory"
	"dhibot/bot/scan"
	"dhibot/cmd/dhibot/server"
	"dhibot/rewrite"

	"github.com/rs/zerolog"
)

// ScanCmd is dhibot scan: look through an organisation.
type ScanCmd struct {
	Organisation string       `arg:"" name:"organisation" help:"Organisation or user that the App is installed on."`
	Plan         bool         `help:"Print what the App would do and what it would take, and change nothing."`
	App          appFlags     `embed:""`
	Database     databaseFlag `embed:""`
	Log          demoLogFlags `embed:""`
}

// Help is shown below the flags.
func (ScanCmd) Help() string {
	return `Orders a pass through all repositories of an organisation; the server that works
on the same database makes it. With --plan the pass is made here and now, with
read-only calls: what was found, how many pull requests there would be, and how
many calls and hours they take. What was read is remembered beside the database,
so that it is read once.`
}

// Run orders a pass, or makes one.
func (c *ScanCmd) Run(ctx context.Context, p *Program) error {
	app, appErr := c.App.parse()
	flags := logFlags(c.Log)
	log, logErr := flags.logger(p.Stderr)
	var nameErr error
	if strings.Contains(c.Organisation, "/") {
		nameErr = fmt.Errorf("%q is not the name of an organisation", c.Organisation)
	}
	if err := errors.Join(nameErr, appErr, c.Database.parse(), logErr); err != nil {
		return usage(fmt.Errorf("these settings are missing or malformed:\n%w", err))
	}
	cfg := server.Config{AppID: app.id, Keys: app.keys, APIURL: app.apiURL, Log: log}
	github, err := cfg.GitHub(nil)
	if err != nil {
		return err
	}
	in, err := github.InstallationOn(ctx, c.Organisation)
	switch {
	case errors.Is(err, githubapi.ErrNotFound):
		return fmt.Errorf("the App is not installed on %s", safe(c.Organisation))
	case err != nil:
		return fmt.Errorf("looking for the installation on %s: %w", safe(c.Organisation), err)
	case in.Suspended:
		return fmt.Errorf("the installation on %s is suspended", safe(c.Organisation))
	}
	if c.Plan {
		return c.print(ctx, p, cfg, github, in.ID, log)
	}
	return withInbox(ctx, c.Database, func(box *inbox.Inbox) error {
		now := time.Now().UTC()
		if err := scan.Order(ctx, box, in.ID, "asked:"+now.Format(time.RFC3339)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.Stdout, "A pass through %s is ordered; dhibot serve makes it. dhibot jobs list --installation %d shows how far it is.\n", safe(in.Account.Login), in.ID)
		return err
	})
}

// print makes a pass and prints the plan.
func (c *ScanCmd) print(ctx context.Context, p *Program, cfg server.Config, github *githubapi.App, installation int64, log zerolog.Logger) (err error) {
	remembered, err := memory.Open(ctx, c.Database.DatabaseURL, memory.WithLogger(log))
	if err != nil {
		return fmt.Errorf("opening what scans remember: %w", err)
	}
	defer func() { err = errors.Join(err, remembered.Close()) }()
	b, err := cfg.Bot(github, rewrite.Migrate, nil)
	if err != nil {
		return err
	}
	s, err := cfg.Scanner(github, b, remembered, scan.NoQueue{}, nil)
	if err != nil {
		return err
	}
	plan, err := s.Foresee(ctx, installation, func(n int) { fmt.Fprintf(p.Stderr, "%d repositories\n", n) }, func(until time.Time) {
		fmt.Fprintf(p.Stderr, "GitHub's limit is reached; going on at %s\n", until.Local().Format(time.TimeOnly))
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.Stdout, strings.TrimRight(plan.Text(), "\n"))
	return err
}

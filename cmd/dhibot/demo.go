package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dhibot/cmd/dhibot/demo"
)

// DemoCmd is dhibot demo.
type DemoCmd struct {
	Once    bool          `help:"End when all pull requests are open; exit 1 when one is missing."`
	Listen  string        `default:"127.0.0.1:0" help:"Address of the GitHub stand-in (default: a free port)." placeholder:"ADDR"`
	Timeout time.Duration `default:"2m" help:"How long the pull requests may take." placeholder:"TIME"`
	Log     demoLogFlags  `embed:""`
}

// demoLogFlags are logFlags with the defaults of something that one watches.
type demoLogFlags struct {
	LogLevel  string `default:"warn" help:"What the App itself logs: trace, debug, info, warn or error." placeholder:"LEVEL"`
	LogFormat string `default:"console" help:"json or console." placeholder:"FORMAT"`
}

// Help is shown below the flags.
func (DemoCmd) Help() string {
	return `One process, nothing installed but git: a GitHub stand-in with an organisation of
sample repositories, the App installed on it, and a person who writes /dhi migrate.`
}

// Run plays the demo.
func (c *DemoCmd) Run(ctx context.Context, p *Program) error {
	flags := logFlags(c.Log)
	log, err := flags.logger(p.Stderr)
	wrong := []error{err, parseListen("--listen", c.Listen)}
	if c.Timeout <= 0 {
		wrong = append(wrong, fmt.Errorf("--timeout: %s is no time", c.Timeout))
	}
	if err := errors.Join(wrong...); err != nil {
		return usage(err)
	}
	return demo.Run(ctx, demo.Options{Listen: c.Listen, Once: c.Once, Timeout: c.Timeout, Out: p.Stdout, Log: log})
}

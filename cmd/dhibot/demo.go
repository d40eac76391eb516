package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"dhibot/cmd/dhibot/demo"
)

// DemoCmd is dhibot demo.
type DemoCmd struct {
	Once    bool          `help:"End when all pull requests are open; exit 1 when one is missing."`
	Listen  string        `default:"127.0.0.1:0" help:"Address of the GitHub stand-in (default: a free port)." placeholder:"ADDR"`
	Timeout time.Duration `default:"2m" help:"How long the pull requests may take." placeholder:"TIME"`
	Log     demoLogFlags  `embed:""`

	ServeOnly     bool   `help:"Serve the stand-in alone, to test other programs against it."`
	Seed          string `help:"With --serve-only: repositories to serve, as OWNER/REPOSITORY/ directories (default: the samples)." placeholder:"DIR"`
	WebhookURL    string `name:"webhook-url" help:"With --serve-only: where webhooks are delivered." placeholder:"URL"`
	WebhookSecret string `help:"With --serve-only: what they are signed with (default: generated)." placeholder:"SECRET"`
	AppID         string `name:"app-id" help:"With --serve-only: number of the App (default: chosen)." placeholder:"ID"`
	PrivateKey    string `help:"With --serve-only: private key of the App, as a file or in PEM form (default: generated)." placeholder:"FILE"`
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
	alone, err := c.standin()
	if err := errors.Join(append(wrong, err)...); err != nil {
		return usage(err)
	}
	if c.ServeOnly {
		alone.Out, alone.Err = p.Stdout, p.Stderr
		return demo.Serve(ctx, alone)
	}
	return demo.Run(ctx, demo.Options{Listen: c.Listen, Once: c.Once, Timeout: c.Timeout, Out: p.Stdout, Log: log})
}

// standin checks the flags that belong to --serve-only.
func (c *DemoCmd) standin() (demo.StandinOptions, error) {
	o := demo.StandinOptions{Listen: c.Listen, Seed: c.Seed, WebhookURL: c.WebhookURL, WebhookSecret: c.WebhookSecret}
	if !c.ServeOnly {
		if c.Seed+c.WebhookURL+c.WebhookSecret+c.AppID+c.PrivateKey != "" {
			return o, errors.New("--seed, --webhook-url, --webhook-secret, --app-id and --private-key need --serve-only")
		}
		return o, nil
	}
	var wrong []error
	if c.Once {
		wrong = append(wrong, errors.New("--once and --serve-only contradict each other"))
	}
	if c.AppID != "" {
		id, err := strconv.ParseInt(c.AppID, 10, 64)
		if err != nil || id <= 0 {
			wrong = append(wrong, fmt.Errorf("--app-id: %q is not the number of an App", c.AppID))
		}
		o.AppID = id
	}
	if c.WebhookURL != "" && !strings.HasPrefix(c.WebhookURL, "http://") && !strings.HasPrefix(c.WebhookURL, "https://") {
		wrong = append(wrong, fmt.Errorf("--webhook-url: %q is not an http address", c.WebhookURL))
	}
	if c.PrivateKey != "" {
		var err error
		if o.Key, o.KeyFile, err = readKey(c.PrivateKey); err != nil {
			wrong = append(wrong, fmt.Errorf("--private-key: %w", err))
		}
	}
	return o, errors.Join(wrong...)
}

// readKey reads a private key from a file, or from the text itself; then there
// is no file.
func readKey(value string) (key *rsa.PrivateKey, file string, err error) {
	text := value
	if !strings.HasPrefix(strings.TrimSpace(value), "-----BEGIN ") {
		content, err := os.ReadFile(value)
		if err != nil {
			return nil, "", err
		}
		text, file = string(content), value
	}
	keys, err := parseKeys(text)
	if err != nil {
		return nil, "", err
	}
	return keys[0], file, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"dhibot/cmd/dhibot/server"
)

// ServeCmd is dhibot serve.
type ServeCmd struct {
	App           appFlags     `embed:""`
	WebhookSecret string       `env:"DHIBOT_WEBHOOK_SECRET" help:"Secret of the webhook; several, separated by commas, while one is being replaced." placeholder:"SECRET"`
	Listen        string       `env:"DHIBOT_LISTEN" default:":3000" help:"Address to listen on." placeholder:"ADDR"`
	Database      databaseFlag `embed:""`
	Registry      registryFlag `embed:""`
	Log           logFlags     `embed:""`
}

// Help is shown below the flags.
func (ServeCmd) Help() string {
	return `Routes: POST /api/github/webhooks, GET /healthz, GET /readyz, GET /metrics.

SIGINT or SIGTERM ends it once what is being worked on is finished; deliveries that
are left are taken up at the next start.`
}

// Run runs the App until it is told to stop.
func (c *ServeCmd) Run(ctx context.Context, p *Program) error {
	app, appErr := c.App.parse()
	secrets, secretErr := parseSecrets("DHIBOT_WEBHOOK_SECRET", c.WebhookSecret)
	desk, deskErr := c.Registry.desk()
	log, logErr := c.Log.logger(p.Stderr)
	if err := errors.Join(appErr, secretErr, parseListen("DHIBOT_LISTEN", c.Listen), c.Database.parse(), deskErr, logErr); err != nil {
		return usage(fmt.Errorf("these settings are missing or malformed:\n%w", err))
	}
	if strings.HasPrefix(app.apiURL, "http:") {
		log.Warn().Str("url", app.apiURL).Msg("DHIBOT_GITHUB_API_URL is not encrypted: tokens can be read on the way")
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	return server.Run(ctx, server.Config{AppID: app.id, Keys: app.keys, Secrets: secrets, APIURL: app.apiURL,
		Database: c.Database.DatabaseURL, Registry: desk, Log: log}, ln)
}

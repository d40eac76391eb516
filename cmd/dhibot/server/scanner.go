package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"dhibot/bot"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
	"dhibot/bot/memory"
	"dhibot/bot/scan"
)

// Scanner makes what goes through whole organisations. m may be nil.
func (c Config) Scanner(github *githubapi.App, b *bot.Bot, remembered *memory.Store, queue scan.Queue, m *metrics) (*scan.Scanner, error) {
	keys, err := markerKeys(c.Keys)
	if err != nil {
		return nil, err
	}
	version, err := engineVersion()
	if err != nil {
		return nil, err
	}
	if c.Catalog != nil {
		version += fmt.Sprintf(" %+v", c.Catalog.Source())
	}
	cfg := scan.Config{GitHub: github, Engine: b, Memory: remembered, Queue: queue, Keys: keys, Version: version,
		Log: c.Log.With().Str("component", "scan").Logger()}
	if m != nil {
		cfg.Seen, cfg.Decided = m.seen, m.decided
	}
	return scan.New(cfg)
}

// engineVersion tells programs apart by their bytes: what one build has found in
// a repository says nothing about what another one finds, and a number that
// somebody has to raise is forgotten sooner or later.
func engineVersion() (version string, err error) {
	name, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("looking for our own program: %w", err)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("reading our own program: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading our own program: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

// both is the work of deliveries: our own goes to the scanner. GitHub's goes to
// the bot, and the scanner hears of it when the bot is done. When that fails the
// delivery is handled again, which both can bear.
func both(b *bot.Bot, s *scan.Scanner) inbox.Handler {
	return func(ctx context.Context, d inbox.Delivery) error {
		if scan.Own(d.Event) {
			return s.Handle(ctx, d)
		}
		if err := b.Handle(ctx, d); err != nil {
			return err
		}
		return s.Observe(ctx, d)
	}
}

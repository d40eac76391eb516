package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// HealthcheckCmd is dhibot healthcheck: a probe for images without a shell or
// curl.
type HealthcheckCmd struct {
	Listen string `env:"DHIBOT_LISTEN" default:":3000" help:"Address that dhibot serve listens on." placeholder:"ADDR"`
	Ready  bool   `help:"Ask whether it is ready (/readyz) instead of alive (/healthz)."`
}

// healthTime is below the 30 s that Docker gives a check by default, and above
// what a busy machine needs.
const healthTime = 5 * time.Second

// Run asks a server on this machine how it is.
func (c *HealthcheckCmd) Run(ctx context.Context) error {
	if err := parseListen("DHIBOT_LISTEN", c.Listen); err != nil {
		return usage(err)
	}
	host, port, _ := net.SplitHostPort(c.Listen) // parseListen has looked at it
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	path := "/healthz"
	if c.Ready {
		path = "/readyz"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return fmt.Errorf("asking the server: %w", err)
	}
	// Never through a proxy: the server is on this machine.
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking the server: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s to %s", resp.Status, path)
	}
	return nil
}

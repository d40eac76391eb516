package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"dhibot/cmd/dhibot/bench"
)

// BenchCmd is dhibot bench: what dhibot promises, measured on this machine.
// Each benchmark is a command below it.
type BenchCmd struct {
	Webhooks BenchWebhooksCmd `cmd:"" help:"Measure how fast deliveries are accepted, beside bare inserts of the same bytes."`
	Scan     BenchScanCmd     `cmd:"" help:"Measure passes through an organisation: calls, time, memory, and how long others wait meanwhile."`
}

// Help is shown below the flags.
func (BenchCmd) Help() string {
	return `Nothing is sent anywhere: servers and databases are started on this machine.`
}

// BenchWebhooksCmd is dhibot bench webhooks.
type BenchWebhooksCmd struct {
	Database []string `sep:"none" help:"sqlite, sqlite:DIRECTORY, postgres (started from the programs on this machine), or postgres://... (a database is created there and dropped). May be repeated (default: sqlite and postgres)." placeholder:"DB"`
	Posters  int      `default:"8" help:"How many post at once." placeholder:"N"`
	Size     string   `default:"20KB" help:"Size of a payload." placeholder:"SIZE"`
	Seconds  float64  `default:"20" help:"How long to measure each database." placeholder:"N"`
	Working  bool     `help:"Also work on what was accepted, with a handler that does nothing."`
}

// Run measures and prints a table.
func (c *BenchWebhooksCmd) Run(ctx context.Context, p *Program) error {
	size, err := parseSize(c.Size)
	wrong := []error{err}
	if err == nil && (size < 1<<10 || size > 25<<20) {
		wrong = append(wrong, fmt.Errorf("--size: %s is not between 1KB and 25MB", c.Size))
	}
	if c.Posters < 1 || c.Posters > 64 {
		wrong = append(wrong, fmt.Errorf("--posters: %d is not between 1 and 64", c.Posters))
	}
	if !(c.Seconds > 0 && c.Seconds <= 3600) {
		wrong = append(wrong, fmt.Errorf("--seconds: %g is not between 0 and 3600", c.Seconds))
	}
	if err := errors.Join(wrong...); err != nil {
		return usage(err)
	}
	databases := c.Database
	if len(databases) == 0 {
		databases = []string{"sqlite", "postgres"}
	}
	return bench.Webhooks{Databases: databases, Posters: c.Posters, Size: size,
		For: time.Duration(c.Seconds * float64(time.Second)), Working: c.Working, Out: p.Stdout}.Run(ctx)
}

// BenchScanCmd is dhibot bench scan.
type BenchScanCmd struct {
	Repositories int           `default:"1000" help:"How many repositories there are, the organisation's own among them." placeholder:"N"`
	Dockerfiles  int           `default:"0" help:"How many Dockerfiles they have together (default: three in two repositories)." placeholder:"N"`
	Latency      time.Duration `default:"50ms" help:"What every answer of GitHub takes." placeholder:"DURATION"`
	Most         time.Duration `default:"2h" help:"How long a pass may take." placeholder:"DURATION"`
}

// Run measures and prints a table.
func (c *BenchScanCmd) Run(ctx context.Context, p *Program) error {
	if c.Dockerfiles == 0 {
		c.Dockerfiles = c.Repositories * 3 / 2
	}
	var wrong []error
	if c.Repositories < 2 || c.Repositories > 100_000 {
		wrong = append(wrong, fmt.Errorf("--repositories: %d is not between 2 and 100000", c.Repositories))
	}
	if c.Dockerfiles < c.Repositories || c.Dockerfiles > 100*max(1, c.Repositories) {
		wrong = append(wrong, fmt.Errorf("--dockerfiles: %d is not between 1 and 100 for each repository", c.Dockerfiles))
	}
	if c.Latency < 0 || c.Latency > time.Minute || c.Most <= 0 {
		wrong = append(wrong, errors.New("--latency and --most: a latency of at most a minute, and some time"))
	}
	if err := errors.Join(wrong...); err != nil {
		return usage(err)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("looking for our own program: %w", err)
	}
	return bench.Scan{Program: program, Repositories: c.Repositories, Dockerfiles: c.Dockerfiles, Latency: c.Latency, Most: c.Most,
		Out: p.Stdout, Progress: p.Stderr}.Run(ctx)
}

// parseSize reads 20KB, 1MB or 500 (bytes); a KB has 1024 bytes.
func parseSize(text string) (int, error) {
	number, unit := strings.ToUpper(strings.TrimSpace(text)), 1
	for suffix, size := range map[string]int{"KB": 1 << 10, "MB": 1 << 20} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = rest, size
		}
	}
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 1 || n > 1<<30/unit {
		return 0, fmt.Errorf("--size: %q is not a size such as 20KB", text)
	}
	return n * unit, nil
}

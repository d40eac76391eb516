package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"dhibot/cmd/dhibot/local"
	"dhibot/rewrite"
)

// Exit codes; 0 to 3 are a contract with scripts.
const (
	exitDone        = 0
	exitFailed      = 1   // a file failed, or the work could not be done
	exitUsage       = 2   // the command line or a setting is wrong; nothing was started
	exitChanges     = 3   // --check found changes
	exitInterrupted = 130 // as shells have it for SIGINT
)

// Program is the whole program with its surroundings, so that a test can run it.
type Program struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Getwd          func() (string, error)
	Engine         local.Engine
}

// NewProgram is the program in its process.
func NewProgram() *Program {
	return &Program{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Getwd: os.Getwd, Engine: rewrite.Migrate}
}

// commands is the command line. Each command is a file of its own.
type commands struct {
	Migrate     MigrateCmd     `cmd:"" help:"Migrate the Dockerfiles of a checkout."`
	Plan        PlanCmd        `cmd:"" help:"Print what the App would do in a repository, and change nothing."`
	Scan        ScanCmd        `cmd:"" help:"Look through an organisation, or print what the App would do there."`
	Serve       ServeCmd       `cmd:"" help:"Run the GitHub App."`
	Demo        DemoCmd        `cmd:"" help:"Play the App against a built-in GitHub stand-in."`
	Jobs        JobsCmd        `cmd:"" help:"List deliveries, and retry or park them."`
	Bench       BenchCmd       `cmd:"" help:"Measure what dhibot promises, on this machine."`
	Healthcheck HealthcheckCmd `cmd:"" help:"Ask a server on this machine whether it is well."`
	Catalog     CatalogCmd     `cmd:"" help:"Look at the catalog of hardened images, or renew it."`
	Version     VersionCmd     `cmd:"" help:"Print the version."`
}

// Run runs the program with its arguments and returns the exit code.
func (p *Program) Run(ctx context.Context, args []string) int {
	code, err := p.run(ctx, args)
	if err != nil {
		fmt.Fprintf(p.Stderr, "dhibot: %v\n", err)
	}
	return code
}

func (p *Program) run(ctx context.Context, args []string) (int, error) {
	var cli commands
	exited := false
	parser, err := kong.New(&cli,
		kong.Name("dhibot"),
		kong.Description("Move Dockerfiles to Docker Hardened Images, with a reason for every change."),
		kong.Writers(p.Stdout, p.Stderr),
		kong.Exit(func(int) { exited = true }), // after --help
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
	)
	if err != nil {
		return exitFailed, fmt.Errorf("building the command line: %w", err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := parser.Parse(args)
	if exited {
		return exitDone, nil
	}
	if err != nil {
		return exitUsage, fmt.Errorf("%w; dhibot --help shows how", err)
	}
	err = chosen.Run()
	return exitCode(ctx, err)
}

// exitCode is the code for what a command returned, and the error that is left
// to be printed.
func exitCode(ctx context.Context, err error) (int, error) {
	var quiet *exitError
	switch {
	case err == nil:
		return exitDone, nil
	case errors.As(err, &quiet):
		return quiet.code, quiet.err
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted, errors.New("interrupted")
	}
	return exitFailed, err
}

// exitError ends the program with a code; err is printed unless it is nil.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage is an error of the command line or of a setting.
func usage(err error) error { return &exitError{exitUsage, err} }

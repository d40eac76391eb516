// Command dhibot moves Dockerfiles to Docker Hardened Images: as a GitHub App
// for a whole organisation, or on a checkout on this machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for a clean end. After it the handlers are gone, so
	// that a second one ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(NewProgram().Run(ctx, os.Args[1:]))
}

package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// stopTime is how long Serve lets requests finish: more than the longest
// request should take, less than what supervisors give a process.
const stopTime = 10 * time.Second

// Serve answers requests on ln until ctx ends, then lets those in flight
// finish and returns nil. It closes ln.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	// Requests outlive ctx: a delivery being stored while the process is told
	// to stop is answered.
	base := context.WithoutCancel(ctx)
	server := &http.Server{
		Handler:           h,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // 25 MiB at 7 Mbit/s
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("webhooks: serving: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(base, stopTime)
	defer cancel()
	err := server.Shutdown(stop)
	if err != nil {
		err = errors.Join(fmt.Errorf("webhooks: requests did not end in time: %w", err), server.Close())
	}
	<-served
	return err
}

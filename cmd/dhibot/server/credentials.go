package server

import (
	"context"
	"errors"
	"sync/atomic"

	"dhibot/bot/githubapi"
)

// credentials tells whether GitHub accepts who we say we are. An answer that
// does not come, or a limit, says nothing about that: deliveries can be stored
// all the same, and nobody is to stop sending them. So what was proved once
// holds until GitHub says otherwise.
type credentials struct {
	self   func(context.Context) (githubapi.AppInfo, error)
	proved atomic.Bool
}

func (c *credentials) check(ctx context.Context) error {
	_, err := c.self(ctx)
	switch {
	case err == nil:
		c.proved.Store(true)
		return nil
	case errors.Is(err, githubapi.ErrUnauthorized), errors.Is(err, githubapi.ErrNotFound): // the second: no such App
		c.proved.Store(false)
		return err
	case c.proved.Load():
		return nil
	default:
		return err
	}
}

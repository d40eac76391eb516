// Package standintest gives tests a GitHub: the stand-in, listening until the
// test ends, with the App on it as people register it.
package standintest

import (
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"dhibot/bot/event"
	"dhibot/bot/inbox"
	"dhibot/bot/manifest"
	"dhibot/bot/standin"
)

var shared = sync.OnceValues(standin.GenerateKey)

// Key is one private key for all tests of a program: making one takes a while.
func Key(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Listen starts a stand-in on an address of its own. It is empty.
func Listen(t testing.TB, options ...standin.Option) *standin.Server {
	t.Helper()
	s, err := standin.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return s
}

// App registers the App, named dhibot, with Key. Its webhooks go to an address;
// "" is nowhere.
func App(t testing.TB, s *standin.Server, webhook string) *standin.App {
	t.Helper()
	app, err := s.AddApp(standin.AppConfig{Slug: "dhibot", WebhookURL: webhook, Secret: "secret", Key: Key(t),
		Permissions: manifest.Permissions(), Events: manifest.Events()})
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// Delivery reads a webhook as the edge hands it to the inbox. Its signature is
// not looked at.
func Delivery(r *http.Request) (inbox.Delivery, error) {
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		return inbox.Delivery{}, fmt.Errorf("reading a webhook: %w", err)
	}
	d := inbox.Delivery{GUID: r.Header.Get("X-GitHub-Delivery"), Event: r.Header.Get("X-GitHub-Event"), Body: payload}
	if e, err := event.Decode(d.Event, payload); err == nil {
		h := e.Common()
		d.Installation, d.Repository, d.FullName, d.Key = h.Installation.ID, h.Repository.ID, h.Repository.FullName, e.Key()
	}
	return d, nil
}

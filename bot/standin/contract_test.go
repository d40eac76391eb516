package standin_test

import (
	"strings"
	"sync"
	"testing"

	"dhibot/bot/standin"
	"dhibot/bot/standin/contract"
)

// watch makes the server of a test answer to GitHub's description: every call
// and every webhook that breaks it fails the test.
func watch(t testing.TB) []standin.Option {
	t.Helper()
	spec, err := contract.Shared()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	said := map[string]bool{}
	report := func(err error) {
		if err == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !said[err.Error()] {
			said[err.Error()] = true
			t.Errorf("contract: %v", err)
		}
	}
	return []standin.Option{
		standin.WithObserver(func(e standin.Exchange) {
			if e.Route == "" && e.Status == 404 {
				return // no endpoint at all
			}
			_, query, _ := strings.Cut(e.URL, "?")
			report(spec.CheckCall(contract.Call{
				Method: e.Method, Path: e.Path, Query: query, Request: e.Request, RequestBody: e.RequestBody,
				Status: e.Status, Response: e.Response, ResponseBody: e.ResponseBody,
			}))
		}),
		standin.WithDeliveryObserver(func(d standin.Delivery) { report(spec.CheckWebhook(d.Event, d.Body)) }),
	}
}

package contract

import (
	"errors"
	"strings"
	"sync"

	"dhibot/bot/standin"
)

// Watch makes options for [standin.New] that hold every call and every webhook
// of the server against the description. report is called once for each
// different finding, from any goroutine; [testing.T.Errorf] fits.
func (s *Spec) Watch(report func(format string, args ...any)) []standin.Option {
	var mu sync.Mutex
	said := map[string]bool{}
	tell := func(err error) {
		if err == nil {
			return
		}
		mu.Lock()
		known := said[err.Error()]
		said[err.Error()] = true
		mu.Unlock()
		if !known {
			report("contract: %v", err)
		}
	}
	return []standin.Option{
		standin.WithObserver(func(e standin.Exchange) {
			err := s.CheckCall(CallOf(e))
			if e.Route == "" && e.Status == 404 && errors.Is(err, ErrUndocumented) {
				return // no endpoint, and GitHub has none either
			}
			tell(err)
		}),
		standin.WithDeliveryObserver(func(d standin.Delivery) { tell(s.CheckWebhook(d.Event, d.Body)) }),
	}
}

// CallOf makes a Call of what an observer of the stand-in sees.
func CallOf(e standin.Exchange) Call {
	_, query, _ := strings.Cut(e.URL, "?")
	return Call{
		Method: e.Method, Path: e.Path, Query: query, Request: e.Request, RequestBody: e.RequestBody,
		Status: e.Status, Response: e.Response, ResponseBody: e.ResponseBody,
	}
}

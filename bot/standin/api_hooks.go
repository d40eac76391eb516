package standin

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func (s *Server) hookRoutes() []route {
	const docs = "apps/webhooks#"
	return []route{
		{method: "GET", pattern: "/app/hook/config", auth: authApp, doc: docs + "get-a-webhook-configuration-for-an-app", do: hookConfig},
		{method: "PATCH", pattern: "/app/hook/config", auth: authApp, doc: docs + "update-a-webhook-configuration-for-an-app", do: editHookConfig},
		{method: "GET", pattern: "/app/hook/deliveries", auth: authApp, doc: docs + "list-deliveries-for-an-app-webhook", do: listDeliveries},
		{method: "GET", pattern: "/app/hook/deliveries/{id}", auth: authApp, doc: docs + "get-a-delivery-for-an-app-webhook", do: getDelivery},
		{method: "POST", pattern: "/app/hook/deliveries/{id}/attempts", auth: authApp, doc: docs + "redeliver-a-delivery-for-an-app-webhook", do: redeliver},
	}
}

func hookConfig(c *call) error {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	a := c.who.app
	o := object{"content_type": "json", "insecure_ssl": "0", "url": a.hookURL}
	if a.secret != "" {
		o["secret"] = "********"
	}
	return c.ok(o)
}

func editHookConfig(c *call) error {
	var req struct {
		URL    *string `json:"url"`
		Secret *string `json:"secret"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	c.s.mu.Lock()
	if req.URL != nil {
		c.who.app.hookURL = *req.URL
	}
	if req.Secret != nil {
		c.who.app.secret = *req.Secret
	}
	c.s.mu.Unlock()
	return hookConfig(c)
}

// deliveriesOf lists an App's attempts, newest first.
func (s *Server) deliveriesOf(a *App) []*delivery {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	var out []*delivery
	for n := len(s.hooks.log) - 1; n >= 0; n-- {
		if d := s.hooks.log[n]; d.app == a {
			out = append(out, d)
		}
	}
	return out
}

// deliveryItem is the schema "hook-delivery-item".
func deliveryItem(d *delivery) object {
	o := object{
		"id": d.id, "guid": d.guid, "delivered_at": stamp(d.at), "redelivery": d.redelivery, "duration": d.duration.Seconds(),
		"status": d.message, "status_code": d.status, "event": d.event, "action": nullable(d.action),
		"installation_id": nil, "repository_id": nil, "throttled_at": nil,
	}
	if d.installation != 0 {
		o["installation_id"] = d.installation
	}
	if d.repo != 0 {
		o["repository_id"] = d.repo
	}
	return o
}

// listDeliveries pages by cursor, not by number.
func listDeliveries(c *call) error {
	per := 30
	if n, err := strconv.Atoi(c.query("per_page")); err == nil && n > 0 {
		per = min(n, 100)
	}
	all := c.s.deliveriesOf(c.who.app)
	if status := c.query("status"); status != "" {
		var kept []*delivery
		for _, d := range all {
			ok := d.status >= 200 && d.status < 300
			if status == "success" && ok || status == "failure" && !ok {
				kept = append(kept, d)
			}
		}
		all = kept
	}
	if cursor := c.query("cursor"); cursor != "" {
		before, err := decodeCursor(cursor)
		if err != nil {
			return fail(http.StatusUnprocessableEntity, "Invalid cursor: "+cursor)
		}
		for len(all) > 0 && all[0].id >= before {
			all = all[1:]
		}
	}
	page := all[:min(per, len(all))]
	if len(all) > per {
		u := *c.r.URL
		q := u.Query()
		q.Set("cursor", encodeCursor(page[len(page)-1].id))
		u.RawQuery = q.Encode()
		c.header.Set("Link", fmt.Sprintf(`<%s%s>; rel="next"`, c.s.URL(), u.RequestURI()))
	}
	return c.ok(mapped(page, deliveryItem))
}

func encodeCursor(id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("v1_" + itoa(id)))
}

func decodeCursor(s string) (int64, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimPrefix(string(b), "v1_"), 10, 64)
}

func (c *call) delivery() (*delivery, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	for _, d := range c.s.deliveriesOf(c.who.app) {
		if d.id == id {
			return d, nil
		}
	}
	return nil, notFound()
}

func getDelivery(c *call) error {
	d, err := c.delivery()
	if err != nil {
		return err
	}
	flat := func(h http.Header) object {
		o := object{}
		for k := range h {
			o[k] = h.Get(k)
		}
		return o
	}
	o := deliveryItem(d)
	o["url"] = d.url
	o["request"] = object{"headers": flat(d.request), "payload": json.RawMessage(d.body)}
	o["response"] = object{"headers": flat(d.response), "payload": string(d.answer)}
	return c.ok(o)
}

func redeliver(c *call) error {
	d, err := c.delivery()
	if err != nil {
		return err
	}
	c.s.Redeliver(d.id)
	return c.json(http.StatusAccepted, object{})
}

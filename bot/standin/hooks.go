package standin

import (
	"encoding/json"
	"maps"
	"slices"
	"sort"
	"strconv"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// eventPermission is what an App needs to receive an event; several are
// alternatives. https://docs.github.com/webhooks/webhook-events-and-payloads
func eventPermission(event string) []string {
	switch event {
	case "push", "create", "delete":
		return []string{"contents:read"}
	case "pull_request", "pull_request_review", "pull_request_review_comment":
		return []string{"pull_requests:read"}
	case "issues":
		return []string{"issues:read"}
	case "issue_comment":
		return []string{"issues:read", "pull_requests:read"}
	case "check_run", "check_suite":
		return []string{"checks:read"}
	case "repository":
		return []string{"metadata:read"}
	}
	return nil
}

// repoHook is a webhook of a repository itself, beside the App's.
type repoHook struct {
	id     int64
	url    string
	secret string
	events []string
}

// AddHook adds a webhook to the repository: its deliveries have GUIDs of their
// own, so that an App and a hook report the same event twice. No events means
// all.
func (r *Repository) AddHook(url, secret string, events ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hooks = append(r.hooks, &repoHook{id: r.s.ids.next("hook"), url: url, secret: secret, events: events})
}

// emit sends an event of a repository to every installation that subscribes
// and may see it, and to the repository's own hooks. The caller holds mu; the
// payload is finished before emit returns.
func (r *Repository) emit(who actor, event, action string, payload object) {
	s := r.s
	o := object{}
	maps.Copy(o, payload) // payload may be nil
	if action != "" {
		o["action"] = action
	}
	if _, ok := o["repository"]; !ok {
		o["repository"] = r.webhookRepo()
	}
	if r.owner.kind == typeOrganization {
		o["organization"] = s.organizationObject(r.owner)
	}
	o["sender"] = s.userOrNil(s.senderOf(who))
	for _, h := range r.hooks {
		if len(h.events) > 0 && !slices.Contains(h.events, event) {
			continue
		}
		s.hooks.send(&delivery{
			event: event, action: action, hookID: h.id, url: h.url, secret: h.secret, repo: r.id,
			targetType: "repository", target: r.id,
		}, o)
	}
	for _, i := range s.subscribers(r, event) {
		withInstallation := maps.Clone(o)
		withInstallation["installation"] = object{"id": i.id, "node_id": nodeID("I", i.id)}
		s.hooks.sendApp(i.app, &delivery{event: event, action: action, repo: r.id, installation: i.id}, withInstallation)
	}
}

func (s *Server) senderOf(who actor) *Account {
	if a := who.account(); a != nil {
		return a
	}
	return s.Account("ghost")
}

// subscribers lists the installations that an event goes to, by id.
func (s *Server) subscribers(r *Repository, event string) []*Installation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*Installation
	for _, i := range s.installations {
		if i.suspendedAt != nil || !i.includesLocked(r) || !slices.Contains(i.events, event) {
			continue
		}
		allowed := len(eventPermission(event)) == 0
		for _, need := range eventPermission(event) {
			allowed = allowed || (&token{permissions: i.permissions}).grants(need)
		}
		if allowed {
			out = append(out, i)
		}
	}
	sort.Slice(out, func(a, b int) bool { return out[a].id < out[b].id })
	return out
}

// emitInstallation sends the events every App gets without subscribing.
func (s *Server) emitInstallation(i *Installation, event, action string, payload object) {
	o := maps.Clone(payload)
	inst := s.installationObject(i)
	// Only in these events the times are numbers.
	s.mu.RLock()
	inst["created_at"], inst["updated_at"] = i.created.Unix(), i.updated.Unix()
	s.mu.RUnlock()
	o["action"], o["installation"] = action, inst
	sender := i.account
	if sender.kind == typeOrganization {
		sender = i.app.owner
	}
	o["sender"] = s.userObject(sender)
	if event == "installation_repositories" {
		o["repository_selection"] = inst["repository_selection"]
	}
	s.hooks.sendApp(i.app, &delivery{event: event, action: action, installation: i.id}, o)
}

// Deliver sends an event of any name and content to the App's webhook, signed
// like the others: kinds that GitHub has and this server does not make, or
// payloads of a test's own.
func (a *App) Deliver(event string, payload map[string]any) {
	action, _ := payload["action"].(string)
	a.s.hooks.sendApp(a, &delivery{event: event, action: action}, payload)
}

// Ping sends the ping of a new webhook.
func (a *App) Ping() {
	s := a.s
	s.mu.RLock()
	hook := object{
		"type": "App", "id": a.id, "name": "web", "active": true, "events": nonNil(a.events), "app_id": a.id,
		"config":     object{"content_type": "json", "url": a.hookURL, "insecure_ssl": "0", "secret": "********"},
		"updated_at": stamp(a.updated), "created_at": stamp(a.created), "deliveries_url": s.api() + "/app/hook/deliveries",
	}
	s.mu.RUnlock()
	s.hooks.sendApp(a, &delivery{event: "ping"}, object{"zen": "Keep it logically awesome.", "hook_id": a.id, "hook": hook})
}

func encodePayload(o object) []byte {
	b, err := json.Marshal(o)
	if err != nil { // our own values always encode
		return []byte("{}")
	}
	return b
}

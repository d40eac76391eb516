package standin

import (
	"fmt"
)

// RerequestCheck is the "Re-run" button: it sends check_run.rerequested.
func (r *Repository) RerequestCheck(login string, id int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.runs {
		if run.id == id {
			r.emitCheck(actor{user: r.s.AddUser(login)}, run, "rerequested")
			return nil
		}
	}
	return fmt.Errorf("%s has no check run %d", r.full(), id)
}

// RequestCheckAction is a button that the check run offers: it sends
// check_run.requested_action.
func (r *Repository) RequestCheckAction(login string, id int64, identifier string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.runs {
		if run.id != id {
			continue
		}
		o := r.checkObject(run)
		o["check_suite"] = r.suiteForWebhook(run.suite)
		r.emit(actor{user: r.s.AddUser(login)}, "check_run", "requested_action", object{"check_run": o, "requested_action": object{"identifier": identifier}})
		return nil
	}
	return fmt.Errorf("%s has no check run %d", r.full(), id)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"dhibot/bot/inbox"
	"dhibot/rewrite/report"
)

// JobsCmd is dhibot jobs: deliveries that wait, were done or were given up.
type JobsCmd struct {
	List  JobsListCmd  `cmd:"" help:"List deliveries, newest first."`
	Show  JobsShowCmd  `cmd:"" help:"Show one delivery."`
	Retry JobsRetryCmd `cmd:"" help:"Work on a parked delivery again."`
	Park  JobsParkCmd  `cmd:"" help:"Give up a waiting delivery."`
}

// JobsListCmd is dhibot jobs list.
type JobsListCmd struct {
	Database     databaseFlag `embed:""`
	State        string       `help:"Only those that are pending, done, parked or duplicate." placeholder:"STATE"`
	Installation int64        `help:"Only those of an installation." placeholder:"ID"`
	Repository   int64        `help:"Only those of a repository." placeholder:"ID"`
	Limit        int          `default:"50" help:"At most so many (up to 1000)." placeholder:"N"`
}

// JobsShowCmd is dhibot jobs show.
type JobsShowCmd struct {
	Database databaseFlag `embed:""`
	ID       string       `arg:"" name:"delivery" help:"Id of the delivery."`
	Body     bool         `help:"Also print the payload as it was received, if it is still kept."`
}

// JobsRetryCmd is dhibot jobs retry.
type JobsRetryCmd struct {
	Database databaseFlag `embed:""`
	IDs      []string     `arg:"" name:"delivery" help:"Ids of deliveries."`
}

// JobsParkCmd is dhibot jobs park.
type JobsParkCmd struct {
	Database databaseFlag `embed:""`
	IDs      []string     `arg:"" name:"delivery" help:"Ids of deliveries."`
	Reason   string       `default:"parked by hand" help:"Why; shown by list and show." placeholder:"TEXT"`
}

// withInbox opens the inbox for a command.
func withInbox(ctx context.Context, f databaseFlag, do func(*inbox.Inbox) error) (err error) {
	if err := f.parse(); err != nil {
		return usage(err)
	}
	box, err := inbox.Open(ctx, f.DatabaseURL)
	if err != nil {
		return fmt.Errorf("opening the inbox: %w", err)
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	return do(box)
}

// Run lists deliveries.
func (c *JobsListCmd) Run(ctx context.Context, p *Program) error {
	state := inbox.State(c.State)
	switch state {
	case "", inbox.Pending, inbox.Done, inbox.Parked, inbox.Duplicate:
	default:
		return usage(fmt.Errorf("--state: unknown state %q: one of pending, done, parked, duplicate", c.State))
	}
	return withInbox(ctx, c.Database, func(box *inbox.Inbox) error {
		entries, err := box.List(ctx, inbox.Filter{State: state, Installation: c.Installation, Repository: c.Repository, Limit: c.Limit})
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "DELIVERY\tSTATE\tEVENT\tREPOSITORY\tRECEIVED\tFAILURES\tERROR")
		for _, e := range entries {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", safe(e.GUID), e.State, safe(e.Event), safe(e.FullName),
				e.Received.UTC().Format(time.RFC3339), e.Failures, short(safe(e.Error)))
		}
		return t.Flush()
	})
}

// Run shows a delivery.
func (c *JobsShowCmd) Run(ctx context.Context, p *Program) error {
	return withInbox(ctx, c.Database, func(box *inbox.Inbox) error {
		e, err := box.Show(ctx, c.ID)
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
		row := func(name, value string) {
			if value != "" {
				fmt.Fprintf(t, "%s\t%s\n", name, value)
			}
		}
		row("delivery", safe(e.GUID))
		row("state", string(e.State))
		row("event", safe(e.Event))
		row("repository", fmt.Sprintf("%s (%d)", safe(e.FullName), e.Repository))
		row("installation", fmt.Sprint(e.Installation))
		row("priority", e.Priority.String())
		row("received", e.Received.UTC().Format(time.RFC3339))
		if e.State == inbox.Pending {
			row("due", e.Due.UTC().Format(time.RFC3339))
		}
		if !e.Finished.IsZero() {
			row("finished", e.Finished.UTC().Format(time.RFC3339))
		}
		row("failures", fmt.Sprint(e.Failures))
		row("error", safe(e.Error))
		row("payload", fmt.Sprintf("%d bytes", len(e.Body)))
		if err := t.Flush(); err != nil {
			return err
		}
		if c.Body {
			_, err = fmt.Fprintf(p.Stdout, "\n%s\n", e.Body)
		}
		return err
	})
}

// Run has parked deliveries worked on again.
func (c *JobsRetryCmd) Run(ctx context.Context, p *Program) error {
	return eachDelivery(ctx, p, c.Database, c.IDs, "waiting again", func(box *inbox.Inbox, id string) error {
		return box.Retry(ctx, id)
	})
}

// Run gives up waiting deliveries.
func (c *JobsParkCmd) Run(ctx context.Context, p *Program) error {
	return eachDelivery(ctx, p, c.Database, c.IDs, "parked", func(box *inbox.Inbox, id string) error {
		return box.Park(ctx, id, c.Reason)
	})
}

// eachDelivery does something to each delivery; one that fails does not keep
// the others from being tried.
func eachDelivery(ctx context.Context, p *Program, db databaseFlag, ids []string, done string, do func(*inbox.Inbox, string) error) error {
	return withInbox(ctx, db, func(box *inbox.Inbox) error {
		var wrong []error
		for _, id := range ids {
			if err := do(box, id); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", safe(id), err))
				continue
			}
			fmt.Fprintf(p.Stdout, "%s: %s\n", safe(id), done)
		}
		return errors.Join(wrong...)
	})
}

// safe makes text from GitHub or from a repository fit for a terminal.
func safe(s string) string { return report.Escape(s) }

// short cuts an error for a table.
func short(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

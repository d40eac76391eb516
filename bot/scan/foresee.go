package scan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dhibot/bot/campaign"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"
)

// Foresee goes through an installation in one go and returns what the campaign
// would do. It changes nothing on GitHub; what it read is remembered. read is
// told how many repositories it has come to. When GitHub's limit is reached it
// tells waits until when, and waits.
func (s *Scanner) Foresee(ctx context.Context, installation int64, read func(int), waits func(time.Time)) (campaign.Plan, error) {
	v, err := s.visitAs(ctx, &visit{installation: installation, foresees: true})
	if err != nil {
		return campaign.Plan{}, err
	}
	seen := map[int64]bool{}
	for page := 1; page != 0; {
		next := 0
		err := patient(ctx, s.c.Now, waits, func() error {
			repos, n, err := v.client.RepositoriesPage(ctx, page)
			if err != nil {
				return fmt.Errorf("listing repositories: %w", err)
			}
			next = n
			for _, r := range repos {
				seen[r.ID] = true
			}
			return s.page(ctx, v, repos)
		})
		if err != nil {
			return campaign.Plan{}, err
		}
		read(len(seen))
		page = next
	}
	for id := range v.records {
		if !seen[id] {
			delete(v.records, id)
		}
	}
	return campaign.Decide(s.input(v)), nil
}

// patient does something again when GitHub's limit is over.
func patient(ctx context.Context, now func() time.Time, waits func(time.Time), do func() error) error {
	for {
		err := do()
		var limited *githubapi.RateLimitedError
		if !errors.As(err, &limited) {
			return err
		}
		pause := limited.Until.Sub(now())
		if pause > time.Second {
			waits(limited.Until)
		}
		timer := time.NewTimer(max(pause, 100*time.Millisecond))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// NoQueue takes no work: with it a Scanner can foresee, and nothing else.
type NoQueue struct{}

// Put implements Queue.
func (NoQueue) Put(context.Context, inbox.Delivery) (bool, error) {
	return false, errors.New("there is no queue to put work into")
}

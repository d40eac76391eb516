package scan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"dhibot/bot/body"
	"dhibot/bot/campaign"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"

	"github.com/rs/zerolog"
)

// calm is how long the text of the issue stays when only numbers have changed.
const calm = 10 * time.Minute

// writable tells whether we may have an issue: the App is installed on the
// organisation's own repository, and the settings want it.
func (v *visit) writable() bool {
	return v.config.Onboarding == config.OnboardingIssue && v.housed()
}

// housed tells that the App is installed on the organisation's own repository.
func (v *visit) housed() bool {
	r := v.records[v.home.Repo.ID]
	return r != nil && unable(r.Repo, "any") == ""
}

// findIssue looks for our issue when its number is not remembered: whoever lost
// the memory must not open a second one, nor go on when the first is closed.
func (s *Scanner) findIssue(ctx context.Context, v *visit) error {
	if v.home.Issue != 0 || v.home.Sought || !v.housed() {
		return nil
	}
	before := v.home
	issues, err := v.client.Issues(ctx, v.home.Repo, v.slug+"[bot]", "all")
	if err != nil && !errors.Is(err, githubapi.ErrNotFound) { // not found: issues are switched off
		return fmt.Errorf("looking for our issue: %w", err)
	}
	for _, i := range issues {
		if i.IsPull || i.User.Type != "Bot" || i.User.Login != v.slug+"[bot]" {
			continue
		}
		if m, err := s.c.Keys.ReadCampaign(i.Body); err == nil && m.Repository == v.home.Repo.ID {
			v.home.Issue, v.home.State = i.Number, i.State // the youngest
			break
		}
	}
	v.home.Sought = true
	return s.keepHome(ctx, v, before)
}

// tell brings our issue up to date, or opens it. It is for people, and not worth
// failing for when GitHub refuses it.
func (s *Scanner) tell(ctx context.Context, v *visit, plan campaign.Plan) error {
	if !v.writable() || v.home.Issue == 0 && !worthTelling(v, plan) || v.home.Issue != 0 && v.home.State == "" {
		return nil // an issue that somebody has deleted is not opened again
	}
	text := body.RenderCampaign(body.Campaign{Plan: plan, Public: !v.home.Repo.Private})
	sum := sha256.Sum256([]byte(text))
	digest, now := hex.EncodeToString(sum[:12]), s.c.Now()
	if digest == v.home.Text || plan.Paused == v.home.Paused && now.Sub(v.home.Written) < calm {
		return nil
	}
	text, err := s.c.Keys.SignCampaign(text, body.CampaignMarker{Repository: v.home.Repo.ID})
	if err != nil {
		return fmt.Errorf("signing our issue: %w", err)
	}
	before := v.home
	if v.home.Issue == 0 {
		// Should we die before we know the number, it is looked for.
		v.home.Sought = false
		if err := s.keepHome(ctx, v, before); err != nil {
			return err
		}
		before = v.home
		v.home.Sought = true
	}
	v.home.Text, v.home.Written, v.home.Paused = digest, now, plan.Paused
	err = s.writeIssue(ctx, v, text)
	var refused *githubapi.RefusedError
	switch {
	case errors.As(err, &refused), errors.Is(err, githubapi.ErrNotFound):
		zerolog.Ctx(ctx).Warn().Err(err).Msg("no status issue")
	case err != nil:
		return err
	}
	return s.keepHome(ctx, v, before)
}

// worthTelling tells whether there is anything to open an issue for: a change
// that the App would make or report unasked.
func worthTelling(v *visit, plan campaign.Plan) bool {
	if v.config.Mode != config.Open && v.config.Mode != config.Report {
		return false
	}
	for _, r := range plan.Rows {
		if r.Dockerfiles > 0 {
			return true
		}
	}
	return false
}

func (s *Scanner) writeIssue(ctx context.Context, v *visit, text string) error {
	if v.home.Issue != 0 {
		if _, err := v.client.EditIssue(ctx, v.home.Repo, v.home.Issue, githubapi.IssueEdit{Body: &text}); err != nil {
			return fmt.Errorf("editing our issue: %w", err)
		}
		return nil
	}
	i, err := v.client.CreateIssue(ctx, v.home.Repo, body.CampaignTitle, text)
	if err != nil {
		return fmt.Errorf("opening our issue: %w", err)
	}
	v.home.Issue, v.home.State = i.Number, i.State
	return nil
}

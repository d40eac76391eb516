package bot

import (
	"context"
	"errors"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/githubapi"

	"github.com/rs/zerolog"
)

// unasked is an error of work that nobody waits for: what GitHub refuses is only
// logged, since it would be refused the next time too.
func unasked(ctx context.Context, err error) error {
	var refused *githubapi.RefusedError
	if errors.As(err, &refused) {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("GitHub refused")
		return nil
	}
	return err
}

// declined explains why GitHub did not let us.
func declined(e *githubapi.RefusedError) string {
	said := e.Message
	for _, d := range e.Errors {
		said += " " + d.Message
	}
	said = strings.TrimRight(body.Prose(said, 500), " .")
	switch {
	case e.Archived():
		return "This repository is archived, so nothing in it can be changed. Unarchive it and ask again."
	case e.RuleViolation():
		return "A rule of this repository does not let me write the branch. GitHub says: " + said + ". Somebody who looks after the rules can make an exception for this App; then ask again."
	case e.MissingPermission():
		return "I lack a permission for that. GitHub says: " + said + ". An owner of the organisation can grant it in the settings of the App's installation."
	default:
		return "GitHub refused what I tried to do, and says: " + said + "."
	}
}

package scan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dhibot/bot/config"
	"dhibot/bot/githubapi"

	"github.com/rs/zerolog"
)

// visit is one piece of work on an installation.
type visit struct {
	installation int64
	client       *githubapi.Client
	slug         string // of the App, by which its pull requests are known
	home         home
	// organisation are the settings for all, and config what they come to.
	organisation config.File
	config       config.Config
	records      map[int64]*record
	// account is the login of the installation as GitHub has just told us, ""
	// when it was not asked.
	account string
	// foresees tells that nothing may be remembered that a server beside us
	// remembers better: the state of the issue.
	foresees bool
	// mends tells that what is found out of date is brought up to date: a look
	// follows an event, which the bot has acted on.
	mends bool
}

// home is what is known of the organisation's own repository, and of our issue
// there.
type home struct {
	Owner string         `json:"owner"`
	Repo  githubapi.Repo `json:"repo,omitzero"` // zero when there is none
	// Good are the newest settings without a mistake, which stay in force while
	// the file has one; Mistakes counts those.
	Good     []byte `json:"good,omitempty"`
	Mistakes int    `json:"mistakes,omitempty"`
	// Issue is the number of our issue, 0 when there is none yet; State is open
	// or closed, "" when it was deleted.
	Issue int    `json:"issue,omitempty"`
	State string `json:"state,omitempty"`
	// Sought tells that GitHub was searched for it when it was not known.
	Sought bool `json:"sought,omitempty"`
	// Where is the repository that Issue and Sought are about.
	Where int64 `json:"where,omitempty"`
	// Text is a digest of what the issue says, Written when we wrote it, and
	// Paused whether it says that nothing goes on.
	Text    string    `json:"text,omitempty"`
	Written time.Time `json:"written,omitzero"`
	Paused  bool      `json:"paused,omitempty"`
}

const homeNote = "home"

// isHome tells whether a repository is where an organisation keeps settings for
// all of its repositories.
func isHome(r githubapi.Repo) bool { return strings.EqualFold(r.Name, config.OrganisationRepository) }

// visit reads what every piece of work wants to know: who the organisation is,
// its settings and the state of our issue, in one call, and what is remembered.
func (s *Scanner) visit(ctx context.Context, installation int64) (*visit, error) {
	return s.visitAs(ctx, &visit{installation: installation})
}

func (s *Scanner) visitAs(ctx context.Context, v *visit) (*visit, error) {
	installation := v.installation
	client, err := s.client(installation)
	if err != nil {
		return nil, err
	}
	v.client = client
	if v.slug, err = s.slug(ctx); err != nil {
		return nil, err
	}
	if err := s.note(ctx, installation, homeNote, &v.home); err != nil {
		return nil, err
	}
	before := v.home
	if v.home.Owner == "" {
		info, err := s.c.GitHub.InstallationInfo(ctx, installation)
		if errors.Is(err, githubapi.ErrNotFound) {
			return nil, fmt.Errorf("reading installation %d: %w", installation, &githubapi.GoneError{Installation: installation})
		}
		if err != nil {
			return nil, fmt.Errorf("reading installation %d: %w", installation, err)
		}
		if info.Suspended {
			return nil, fmt.Errorf("installation %d is suspended: %w", installation, githubapi.ErrGone)
		}
		v.home.Owner = info.Account.Login
	}
	if err := s.settle(ctx, v, before); err != nil {
		return nil, err
	}
	v.records, err = s.records(ctx, installation)
	return v, err
}

// settle reads the organisation's settings. While they have mistakes the last
// good ones stay in force; when there never were any, nothing is opened.
func (s *Scanner) settle(ctx context.Context, v *visit, before home) error {
	h, err := v.client.Home(ctx, v.home.Owner, config.OrganisationRepository, config.Path, config.Misnamed, v.home.Issue)
	if err != nil {
		return fmt.Errorf("reading the organisation's settings: %w", err)
	}
	v.home.arrive(h)
	content, tooLarge := h.Content, false
	if h.File != "" && content == nil {
		content, err = v.client.File(ctx, h.Repo, "", config.Path)
		if tooLarge = errors.Is(err, githubapi.ErrTooLarge); err != nil && !tooLarge && !errors.Is(err, githubapi.ErrNotFound) {
			return fmt.Errorf("reading the organisation's settings: %w", err)
		}
	}
	v.organisation = config.File{Name: v.home.Owner + "/" + config.OrganisationRepository + ": " + config.Path, Content: content, TooLarge: tooLarge, Misnamed: h.Other}
	c, problems := config.Resolve(v.organisation, config.File{})
	v.home.Mistakes = len(problems)
	if len(problems) > 0 {
		zerolog.Ctx(ctx).Warn().Err(problems).Msg("the organisation's settings have mistakes; the last good ones stay in force")
		v.organisation.Content, v.organisation.TooLarge = v.home.Good, false
		// A file of the other name stays in the way: nothing is in force beside it.
		if c, problems = config.Resolve(v.organisation, config.File{}); len(problems) > 0 || v.home.Good == nil {
			c.Mode = config.Off
		}
	} else {
		v.home.Good = content
		if content == nil {
			v.home.Good = []byte{} // no file at all is good too
		}
	}
	v.config = c
	return s.keepHome(ctx, v, before)
}

// arrive takes over what GitHub says of the repository and of our issue there.
func (h *home) arrive(now githubapi.Home) {
	if h.Where == 0 {
		h.Where = h.Repo.ID
	}
	h.Repo = now.Repo
	switch {
	case now.Repo.ID == 0:
		// It cannot be seen. What was said in the issue still holds.
	case h.Where != now.Repo.ID:
		// Another repository of that name, in which our number is somebody else's.
		h.Issue, h.State, h.Sought, h.Where = 0, "", false, now.Repo.ID
		h.Text, h.Written, h.Paused = "", time.Time{}, false
	case now.Issue == "" && h.State == githubapi.StateClosed:
		// Deleted after it was closed, or issues were switched off: who has stopped
		// the campaign has not said that it may go on.
	default:
		h.State = now.Issue
	}
}

// keepHome remembers what is known of home when it has changed.
func (s *Scanner) keepHome(ctx context.Context, v *visit, before home) error {
	if v.foresees || same(before, v.home) {
		return nil
	}
	return s.putNote(ctx, v.installation, homeNote, v.home)
}

func (s *Scanner) slug(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.self == "" {
		info, err := s.c.GitHub.Self(ctx)
		if err != nil {
			return "", fmt.Errorf("asking who we are: %w", err)
		}
		s.self = info.Slug
	}
	return s.self, nil
}

// note reads a note into v, which stays as it is when there is none.
func (s *Scanner) note(ctx context.Context, installation int64, name string, v any) error {
	raw, ok, err := s.c.Memory.Note(ctx, installation, name)
	if err != nil {
		return fmt.Errorf("recalling the %s of installation %d: %w", name, installation, err)
	}
	if ok && json.Unmarshal(raw, v) != nil {
		return nil // it is only remembered
	}
	return nil
}

func (s *Scanner) putNote(ctx context.Context, installation int64, name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing the %s of installation %d: %w", name, installation, err)
	}
	if err := s.c.Memory.PutNote(ctx, installation, name, raw); err != nil {
		return fmt.Errorf("remembering the %s of installation %d: %w", name, installation, err)
	}
	return nil
}

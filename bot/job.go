package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dhibot/bot/config"
	"dhibot/bot/githubapi"
	"dhibot/bot/plan"

	"github.com/rs/zerolog"
)

// job is the work on one repository.
type job struct {
	*Bot
	client *githubapi.Client
	repo   githubapi.Repo
}

// open starts work on a repository. It is asked for by its number, because
// names change; ErrNotFound means that we may not see it any more.
func (b *Bot) open(ctx context.Context, installation, repository int64) (*job, error) {
	client, err := b.deps.GitHub.Installation(installation)
	if err != nil {
		return nil, fmt.Errorf("installation %d: %w", installation, err)
	}
	repo, err := client.RepositoryByID(ctx, repository)
	if err != nil {
		return nil, fmt.Errorf("reading repository %d: %w", repository, err)
	}
	return &job{Bot: b, client: client, repo: repo}, nil
}

// view is what a repository holds at one commit.
type view struct {
	base string // commit; "" when the repository is empty
	tree *githubapi.Tree
	// config are the settings in force. When the files have mistakes, which are
	// the problems, the last good ones are; see restore.
	config   config.Config
	problems config.Problems
	// since names the commits that the last good settings are from; nil when
	// none are known, and nothing can be done.
	since []string
	// own and organisation are the files of settings.
	own, organisation config.File
}

// resolve reads the files of settings.
func (v *view) resolve() {
	v.config, v.problems = config.Resolve(v.organisation, v.own)
	v.since = nil
}

// stuck tells that there are no settings to go by.
func (v *view) stuck() bool { return len(v.problems) > 0 && len(v.since) == 0 }

// misnamed tells that settings are where they are not read from.
func (v *view) misnamed() bool { return v.own.Misnamed || v.organisation.Misnamed }

// look reads the head of the default branch, its tree and the settings.
func (j *job) look(ctx context.Context) (*view, error) {
	v := &view{config: config.Default()}
	base, err := j.client.Branch(ctx, j.repo, j.repo.DefaultBranch)
	switch {
	case errors.Is(err, githubapi.ErrEmpty), errors.Is(err, githubapi.ErrNotFound):
		return v, nil
	case err != nil:
		return nil, fmt.Errorf("reading the default branch: %w", err)
	}
	v.base = base
	if v.tree, err = j.client.Tree(ctx, j.repo, base); err != nil {
		return nil, fmt.Errorf("reading the tree: %w", err)
	}
	return v, j.settings(ctx, v)
}

// facts are what package plan wants to know of the repository.
func (j *job) facts(v *view) plan.Repository {
	return plan.Repository{
		DefaultBranch: j.repo.DefaultBranch,
		Archived:      j.repo.Archived, Disabled: j.repo.Disabled, Fork: j.repo.Fork, Empty: v.base == "",
	}
}

// state finds the branch and the pull request of a group.
func (j *job) state(ctx context.Context, v *view, g plan.Group) (plan.State, error) {
	s := plan.State{Repository: j.facts(v), Group: g, Base: v.base}
	if v.base == "" {
		return s, nil
	}
	head, err := j.client.Branch(ctx, j.repo, g.Branch())
	if err != nil && !errors.Is(err, githubapi.ErrNotFound) {
		return s, fmt.Errorf("reading our branch: %w", err)
	}
	s.Head = head
	pulls, err := j.pulls(ctx, g.Branch())
	if err != nil {
		return s, err
	}
	s.Pull = newest(pulls)
	for _, p := range pulls {
		if !p.ours && p.Open && s.Stranger == nil {
			s.Stranger = &p.Pull
		}
		switch {
		case !p.ours || head == "":
		case p.Marker.Head == head:
			s.HeadWritten, s.HeadBase, s.HeadProposal = true, p.Marker.Base, p.Marker.Proposal
		case p.Marker.Previous == head:
			s.HeadWritten = true
		}
	}
	if head != "" && !s.HeadWritten {
		known := ""
		if s.Pull != nil {
			known = s.Pull.Marker.Head
		}
		w, err := j.wrote(ctx, v, head, known)
		if err != nil {
			return s, err
		}
		s.HeadWritten, s.HeadBase, s.HeadProposal = w.ours, w.base, w.proposal
	}
	if s.Pull != nil && s.Pull.Open {
		if s.Pull.Queued, err = j.queued(ctx, s.Pull.Number); err != nil {
			return s, err
		}
	}
	return s, nil
}

// queued asks whether a pull request waits in a merge queue. A server that has
// never heard of merge queues says that the field does not exist.
func (j *job) queued(ctx context.Context, number int) (bool, error) {
	queued, err := j.client.InMergeQueue(ctx, j.repo, number)
	var unknown *githubapi.GraphQLError
	if errors.As(err, &unknown) && strings.Contains(unknown.Error(), "doesn't exist") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking whether #%d is in a merge queue: %w", number, err)
	}
	return queued, nil
}

// pull is a pull request from a branch of ours.
type pull struct {
	plan.Pull
	ours bool
}

// newest is our open pull request, or the youngest of ours when none is open.
func newest(pulls []pull) *plan.Pull {
	var found *plan.Pull
	for _, p := range pulls {
		if p.ours && (found == nil || p.Open && !found.Open) {
			found = &p.Pull
		}
	}
	return found
}

// pulls lists all pull requests that ever came from a branch, youngest first.
// Ours are those that the App wrote and whose head is in this repository: a
// copied body or a fork's branch of the same name does not make one. The marker
// counts only there, and only when it was signed for this repository; when
// somebody edited it away, the pull request is still ours, and what it
// remembered is gone.
func (j *job) pulls(ctx context.Context, branch string) ([]pull, error) {
	login, err := j.login(ctx)
	if err != nil {
		return nil, err
	}
	list, err := j.client.PullRequests(ctx, j.repo, branch, githubapi.StateAll)
	if err != nil {
		return nil, fmt.Errorf("looking for our pull request: %w", err)
	}
	var found []pull
	for _, p := range list {
		if p.Head != branch || p.HeadRepo != j.repo.ID {
			continue
		}
		q := pull{Pull: plan.Pull{
			Number: p.Number, URL: p.HTMLURL, Branch: branch, Open: p.State == githubapi.StateOpen, Merged: p.Merged || !p.MergedAt.IsZero(),
			Base: p.Base, Title: p.Title, Body: p.Body,
		}}
		q.ours = p.User.Login == login && p.User.Type == "Bot"
		if q.ours {
			m, err := j.deps.Keys.Read(p.Body)
			if err == nil && m.Repository == j.repo.ID && m.Branch == branch {
				q.Marker = m
			} else {
				zerolog.Ctx(ctx).Warn().Err(err).Int("pull_request", p.Number).Msg("our pull request has lost its marker")
			}
		}
		found = append(found, q)
	}
	return found, nil
}

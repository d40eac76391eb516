package bot

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/githubapi"
)

// maxHistory bounds how many versions of a file of settings are looked at for
// one without mistakes.
const maxHistory = 10

// settings reads both files of settings, and the last good versions of those
// that have mistakes.
func (j *job) settings(ctx context.Context, v *view) error {
	v.own = config.File{Name: config.Path}
	v.organisation = config.File{Name: j.repo.Owner + "/" + config.OrganisationRepository + ": " + config.Path}
	var err error
	if v.own.Misnamed, err = j.misnamed(ctx, v.tree, v.base); err != nil {
		return err
	}
	switch e, ok := v.tree.Find(config.Path); {
	case ok && e.Type == "blob":
		v.own.Content, err = j.client.Blob(ctx, j.repo, e.SHA)
	case !ok && v.tree.Incomplete(): // it may be where the listing did not come to
		if v.own.Content, err = j.client.File(ctx, j.repo, v.base, config.Path); absent(err) {
			err = nil
		}
	}
	if v.own.TooLarge, err = tooLarge(err); err != nil {
		return fmt.Errorf("reading %s: %w", config.Path, err)
	}
	if j.isOrganisation() {
		// What is here is the default for all, and locks nothing here.
		v.organisation, v.own = v.own, config.File{Name: config.Path}
	} else if err := j.defaults(ctx, &v.organisation); err != nil {
		return err
	}
	v.resolve()
	return j.restore(ctx, v)
}

// defaults reads the organisation's file. Most organisations have none, which
// takes one call, as its folder tells of both names.
func (j *job) defaults(ctx context.Context, f *config.File) error {
	names, more, err := j.client.Folder(ctx, j.organisation(), "", path.Dir(config.Path))
	if err != nil && !absent(err) {
		return fmt.Errorf("reading the organisation's settings: %w", err)
	}
	f.Misnamed = slices.Contains(names, path.Base(config.Misnamed))
	if !more && !slices.Contains(names, path.Base(config.Path)) {
		return nil
	}
	f.Content, err = j.client.File(ctx, j.organisation(), "", config.Path)
	if f.TooLarge, err = tooLarge(err); err != nil && !absent(err) {
		return fmt.Errorf("reading the organisation's settings: %w", err)
	}
	return nil
}

// misnamed tells whether a commit has a file where settings are not read from.
func (j *job) misnamed(ctx context.Context, t *githubapi.Tree, commit string) (bool, error) {
	if e, ok := t.Find(config.Misnamed); ok || !t.Incomplete() {
		return ok && e.Type == "blob", nil
	}
	return j.there(ctx, commit, config.Misnamed)
}

// there tells whether a commit has a file.
func (j *job) there(ctx context.Context, commit, file string) (bool, error) {
	_, err := j.client.File(ctx, j.repo, commit, file)
	switch large, err := tooLarge(err); {
	case absent(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading %s: %w", file, err)
	default:
		return large || err == nil, nil
	}
}

// isOrganisation tells that the repository is the one with the defaults.
func (j *job) isOrganisation() bool {
	return strings.EqualFold(j.repo.Name, config.OrganisationRepository)
}

func (j *job) organisation() githubapi.Repo {
	return githubapi.Repo{Owner: j.repo.Owner, Name: config.OrganisationRepository}
}

func tooLarge(err error) (bool, error) {
	if errors.Is(err, githubapi.ErrTooLarge) {
		return true, nil
	}
	return false, err
}

func absent(err error) bool {
	return errors.Is(err, githubapi.ErrNotFound) || errors.Is(err, githubapi.ErrEmpty)
}

// restore keeps the last good settings in force while a file has mistakes. They
// are looked for where they are known to everybody: in the history of the file.
// When there is no good version, nothing is in force and nothing is done: the
// file was written by somebody who wants something of us, and the defaults may
// be the opposite of it.
func (j *job) restore(ctx context.Context, v *view) error {
	if len(v.problems) == 0 || v.misnamed() {
		return nil // nothing that was in force before is, see config.File
	}
	org, own, broken := v.organisation, v.own, v.config
	var since []string
	good := func(r githubapi.Repo, ref, name string, f *config.File, settings func() config.Problems) (bool, error) {
		if len(settings()) == 0 {
			return true, nil
		}
		commit, err := j.lastGood(ctx, r, ref, func(content []byte) bool {
			f.Content, f.TooLarge = content, false
			return len(settings()) == 0
		})
		if commit != "" {
			since = append(since, name+code(short(commit)))
		}
		return commit != "", err
	}
	here := "`" + config.Path + "` as of "
	orgRepo, ref, name := j.organisation(), "", "the organisation's file as of "
	if j.isOrganisation() {
		orgRepo, ref, name = j.repo, v.base, here
	}
	ok, err := good(orgRepo, ref, name, &org, func() config.Problems {
		_, p := config.Resolve(org, config.File{})
		return p
	})
	if err != nil || !ok {
		return err
	}
	ok, err = good(j.repo, v.base, here, &own, func() config.Problems {
		_, p := config.Resolve(org, own)
		return p
	})
	if err != nil || !ok {
		return err
	}
	c, _ := config.Resolve(org, own)
	v.config, v.since = config.Cautious(c, broken), since
	return nil
}

// lastGood finds the newest commit whose version of the file will do; "" when
// there is none. A commit that removed the file ends the search: what stood
// before it was taken back, and that there was no file for a while says nothing
// about what the author of the next one wants.
func (j *job) lastGood(ctx context.Context, r githubapi.Repo, ref string, will func([]byte) bool) (string, error) {
	commits, err := j.client.CommitsTouching(ctx, r, ref, config.Path, maxHistory)
	if absent(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the history of the settings: %w", err)
	}
	for _, commit := range commits {
		content, err := j.client.File(ctx, r, commit, config.Path)
		switch {
		case errors.Is(err, githubapi.ErrTooLarge):
			continue
		case absent(err):
			return "", nil
		case err != nil:
			return "", fmt.Errorf("reading earlier settings: %w", err)
		}
		if will(content) {
			return commit, nil
		}
	}
	return "", nil
}

func short(commit string) string { return commit[:min(len(commit), 7)] }

// misconfigured says that nothing was done because of the settings, and why.
func (v *view) misconfigured() string {
	without := ", and no earlier version of them could be found that has none"
	if v.misnamed() {
		without = ""
	}
	return "The settings have mistakes" + without + ", so I did nothing:\n\n" + mistakes(v.problems) + "\nMend them on the default branch and ask again."
}

// remark adds to an answer that the settings have mistakes, and which ones are
// in force.
func (v *view) remark(text string) string {
	if len(v.problems) == 0 {
		return text
	}
	return strings.TrimRight(text, "\n") + "\n\nThe settings have mistakes, so the last good ones are in force, " + v.origin() + ":\n\n" + mistakes(v.problems)
}

// origin says where the settings in force are from.
func (v *view) origin() string { return strings.Join(v.since, " and ") }

// notes are what the pull request says about the settings.
func (v *view) notes() []string {
	if len(v.problems) == 0 {
		return nil
	}
	return []string{"The settings of the default branch have mistakes, so this was made with the last good ones, " + v.origin() + ". `/dhi status` lists them."}
}

// mistakes lists what is wrong with the settings.
func mistakes(problems config.Problems) string {
	const rows = 30
	var b strings.Builder
	for i, p := range problems {
		if i == rows {
			fmt.Fprintf(&b, "- … and %d more\n", len(problems)-rows)
			break
		}
		where := p.File
		if p.Line > 0 {
			where = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
		}
		fmt.Fprintf(&b, "- %s: %s\n", code(where), body.Prose(p.Message, 400))
	}
	return b.String()
}

// blame makes a failing check on the head of the default branch, where whoever
// has just pushed mistakes looks first.
func (j *job) blame(ctx context.Context, v *view) error {
	if !slices.ContainsFunc(v.problems, func(p config.Problem) bool { return config.IsSettings(p.File) }) {
		return nil
	}
	k := settingsRun(v.problems)
	k.HeadSHA, k.ExternalID = v.base, "settings:0"
	k.Summary += "\n" + v.consequence()
	return j.check(ctx, k)
}

// consequence is what mistakes mean for what the App does.
func (v *view) consequence() string {
	switch {
	case v.misnamed():
		return "The App does nothing in this repository until they are mended."
	case v.stuck():
		return "The App does nothing in this repository until they are mended: there is no earlier version without mistakes."
	}
	return "Until they are mended the last good settings stay in force, " + v.origin() + "."
}

package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/bot/discover"
	"dhibot/bot/githubapi"

	"github.com/rs/zerolog"
)

// found is what was found in a repository.
type found struct {
	paths  []string      // Dockerfiles to look at
	passed []body.Passed // the others that a reader could expect
	all    []string      // paths of both
}

// find looks for Dockerfiles in the tree that files views.
func find(v *view, files *githubapi.TreeFS) (found, error) {
	r := discover.Find(entries(v.tree), files, discover.Options{Wants: v.config.Wants, Most: maxDockerfiles})
	var f found
	for _, d := range r.Files {
		f.all = append(f.all, d.Path)
		switch d.Code {
		case discover.Taken:
			f.paths = append(f.paths, d.Path)
		case discover.Document, discover.Ignore, discover.Source, discover.Backup:
			// Nobody expects these to be migrated.
		default:
			f.passed = append(f.passed, body.Passed{Path: d.Path, Reason: d.Skip})
		}
	}
	for _, p := range r.Submodules {
		f.passed = append(f.passed, body.Passed{Path: p, Reason: "a submodule, which is another repository"})
	}
	for _, dir := range v.tree.Unread {
		f.passed = append(f.passed, body.Passed{Path: dir + "/", Reason: "the repository is too large to list this folder"})
	}
	for _, p := range r.Problems {
		f.passed = append(f.passed, body.Passed{Path: p.Path, Reason: "it may name Dockerfiles and could not be used: " + p.Err.Error()})
	}
	slices.SortStableFunc(f.passed, func(a, b body.Passed) int { return cmp.Compare(a.Path, b.Path) })
	return f, failure(files.Err())
}

// prefetch reads all files that may be Dockerfiles, a hundred a call.
func (j *job) prefetch(ctx context.Context, t *githubapi.Tree, files *githubapi.TreeFS) error {
	shas := candidates(t)
	const few = 5
	if len(shas) < few {
		return nil // a few are read one by one, when they are needed
	}
	contents, err := j.client.Blobs(ctx, j.repo, shas)
	var unknown *githubapi.GraphQLError
	if errors.As(err, &unknown) {
		// It only saves calls; what is not there is read when it is needed.
		zerolog.Ctx(ctx).Warn().Err(err).Msg("reading in batches is not possible")
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the Dockerfiles: %w", err)
	}
	for sha, content := range contents {
		files.Put(sha, content)
	}
	return nil
}

// candidates are the blobs of a tree that have the name of a Dockerfile.
func candidates(t *githubapi.Tree) []string {
	const most = 1 << 20 // bytes of a Dockerfile; githubapi.FSLimits reads no more
	var shas []string
	for _, e := range t.Entries {
		if e.Type != "blob" || e.Mode == githubapi.ModeLink || e.Size > most {
			continue
		}
		if candidate, code, _ := discover.Classify(path.Base(e.Path)); candidate && code == discover.Taken && !slices.Contains(shas, e.SHA) {
			shas = append(shas, e.SHA)
		}
		if len(shas) == maxDockerfiles {
			break
		}
	}
	return shas
}

// entries is a tree in the words of package discover.
func entries(t *githubapi.Tree) []discover.Entry {
	list := make([]discover.Entry, 0, len(t.Entries))
	for _, e := range t.Entries {
		d := discover.Entry{Path: e.Path, Size: e.Size, Executable: e.Mode == githubapi.ModeExec}
		switch {
		case e.Type == "tree":
			d.Kind = discover.KindDir
		case e.Type == "commit":
			d.Kind = discover.KindSubmodule
		case e.Mode == githubapi.ModeLink:
			d.Kind = discover.KindLink
		}
		list = append(list, d)
	}
	return list
}

// looksLikeDockerfile tells whether a changed path can change what find finds.
func looksLikeDockerfile(p string) bool {
	name := strings.ToLower(path.Base(p))
	candidate, _, _ := discover.Classify(name)
	build := strings.Contains(name, "compose") || strings.Contains(name, "bake") // they name Dockerfiles
	return candidate || build || config.IsSettings(p)
}

package standin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

func (s *Server) commitRoutes() []route {
	return []route{
		{method: "GET", pattern: "/repos/{owner}/{repo}/commits", needs: "contents:read", git: true, doc: "commits/commits#list-commits", do: listCommits},
		{method: "GET", pattern: "/repos/{owner}/{repo}/commits/{ref*}", needs: "contents:read", git: true, doc: "commits/commits#get-a-commit", do: getCommit},
		{method: "GET", pattern: "/repos/{owner}/{repo}/compare/{basehead*}", needs: "contents:read", doc: "commits/commits#compare-two-commits", do: compare},
	}
}

func listCommits(c *call) error {
	id, err := c.repo.commitish(c.query("sha"))
	if err != nil {
		return notFound()
	}
	ids, err := c.repo.git.Log(id, nil, 0)
	if err != nil {
		return err
	}
	if path := c.query("path"); path != "" {
		if ids, err = c.repo.touching(ids, path); err != nil {
			return err
		}
	}
	return c.commits(pageOf(c, ids))
}

// touching keeps the commits that changed a path against their first parent.
func (r *Repository) touching(ids []gitdb.OID, path string) ([]gitdb.OID, error) {
	at := func(tree gitdb.OID) (gitdb.OID, error) {
		e, err := r.git.Lookup(tree, strings.Trim(path, "/"))
		if errors.Is(err, gitdb.ErrNotFound) {
			return "", nil
		}
		return e.ID, err
	}
	var out []gitdb.OID
	for _, id := range ids {
		commit, err := r.git.Commit(id)
		if err != nil {
			return nil, err
		}
		now, err := at(commit.Tree)
		if err != nil {
			return nil, err
		}
		var before gitdb.OID
		if len(commit.Parents) > 0 {
			parent, err := r.git.Commit(commit.Parents[0])
			if err != nil {
				return nil, err
			}
			if before, err = at(parent.Tree); err != nil {
				return nil, err
			}
		}
		if now != before {
			out = append(out, id)
		}
	}
	return out, nil
}

func getCommit(c *call) error {
	id, err := c.repo.commitish(c.params["ref"])
	if err != nil {
		return unprocessable("No commit found for SHA: " + c.params["ref"])
	}
	if accepts(c.r, "sha") {
		return c.raw("application/vnd.github.sha; charset=utf-8", []byte(id))
	}
	o, err := c.repo.commitObject(id)
	if err != nil {
		return err
	}
	commit, err := c.repo.git.Commit(id)
	if err != nil {
		return err
	}
	from := gitdb.EmptyTree
	if len(commit.Parents) > 0 {
		from = commit.Parents[0]
	}
	if accepts(c.r, "diff") {
		text, err := c.repo.git.DiffText(c.r.Context(), from, id)
		if err != nil {
			return err
		}
		return c.raw("application/vnd.github.diff; charset=utf-8", text)
	}
	files, err := c.repo.diff(c.r.Context(), from, id)
	if err != nil {
		return err
	}
	added, deleted := 0, 0
	for _, f := range files {
		added, deleted = added+f.Additions, deleted+f.Deletions
	}
	o["stats"] = object{"additions": added, "deletions": deleted, "total": added + deleted}
	o["files"] = mapped(pageOf(c, files), func(f gitdb.FileDiff) object { return c.repo.diffEntry(f, id) })
	return c.ok(o)
}

func compare(c *call) error {
	base, head, ok := strings.Cut(c.params["basehead"], "...")
	if !ok {
		return notFound()
	}
	r := c.repo
	strip := func(s string) string {
		if owner, branch, found := strings.Cut(s, ":"); found && strings.EqualFold(owner, r.owner.Login()) {
			return branch
		}
		return s
	}
	from, errFrom := r.commitish(strip(base))
	to, errTo := r.commitish(strip(head))
	if errFrom != nil || errTo != nil {
		return notFound()
	}
	merge, ok, err := r.git.MergeBase(c.r.Context(), from, to)
	if err != nil {
		return err
	}
	if !ok {
		return fail(http.StatusNotFound, fmt.Sprintf("No common ancestor between %s and %s.", base, head))
	}
	ahead, err := r.git.Log(to, []gitdb.OID{from}, 0)
	if err != nil {
		return err
	}
	behind, err := r.git.Log(from, []gitdb.OID{to}, 0)
	if err != nil {
		return err
	}
	status := "identical"
	switch {
	case len(ahead) > 0 && len(behind) > 0:
		status = "diverged"
	case len(ahead) > 0:
		status = "ahead"
	case len(behind) > 0:
		status = "behind"
	}
	files, err := r.diff(c.r.Context(), merge, to)
	if err != nil {
		return err
	}
	baseCommit, err := r.commitObject(from)
	if err != nil {
		return err
	}
	mergeCommit, err := r.commitObject(merge)
	if err != nil {
		return err
	}
	for a, b := 0, len(ahead)-1; a < b; a, b = a+1, b-1 {
		ahead[a], ahead[b] = ahead[b], ahead[a]
	}
	commits := []object{}
	for _, id := range pageOf(c, ahead) {
		o, err := r.commitObject(id)
		if err != nil {
			return err
		}
		commits = append(commits, o)
	}
	name := base + "..." + head
	return c.ok(object{
		"url": r.url() + "/compare/" + name, "html_url": r.html() + "/compare/" + name,
		"permalink_url": fmt.Sprintf("%s/compare/%s:%s...%s:%s", r.html(), r.owner.Login(), from[:7], r.owner.Login(), to[:7]),
		"diff_url":      r.html() + "/compare/" + name + ".diff", "patch_url": r.html() + "/compare/" + name + ".patch",
		"base_commit": baseCommit, "merge_base_commit": mergeCommit, "status": status,
		"ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead), "commits": commits,
		"files": mapped(files[:min(len(files), 300)], func(f gitdb.FileDiff) object { return r.diffEntry(f, to) }),
	})
}

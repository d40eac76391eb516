package standin

import (
	"net/http"
	"path"
	"strings"
	"unicode"

	"dhibot/bot/standin/internal/gitdb"
)

// Search is small here: enough for a client to meet the budget of its own and
// the limits that make it unfit for finding everything.
// https://docs.github.com/rest/search/search
func (s *Server) searchRoutes() []route {
	return []route{
		{method: "GET", pattern: "/search/issues", doc: "search/search#search-issues-and-pull-requests", do: searchIssues},
		{method: "GET", pattern: "/search/code", doc: "search/search#search-code", do: searchCode},
	}
}

// maxSearch is how many results a search gives out, however many there are.
const maxSearch = 1000

// searchQuery is a query taken apart: words, and qualifiers such as "repo:a/b".
type searchQuery struct {
	words      []string
	qualifiers map[string][]string
}

func parseSearch(q string) searchQuery {
	out := searchQuery{qualifiers: map[string][]string{}}
	quoted := false
	for field := range strings.FieldsFuncSeq(q, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return unicode.IsSpace(r) && !quoted
	}) {
		key, value, ok := strings.Cut(field, ":")
		value = strings.Trim(value, `"`)
		if ok && value != "" {
			out.qualifiers[key] = append(out.qualifiers[key], strings.ToLower(value))
		} else {
			out.words = append(out.words, strings.ToLower(strings.Trim(field, `"`)))
		}
	}
	return out
}

// wants reports whether one of the values asked for is there; no qualifier
// wants anything.
func (q searchQuery) wants(key string, have ...string) bool {
	for _, v := range q.qualifiers[key] {
		found := false
		for _, h := range have {
			found = found || strings.EqualFold(h, v)
		}
		if !found {
			return false
		}
	}
	return true
}

// covers selects repositories by repo, org and user.
func (q searchQuery) covers(r *Repository) bool {
	repos := q.qualifiers["repo"]
	for _, v := range repos {
		if strings.EqualFold(v, r.full()) {
			return true
		}
	}
	if len(repos) > 0 {
		return false
	}
	return q.wants("org", r.owner.Login()) && q.wants("user", r.owner.Login())
}

func (c *call) search() (searchQuery, error) {
	text := c.query("q")
	if strings.TrimSpace(text) == "" {
		return searchQuery{}, invalid(fieldError{Resource: "Search", Field: "q", Code: "missing"})
	}
	q := parseSearch(text)
	for _, name := range q.qualifiers["repo"] {
		r := c.s.Repository(name)
		if r == nil || !c.s.seenBy(c.who, r) {
			return q, invalid(fieldError{Resource: "Search", Field: "q", Code: "invalid", Message: "The listed users and repositories cannot be searched either because the resources do not exist or you do not have permission to view them."})
		}
	}
	return q, nil
}

func (s *Server) seenBy(who actor, r *Repository) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.deleted && who.sees(r)
}

// each visits the repositories of a search, locked.
func (c *call) each(q searchQuery, visit func(*Repository) error) error {
	for _, r := range c.s.Repositories() {
		err := func() error {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.deleted || !c.who.sees(r) || !q.covers(r) {
				return nil
			}
			return visit(r)
		}()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *call) answerSearch(items []object, extra object) error {
	total := len(items)
	if len(items) > maxSearch {
		items = items[:maxSearch]
	}
	o := object{"total_count": total, "incomplete_results": false, "items": pageOf(c, items)}
	for k, v := range extra {
		o[k] = v
	}
	return c.ok(o)
}

func searchIssues(c *call) error {
	q, err := c.search()
	if err != nil {
		return err
	}
	items := []object{}
	err = c.each(q, func(r *Repository) error {
		for _, i := range r.sortedIssues() {
			if i.found(q) {
				o := r.issueObject(i)
				o["score"] = 1
				items = append(items, o)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.answerSearch(items, object{"search_type": "lexical"})
}

func (i *issue) found(q searchQuery) bool {
	kinds, head := []string{"issue", i.state}, ""
	if i.pull != nil {
		kinds, head = []string{"pr", "pull-request", i.state}, i.pull.headRef
		if i.pull.merged {
			kinds = append(kinds, "merged")
		}
	}
	var labels []string
	for _, l := range i.labels {
		labels = append(labels, l.name)
	}
	author := ""
	if i.author != nil {
		author = strings.TrimSuffix(i.author.Login(), "[bot]")
		if i.author.kind == typeBot {
			author = "app/" + author
		}
	}
	text := strings.ToLower(i.title + "\n" + i.body)
	for _, w := range q.words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return q.wants("is", kinds...) && q.wants("type", kinds...) && q.wants("state", i.state) && q.wants("head", head) && q.wants("label", labels...) && q.wants("author", author)
}

// searchCode looks at default branches only and leaves large files out, as
// GitHub's does.
func searchCode(c *call) error {
	q, err := c.search()
	if err != nil {
		return err
	}
	if c.who.account() == nil {
		return &apiError{status: http.StatusUnauthorized, message: "Requires authentication"}
	}
	items := []object{}
	err = c.each(q, func(r *Repository) error {
		tip := r.tip(r.defaultBranch)
		if tip == "" {
			return nil
		}
		commit, err := r.git.Commit(tip)
		if err != nil {
			return err
		}
		return r.git.Walk(commit.Tree, func(e gitdb.Entry) bool {
			if len(items) <= maxSearch && r.codeFound(q, e) {
				p := escapePath(e.Path)
				items = append(items, object{
					"name": path.Base(e.Path), "path": e.Path, "sha": e.ID, "score": 1, "repository": r.minimal(),
					"url": r.url() + "/contents/" + p + "?ref=" + string(tip), "git_url": r.url() + "/git/blobs/" + string(e.ID), "html_url": r.html() + "/blob/" + string(tip) + "/" + p,
				})
			}
			return len(items) <= maxSearch
		})
	})
	if err != nil {
		return err
	}
	return c.answerSearch(items, nil)
}

// maxSearched is the largest file a code search reads.
// https://docs.github.com/search-github/searching-on-github/searching-code#considerations-for-code-search
const maxSearched = 384 << 10

func (r *Repository) codeFound(q searchQuery, e gitdb.Entry) bool {
	base := path.Base(e.Path)
	if e.Type() != "blob" || !q.wants("filename", base) || !q.wants("extension", strings.TrimPrefix(path.Ext(base), ".")) {
		return false
	}
	for _, dir := range q.qualifiers["path"] {
		if !strings.HasPrefix(strings.ToLower(e.Path), strings.Trim(dir, "/")+"/") && path.Dir(e.Path) != strings.Trim(dir, "/") {
			return false
		}
	}
	for _, l := range q.qualifiers["language"] {
		if l != "dockerfile" || !strings.HasPrefix(base, "Dockerfile") && path.Ext(base) != ".dockerfile" {
			return false
		}
	}
	if len(q.words) == 0 {
		return true
	}
	if _, size, err := r.git.Size(e.ID); err != nil || size > maxSearched {
		return false
	}
	data, err := r.git.Blob(e.ID)
	if err != nil {
		return false
	}
	text := strings.ToLower(string(data))
	for _, w := range q.words {
		if !strings.Contains(text, w) && !strings.Contains(strings.ToLower(e.Path), w) {
			return false
		}
	}
	return true
}

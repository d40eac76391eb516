package standin

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"dhibot/bot/standin/internal/gitdb"
)

// Repository is a repository with everything that belongs to it. Its methods
// may be called at any time, but not from observers.
type Repository struct {
	s       *Server
	id      int64
	created time.Time
	git     *gitdb.Repo
	parent  *Repository // of a fork

	// mu guards all below. name and owner change under Server.mu as well.
	mu            sync.Mutex
	owner         *Account
	name          string
	description   string
	homepage      string
	private       bool
	archived      bool
	deleted       bool
	defaultBranch string
	properties    map[string]any
	updated       time.Time
	pushed        *time.Time
	nextNumber    int
	issues        map[int]*issue
	comments      map[int64]*comment
	reviewNotes   map[int64]*reviewComment
	labels        []*label
	suites        []*checkSuite
	runs          []*checkRun
	statuses      []*commitStatus
	collaborators map[int64]string
	rules         []branchRule
	hooks         []*repoHook
	diffs         map[[2]gitdb.OID][]gitdb.FileDiff
	merges        map[[2]gitdb.OID]mergeResult
}

// level is what a person may do, in GitHub's order.
type level int

const (
	levelNone level = iota
	levelRead
	levelTriage
	levelWrite
	levelMaintain
	levelAdmin
)

func parseLevel(s string) level {
	switch s {
	case "read", "pull":
		return levelRead
	case "triage":
		return levelTriage
	case "write", "push":
		return levelWrite
	case "maintain":
		return levelMaintain
	case "admin":
		return levelAdmin
	}
	return levelNone
}

func (l level) String() string {
	return [...]string{"none", "read", "triage", "write", "maintain", "admin"}[l]
}

// levelOf is the permission of a person here: owner, organisation, then what
// was given by name. The caller holds mu.
func (r *Repository) levelOf(u *Account) level {
	if u == r.owner {
		return levelAdmin
	}
	have := parseLevel(r.collaborators[u.id])
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	switch r.owner.members[u] {
	case "admin":
		return levelAdmin
	case "member":
		have = max(have, levelRead)
	}
	return have
}

// RepositoryOption changes what AddRepository makes.
type RepositoryOption func(*repositoryConfig)

type repositoryConfig struct {
	private, archived bool
	branch            string
	description       string
	properties        map[string]any
	collaborators     map[string]string
	message           string
	author            string
	when              time.Time
}

// Private makes the repository private; the default is public.
func Private() RepositoryOption { return func(c *repositoryConfig) { c.private = true } }

// Archived makes the repository read-only.
func Archived() RepositoryOption { return func(c *repositoryConfig) { c.archived = true } }

// Description sets the description.
func Description(text string) RepositoryOption {
	return func(c *repositoryConfig) { c.description = text }
}

// CustomProperties sets the organisation's properties: a value is a string, or
// a []string for a multi-select, which older clients cannot decode.
func CustomProperties(p map[string]any) RepositoryOption {
	return func(c *repositoryConfig) { c.properties = p }
}

// Collaborator gives a person (added when missing) a permission: read, triage,
// write, maintain or admin.
func Collaborator(login, permission string) RepositoryOption {
	return func(c *repositoryConfig) {
		if c.collaborators == nil {
			c.collaborators = map[string]string{}
		}
		c.collaborators[login] = permission
	}
}

// AddRepository seeds a repository with one commit of files; the owner must
// exist. With no files at all (nil) the repository is empty: no commit, no
// branch. Nothing is announced by webhooks. Seeding the same files again costs
// almost nothing, because objects are shared.
func (s *Server) AddRepository(owner, name string, files Files, opts ...RepositoryOption) (*Repository, error) {
	cfg := repositoryConfig{branch: "main", message: "Initial commit", when: s.now()}
	for _, f := range opts {
		f(&cfg)
	}
	acc := s.Account(owner)
	if acc == nil {
		return nil, fmt.Errorf("repository %s/%s: no such owner", owner, name)
	}
	if name == "" || strings.ContainsAny(name, "/ \x00") || strings.HasSuffix(name, ".git") {
		return nil, fmt.Errorf("repository name %q is not possible", name)
	}
	r := s.newRepository(acc, name, cfg)
	if files != nil {
		if err := r.seed(files, cfg); err != nil {
			return nil, fmt.Errorf("repository %s/%s: %w", owner, name, err)
		}
	}
	for login, permission := range cfg.collaborators {
		if parseLevel(permission) == levelNone {
			return nil, fmt.Errorf("repository %s/%s: permission %q", owner, name, permission)
		}
		r.collaborators[s.AddUser(login).id] = permission
	}
	return r, s.register(r)
}

func (s *Server) newRepository(owner *Account, name string, cfg repositoryConfig) *Repository {
	id := s.ids.next("repository")
	dir := filepath.Join(s.dir, "repos", fmt.Sprint(id%100), fmt.Sprintf("%d.git", id))
	return &Repository{
		s: s, id: id, created: cfg.when, updated: cfg.when,
		git:   gitdb.NewRepo(s.git, dir, s.shared, cfg.branch),
		owner: owner, name: name, description: cfg.description, private: cfg.private, archived: cfg.archived,
		defaultBranch: cfg.branch, properties: cfg.properties,
		nextNumber: 1, issues: map[int]*issue{}, comments: map[int64]*comment{}, reviewNotes: map[int64]*reviewComment{},
		collaborators: map[int64]string{}, diffs: map[[2]gitdb.OID][]gitdb.FileDiff{}, merges: map[[2]gitdb.OID]mergeResult{},
		labels: defaultLabels(s),
	}
}

// register makes the repository reachable by name.
func (s *Server) register(r *Repository) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(r.owner.Login() + "/" + r.name)
	if s.repos[key] != nil {
		return fmt.Errorf("repository %s exists already", key)
	}
	delete(s.formerNames, key)
	s.repos[key], s.repoByID[r.id] = r, r
	s.repoOrder = append(s.repoOrder, r)
	r.owner.owned++
	return nil
}

// seed writes the first commit into the shared objects.
func (r *Repository) seed(files Files, cfg repositoryConfig) error {
	author := r.owner
	if cfg.author != "" {
		author = r.s.AddUser(cfg.author)
	}
	changes, err := files.changes(r.git.Seed)
	if err != nil {
		return err
	}
	tree, err := gitdb.EditTree(r.git.Seeder(), "", changes)
	if err != nil {
		return err
	}
	who := gitdb.Ident{Name: author.Login(), Email: author.email(), When: cfg.when}
	c := gitdb.Commit{Tree: tree, Author: who, Committer: who, Message: cfg.message}
	id, err := r.git.Seed("commit", c.Encode())
	if err != nil {
		return err
	}
	pushed := cfg.when
	r.pushed = &pushed
	return r.git.SetRef("refs/heads/"+cfg.branch, id)
}

// Repository finds a repository by "owner/name", nil without one. Former names
// do not count.
func (s *Server) Repository(fullName string) *Repository {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.repos[strings.ToLower(fullName)]
}

// Repositories lists all repositories in order of creation.
func (s *Server) Repositories() []*Repository {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*Repository
	for _, r := range s.repoOrder {
		if s.repoByID[r.id] == r {
			out = append(out, r)
		}
	}
	return out
}

// lookup also follows former names; moved tells which it was.
func (s *Server) lookup(owner, name string) (r *Repository, moved bool) {
	key := strings.ToLower(owner + "/" + name)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.repos[key]; r != nil {
		return r, false
	}
	r = s.formerNames[key]
	return r, r != nil
}

// ID is the numeric id, which outlives renames.
func (r *Repository) ID() int64 { return r.id }

// FullName is "owner/name".
func (r *Repository) FullName() string {
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	return r.owner.Login() + "/" + r.name
}

func (r *Repository) shortName() string {
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	return r.name
}

// full is FullName for callers that hold mu.
func (r *Repository) full() string { return r.owner.Login() + "/" + r.name }

// CloneURL is the address for git.
func (r *Repository) CloneURL() string { return r.s.URL() + "/" + r.FullName() + ".git" }

// URL is the address for a browser.
func (r *Repository) URL() string { return r.s.URL() + "/" + r.FullName() }

// SetPermission gives a person (added when missing) a permission; "" or "none"
// takes it away.
func (r *Repository) SetPermission(login, permission string) error {
	if permission != "" && permission != "none" && parseLevel(permission) == levelNone {
		return fmt.Errorf("permission %q", permission)
	}
	u := r.s.AddUser(login)
	r.mu.Lock()
	defer r.mu.Unlock()
	if parseLevel(permission) == levelNone {
		delete(r.collaborators, u.id)
	} else {
		r.collaborators[u.id] = permission
	}
	return nil
}

// empty reports whether the repository has no branch at all.
func (r *Repository) empty() bool { return len(r.git.RefNames("refs/heads/")) == 0 }

// url is the API address of the repository; the caller holds mu.
func (r *Repository) url() string  { return r.s.api() + "/repos/" + r.full() }
func (r *Repository) html() string { return r.s.URL() + "/" + r.full() }

func (r *Repository) lockedObject() object {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.object()
}

// stub is the short form in installation events.
func (r *Repository) stub() object {
	r.mu.Lock()
	defer r.mu.Unlock()
	return object{"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.full(), "private": r.private}
}

// minimal is the schema "minimal-repository".
func (r *Repository) minimal() object {
	o := object{}
	for k, v := range r.object() {
		o[k] = v
	}
	return o
}

// object is the schema "repository", which also fits webhooks.
func (r *Repository) object() object {
	u, h := r.url(), r.html()
	visibility := "public"
	if r.private {
		visibility = "private"
	}
	open := 0
	for _, i := range r.issues {
		if i.open() {
			open++
		}
	}
	o := object{
		"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.full(),
		"owner": r.s.userObject(r.owner), "private": r.private, "visibility": visibility,
		"html_url": h, "description": nullable(r.description), "homepage": nullable(r.homepage), "fork": r.parent != nil, "url": u,
		"archive_url": u + "/{archive_format}{/ref}", "assignees_url": u + "/assignees{/user}", "blobs_url": u + "/git/blobs{/sha}",
		"branches_url": u + "/branches{/branch}", "collaborators_url": u + "/collaborators{/collaborator}",
		"comments_url": u + "/comments{/number}", "commits_url": u + "/commits{/sha}", "compare_url": u + "/compare/{base}...{head}",
		"contents_url": u + "/contents/{+path}", "contributors_url": u + "/contributors", "deployments_url": u + "/deployments",
		"downloads_url": u + "/downloads", "events_url": u + "/events", "forks_url": u + "/forks",
		"git_commits_url": u + "/git/commits{/sha}", "git_refs_url": u + "/git/refs{/sha}", "git_tags_url": u + "/git/tags{/sha}",
		"git_url": "git:" + strings.TrimPrefix(strings.TrimPrefix(h, "https:"), "http:") + ".git", "issue_comment_url": u + "/issues/comments{/number}",
		"issue_events_url": u + "/issues/events{/number}", "issues_url": u + "/issues{/number}", "keys_url": u + "/keys{/key_id}",
		"labels_url": u + "/labels{/name}", "languages_url": u + "/languages", "merges_url": u + "/merges",
		"milestones_url": u + "/milestones{/number}", "notifications_url": u + "/notifications{?since,all,participating}",
		"pulls_url": u + "/pulls{/number}", "releases_url": u + "/releases{/id}", "ssh_url": "git@github.localhost:" + r.full() + ".git",
		"stargazers_url": u + "/stargazers", "statuses_url": u + "/statuses/{sha}", "subscribers_url": u + "/subscribers",
		"subscription_url": u + "/subscription", "tags_url": u + "/tags", "teams_url": u + "/teams", "trees_url": u + "/git/trees{/sha}",
		"clone_url": h + ".git", "mirror_url": nil, "hooks_url": u + "/hooks", "svn_url": h, "language": nil, "license": nil,
		"forks_count": 0, "stargazers_count": 0, "watchers_count": 0, "size": 1, "default_branch": r.defaultBranch,
		"open_issues_count": open, "is_template": false, "topics": []string{}, "has_issues": true, "has_projects": false,
		"has_wiki": false, "has_pages": false, "has_downloads": true, "has_discussions": false, "archived": r.archived,
		"disabled": false, "pushed_at": stampOrNil(r.pushed), "created_at": stamp(r.created), "updated_at": stamp(r.updated),
		"allow_forking": true, "web_commit_signoff_required": false, "forks": 0, "open_issues": open, "watchers": 0,
	}
	if r.empty() {
		o["size"] = 0
	}
	if r.owner.kind == typeOrganization {
		props := object{}
		for k, v := range r.properties {
			props[k] = v
		}
		o["custom_properties"] = props
	}
	return o
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

package githubapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/go-github/v60/github"
)

// Repo is a repository. ID is its identity; the names change when it is renamed
// or transferred.
type Repo struct {
	ID            int64
	NodeID        string
	Owner, Name   string
	DefaultBranch string
	Archived      bool
	Disabled      bool // blocked by GitHub
	Fork          bool
	Template      bool
	Mirror        bool
	Private       bool
	// Size is in KiB, as GitHub counts it; 0 for an empty repository and for a
	// while after the first push, so ask Branch to be sure.
	Size int
	// OwnerType is User or Organization.
	OwnerType string
	HTMLURL   string
}

// FullName is owner/name.
func (r Repo) FullName() string { return r.Owner + "/" + r.Name }

type apiUser struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
}

// User is an account.
type User struct {
	ID    int64
	Login string
	Type  string // User, Bot, Organization...
}

func (u *apiUser) user() User {
	if u == nil {
		return User{Login: "ghost", Type: "User"} // what GitHub shows for a deleted account
	}
	return User{u.ID, u.Login, u.Type}
}

type apiRepo struct {
	ID            int64    `json:"id"`
	NodeID        string   `json:"node_id"`
	Name          string   `json:"name"`
	Owner         *apiUser `json:"owner"`
	DefaultBranch string   `json:"default_branch"`
	Archived      bool     `json:"archived"`
	Disabled      bool     `json:"disabled"`
	Fork          bool     `json:"fork"`
	IsTemplate    bool     `json:"is_template"`
	MirrorURL     *string  `json:"mirror_url"`
	Private       bool     `json:"private"`
	Size          int      `json:"size"`
	HTMLURL       string   `json:"html_url"`
}

func (r apiRepo) repo() Repo {
	owner := r.Owner.user()
	return Repo{
		ID: r.ID, NodeID: r.NodeID, Owner: owner.Login, OwnerType: owner.Type, Name: r.Name, DefaultBranch: r.DefaultBranch,
		Archived: r.Archived, Disabled: r.Disabled, Fork: r.Fork, Template: r.IsTemplate, Mirror: r.MirrorURL != nil && *r.MirrorURL != "",
		Private: r.Private, Size: r.Size, HTMLURL: r.HTMLURL,
	}
}

// Repository reads a repository by name. A renamed one is found under its old
// name too; compare the names of the answer.
func (c *Client) Repository(ctx context.Context, owner, name string) (Repo, error) {
	path, err := Repo{Owner: owner, Name: name}.path("")
	if err != nil {
		return Repo{}, err
	}
	r, err := get[apiRepo](ctx, c, "get repository", path)
	return r.repo(), err
}

// RepositoryByID reads a repository by its id, whatever it is called today.
func (c *Client) RepositoryByID(ctx context.Context, id int64) (Repo, error) {
	r, err := get[apiRepo](ctx, c, "get repository by id", "repositories/"+strconv.FormatInt(id, 10))
	return r.repo(), err
}

// RepositoriesPage reads one page of the repositories of the installation, at
// most 100 of them; the first page is 1. next is 0 after the last one.
func (c *Client) RepositoriesPage(ctx context.Context, page int) (repos []Repo, next int, err error) {
	type answer struct {
		Repositories []apiRepo `json:"repositories"`
	}
	a, err := call(ctx, c, "list repositories", reads, func(ctx context.Context, gh *github.Client) (v answer, resp *github.Response, err error) {
		resp, err = send(ctx, gh, http.MethodGet, fmt.Sprintf("installation/repositories?per_page=100&page=%d", page), nil, &v)
		if err == nil {
			next = resp.NextPage
		}
		return v, resp, err
	})
	if err != nil {
		return nil, 0, err
	}
	for _, r := range a.Repositories {
		repos = append(repos, r.repo())
	}
	if next <= page {
		next = 0 // the last page, or a server that leads in circles
	}
	return repos, next, nil
}

// Permission is what login may do in the repository: admin, maintain, write,
// triage, read or none. It fails closed: with an error the permission is none.
//
// The collaborator's own answer is used because author_association of a comment
// shows private members of an organisation as strangers.
func (c *Client) Permission(ctx context.Context, r Repo, login string) (string, error) {
	const nobody = "none"
	if !loginPattern.MatchString(login) {
		return nobody, fmt.Errorf("%q is not a login", clip(login))
	}
	path, err := r.path("collaborators/" + login + "/permission")
	if err != nil {
		return nobody, err
	}
	p, err := get[struct {
		Permission string `json:"permission"`
		RoleName   string `json:"role_name"`
	}](ctx, c, "get permission", path)
	if err != nil {
		return nobody, err
	}
	// permission folds maintain into write and triage into read; role_name is
	// exact but may also be the name of a custom role.
	switch {
	case p.Permission == "write" && p.RoleName == "maintain", p.Permission == "read" && p.RoleName == "triage":
		return p.RoleName, nil
	}
	switch p.Permission {
	case "admin", "write", "read":
		return p.Permission, nil
	}
	return nobody, nil
}

// CanWrite tells whether a permission lets somebody push.
func CanWrite(permission string) bool {
	return permission == "admin" || permission == "maintain" || permission == "write"
}

// Rule is one branch rule in force. Only its type is read: go-github v60 fails
// on the whole list when it meets a type that is newer than it (trap T4).
type Rule struct {
	// Type is GitHub's word: creation, update, non_fast_forward,
	// required_signatures, merge_queue, file_path_restriction...
	Type string
	// Source names the repository or organisation the ruleset belongs to.
	Source string
}

// Rules lists the rules that apply to a branch, which need not exist yet.
func (c *Client) Rules(ctx context.Context, r Repo, branch string) ([]Rule, error) {
	if err := checkBranch(branch); err != nil {
		return nil, err
	}
	path, err := r.path("rules/branches/" + escapePath(branch))
	if err != nil {
		return nil, err
	}
	type apiRule struct {
		Type   string `json:"type"`
		Source string `json:"ruleset_source"`
	}
	found, _, err := list[apiRule](ctx, c, "list branch rules", path)
	if err != nil {
		return nil, err
	}
	rules := make([]Rule, 0, len(found))
	for _, f := range found {
		rules = append(rules, Rule(f))
	}
	return rules, nil
}

// File reads a file of a repository at a ref ("" is the default branch), for
// the few files that are wanted without the tree. ErrNotFound when it is not there.
func (c *Client) File(ctx context.Context, r Repo, ref, file string) ([]byte, error) {
	path, err := r.path("contents/" + escapePath(strings.TrimPrefix(file, "/")))
	if err != nil {
		return nil, err
	}
	if ref != "" {
		path += "?ref=" + url.QueryEscape(ref)
	}
	return raw(ctx, c, "get file", path, c.app.settings.Limits.BlobBytes)
}

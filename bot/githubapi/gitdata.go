package githubapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// File is one path of a commit.
type File struct {
	Path string
	// Mode is kept as given, so that an executable file stays one; empty is
	// ModeFile.
	Mode    string
	Content []byte
	// Delete removes the path instead.
	Delete bool
}

// CommitRequest describes a commit on top of others.
type CommitRequest struct {
	// BaseTree is the id of the tree that Files change. Only changed files are
	// sent: rules about paths judge everything that is in the request.
	BaseTree string
	Parents  []string // commit ids
	Message  string
	Files    []File
}

// CommitInfo is a commit as GitHub knows it.
type CommitInfo struct {
	SHA, Tree string
	Parents   []string
	Message   string
	// Verified tells that GitHub vouches for the signature.
	Verified bool
	// Reason is GitHub's word for why it does or does not: valid, unsigned...
	Reason string
}

type apiCommit struct {
	SHA     string    `json:"sha"`
	Tree    shaOnly   `json:"tree"`
	Parents []shaOnly `json:"parents"`
	Message string    `json:"message"`
	Check   struct {
		Verified bool   `json:"verified"`
		Reason   string `json:"reason"`
	} `json:"verification"`
}

type shaOnly struct {
	SHA string `json:"sha"`
}

func (a apiCommit) info() CommitInfo {
	c := CommitInfo{SHA: a.SHA, Tree: a.Tree.SHA, Message: a.Message, Verified: a.Check.Verified, Reason: a.Check.Reason}
	for _, p := range a.Parents {
		c.Parents = append(c.Parents, p.SHA)
	}
	return c
}

// GetCommit reads a commit by its id.
func (c *Client) GetCommit(ctx context.Context, r Repo, sha string) (CommitInfo, error) {
	if err := checkSHA(sha); err != nil {
		return CommitInfo{}, err
	}
	path, err := r.path("git/commits/" + sha)
	if err != nil {
		return CommitInfo{}, err
	}
	a, err := get[apiCommit](ctx, c, "get commit", path)
	return a.info(), err
}

// Commit makes a commit that no ref points to yet: one call for the tree with
// the contents inline, one for the commit. Content that is not UTF-8 cannot go
// inline and costs one call more per file. No author is sent, because only then
// GitHub signs the commit as the App; verified tells whether it did.
//
// REST and not GraphQL's createCommitOnBranch, which writes every file with
// mode 100644 and cannot be forced.
func (c *Client) Commit(ctx context.Context, r Repo, req CommitRequest) (sha string, verified bool, err error) {
	tree, err := c.createTree(ctx, r, req)
	if err != nil {
		return "", false, err
	}
	for _, p := range req.Parents {
		if err := checkSHA(p); err != nil {
			return "", false, err
		}
	}
	path, err := r.path("git/commits")
	if err != nil {
		return "", false, err
	}
	parents := req.Parents
	if parents == nil {
		parents = []string{}
	}
	a, err := write[apiCommit](ctx, c, "create commit", makes, http.MethodPost, path,
		map[string]any{"message": req.Message, "tree": tree, "parents": parents})
	if err != nil {
		return "", false, err
	}
	return a.SHA, a.Check.Verified, nil
}

type treeItem struct {
	Path    string  `json:"path"`
	Mode    string  `json:"mode"`
	Type    string  `json:"type"`
	Content *string `json:"content,omitempty"`
	SHA     *string `json:"sha,omitempty"`
}

// deletedItem must carry an explicit null: that is how a path is removed.
type deletedItem struct {
	Path string  `json:"path"`
	Mode string  `json:"mode"`
	Type string  `json:"type"`
	SHA  *string `json:"sha"`
}

func (c *Client) createTree(ctx context.Context, r Repo, req CommitRequest) (string, error) {
	if err := checkSHA(req.BaseTree); err != nil {
		return "", fmt.Errorf("base tree: %w", err)
	}
	if len(req.Files) == 0 {
		return "", errors.New("a commit without files")
	}
	items := make([]any, 0, len(req.Files))
	for _, f := range req.Files {
		mode := f.Mode
		if mode == "" {
			mode = ModeFile
		}
		if f.Delete {
			items = append(items, deletedItem{Path: f.Path, Mode: mode, Type: "blob"})
			continue
		}
		item := treeItem{Path: f.Path, Mode: mode, Type: "blob"}
		if utf8.Valid(f.Content) {
			text := string(f.Content)
			item.Content = &text
		} else {
			sha, err := c.createBlob(ctx, r, f.Content)
			if err != nil {
				return "", err
			}
			item.SHA = &sha
		}
		items = append(items, item)
	}
	path, err := r.path("git/trees")
	if err != nil {
		return "", err
	}
	a, err := write[shaOnly](ctx, c, "create tree", makes, http.MethodPost, path, map[string]any{"base_tree": req.BaseTree, "tree": items})
	return a.SHA, err
}

func (c *Client) createBlob(ctx context.Context, r Repo, content []byte) (string, error) {
	path, err := r.path("git/blobs")
	if err != nil {
		return "", err
	}
	a, err := write[shaOnly](ctx, c, "create blob", makes, http.MethodPost, path,
		map[string]any{"content": base64.StdEncoding.EncodeToString(content), "encoding": "base64"})
	return a.SHA, err
}

type apiRef struct {
	Ref    string `json:"ref"`
	Object struct {
		SHA  string `json:"sha"`
		Type string `json:"type"`
	} `json:"object"`
}

// Branch returns the commit a branch points to; ErrNotFound when there is no
// such branch, ErrEmpty when the repository has no commit.
func (c *Client) Branch(ctx context.Context, r Repo, name string) (string, error) {
	path, err := refPath(r, "git/ref/", name)
	if err != nil {
		return "", err
	}
	a, err := get[apiRef](ctx, c, "get branch", path)
	if err != nil {
		return "", err
	}
	if a.Ref != "refs/heads/"+name {
		return "", fmt.Errorf("get branch: %w", ErrNotFound)
	}
	return a.Object.SHA, nil
}

// CreateRef makes a branch. A *RefusedError with RefExists says that it is there.
func (c *Client) CreateRef(ctx context.Context, r Repo, branch, sha string) error {
	if err := errors.Join(checkBranch(branch), checkSHA(sha)); err != nil {
		return err
	}
	path, err := r.path("git/refs")
	if err != nil {
		return err
	}
	_, err = write[apiRef](ctx, c, "create ref", makes, http.MethodPost, path, map[string]any{"ref": "refs/heads/" + branch, "sha": sha})
	return err
}

// UpdateRef moves a branch. Without force, GitHub refuses what is not a fast
// forward (*RefusedError with NotFastForward): somebody else was there.
func (c *Client) UpdateRef(ctx context.Context, r Repo, branch, sha string, force bool) error {
	if err := checkSHA(sha); err != nil {
		return err
	}
	path, err := refPath(r, "git/refs/", branch)
	if err != nil {
		return err
	}
	_, err = write[apiRef](ctx, c, "update ref", makes, http.MethodPatch, path, map[string]any{"sha": sha, "force": force})
	return err
}

// DeleteRef deletes a branch; no error when it is gone already.
func (c *Client) DeleteRef(ctx context.Context, r Repo, branch string) error {
	path, err := refPath(r, "git/refs/", branch)
	if err != nil {
		return err
	}
	_, err = write[none](ctx, c, "delete ref", makes, http.MethodDelete, path, nil)
	var refused *RefusedError
	if errors.Is(err, ErrNotFound) || errors.As(err, &refused) && refused.says("reference does not exist") {
		return nil
	}
	return err
}

func refPath(r Repo, prefix, branch string) (string, error) {
	if err := checkBranch(branch); err != nil {
		return "", err
	}
	return r.path(prefix + "heads/" + escapePath(branch))
}

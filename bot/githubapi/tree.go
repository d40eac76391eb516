package githubapi

import (
	"cmp"
	"context"
	"crypto/sha1" // #nosec G505 -- git's object ids, not a signature
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Modes of a tree entry, as git writes them.
const (
	ModeFile      = "100644"
	ModeExec      = "100755"
	ModeLink      = "120000"
	ModeSubmodule = "160000"
	ModeDir       = "040000"
)

// Entry is one path of a tree.
type Entry struct {
	Path string `json:"path"` // slash-separated, from the root
	Mode string `json:"mode"`
	Type string `json:"type"` // blob, tree or commit (a submodule)
	SHA  string `json:"sha"`
	Size int64  `json:"size"` // bytes, 0 for all but blobs
}

// Tree is a whole tree, sorted by path.
type Tree struct {
	SHA     string
	Entries []Entry
	// Unread are the directories that the budget of calls did not reach, ""
	// for the root. Nothing is known of what is below them: say so, never
	// "none found".
	Unread []string
}

// Incomplete tells that some directory was not read.
func (t *Tree) Incomplete() bool { return len(t.Unread) > 0 }

// Find returns the entry of a path.
func (t *Tree) Find(path string) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(t.Entries, path, func(e Entry, p string) int { return cmp.Compare(e.Path, p) })
	if !ok {
		return Entry{}, false
	}
	return t.Entries[i], true
}

type apiTree struct {
	SHA       string  `json:"sha"`
	Tree      []Entry `json:"tree"`
	Truncated bool    `json:"truncated"`
}

// Tree reads the tree of a ref: a branch, a commit or a tree id. One call, or
// several when GitHub truncates it (beyond 100,000 entries or 7 MB): then its
// directories are read one by one, within Limits.TreeCalls. ErrEmpty when the
// repository has no commit.
func (c *Client) Tree(ctx context.Context, r Repo, ref string) (*Tree, error) {
	if checkSHA(ref) != nil {
		if err := checkBranch(ref); err != nil {
			return nil, err
		}
	}
	w := &treeWalk{c: c, repo: r, left: c.app.settings.Limits.TreeCalls}
	root, err := w.read(ctx, ref, true)
	if err != nil {
		return nil, err
	}
	t := &Tree{SHA: root.SHA, Entries: root.Tree}
	if root.Truncated {
		t.Entries = nil
		if err := w.walk(ctx, t, "", root.SHA); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(t.Entries, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	return t, nil
}

type treeWalk struct {
	c    *Client
	repo Repo
	left int // calls
}

func (w *treeWalk) read(ctx context.Context, ref string, recursive bool) (apiTree, error) {
	w.left--
	path, err := w.repo.path("git/trees/" + escapePath(ref))
	if err != nil {
		return apiTree{}, err
	}
	if recursive {
		path += "?recursive=1"
	}
	return get[apiTree](ctx, w.c, "get tree", path)
}

// walk reads a directory that is too large to be read recursively: the
// directory itself, then each of its sub-directories recursively, and so on.
func (w *treeWalk) walk(ctx context.Context, t *Tree, dir, sha string) error {
	if w.left < 1 {
		t.Unread = append(t.Unread, dir)
		return nil
	}
	level, err := w.read(ctx, sha, false)
	if err != nil {
		return err
	}
	if level.Truncated {
		// A single directory beyond the limit: its further entries cannot be had.
		t.Unread = append(t.Unread, dir)
	}
	for _, e := range level.Tree {
		e.Path = join(dir, e.Path)
		t.Entries = append(t.Entries, e)
		if e.Type != "tree" {
			continue
		}
		if w.left < 1 {
			t.Unread = append(t.Unread, e.Path)
			continue
		}
		sub, err := w.read(ctx, e.SHA, true)
		if err != nil {
			return err
		}
		if sub.Truncated {
			if err := w.walk(ctx, t, e.Path, e.SHA); err != nil {
				return err
			}
			continue
		}
		for _, s := range sub.Tree {
			s.Path = join(e.Path, s.Path)
			t.Entries = append(t.Entries, s)
		}
	}
	return nil
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// Blob reads a file by its object id, at most Limits.BlobBytes (ErrTooLarge).
// The bytes are checked against the id.
func (c *Client) Blob(ctx context.Context, r Repo, sha string) ([]byte, error) {
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	path, err := r.path("git/blobs/" + sha)
	if err != nil {
		return nil, err
	}
	content, err := raw(ctx, c, "get blob", path, c.app.settings.Limits.BlobBytes)
	if err != nil {
		return nil, err
	}
	if !isBlob(content, sha) {
		return nil, fmt.Errorf("get blob: the content does not match its id %s", sha)
	}
	return content, nil
}

// isBlob tells whether content has the object id sha. Ids of SHA-256
// repositories are not checked: GitHub has none today.
func isBlob(content []byte, sha string) bool {
	if len(sha) != 40 {
		return true
	}
	h := sha1.New() // #nosec G401 -- git's object ids
	h.Write([]byte("blob " + strconv.Itoa(len(content)) + "\x00"))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil)) == sha
}

const blobsPerQuery = 100

// Blobs reads many files in batches of 100 per GraphQL call. GraphQL returns
// text and may have changed it on the way, so each is checked against its id;
// what is binary, cut or not the same is read with Blob. Files beyond
// Limits.BlobBytes are left out of the answer.
func (c *Client) Blobs(ctx context.Context, r Repo, shas []string) (map[string][]byte, error) {
	shas = slices.Compact(slices.Sorted(slices.Values(shas)))
	found := make(map[string][]byte, len(shas))
	for batch := range slices.Chunk(shas, blobsPerQuery) {
		if len(batch) == 1 {
			break // one REST call is as good
		}
		if err := c.blobBatch(ctx, r, batch, found); err != nil {
			return nil, err
		}
	}
	for _, sha := range shas {
		if _, ok := found[sha]; ok {
			continue
		}
		content, err := c.Blob(ctx, r, sha)
		if tooLarge(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found[sha] = content
	}
	return found, nil
}

func (c *Client) blobBatch(ctx context.Context, r Repo, shas []string, found map[string][]byte) error {
	var q strings.Builder
	q.WriteString("query($owner:String!,$name:String!){repository(owner:$owner,name:$name){")
	for i, sha := range shas {
		if err := checkSHA(sha); err != nil {
			return err
		}
		fmt.Fprintf(&q, "b%d:object(oid:%q){... on Blob{text isTruncated}}", i, sha)
	}
	q.WriteString("}}")
	var answer struct {
		Repository map[string]*struct {
			Text        *string `json:"text"`
			IsTruncated bool    `json:"isTruncated"`
		} `json:"repository"`
	}
	if err := c.GraphQL(ctx, q.String(), map[string]any{"owner": r.Owner, "name": r.Name}, &answer); err != nil {
		return err
	}
	for i, sha := range shas {
		b := answer.Repository["b"+strconv.Itoa(i)]
		if b == nil || b.Text == nil || b.IsTruncated || int64(len(*b.Text)) > c.app.settings.Limits.BlobBytes {
			continue
		}
		if content := []byte(*b.Text); len(sha) == 40 && isBlob(content, sha) {
			found[sha] = content
		}
	}
	return nil
}

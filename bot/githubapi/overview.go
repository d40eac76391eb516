package githubapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Overview is what a reconciling pass wants to know of a repository, read for a
// hundred repositories in one call.
type Overview struct {
	// Repo lacks Size and OwnerType.
	Repo Repo
	// Head and Tree are the commit and the tree of the default branch, "" when
	// the repository is empty. The same tree holds the same Dockerfiles.
	Head, Tree string
	// Branch is the head of the branch that was asked about, "" when there is none.
	Branch string
	// File is the blob of the file that was asked about, "" when there is none.
	File string
	// Pulls are the youngest pull requests from that branch, forks left out.
	Pulls []OverviewPull
	// Crowded tells that pull requests from forks took the place of others that
	// may be ours: anybody can name a branch like that.
	Crowded bool
}

// OverviewPull is a pull request seen from far away.
type OverviewPull struct {
	Number  int
	State   string // open or closed
	Merged  bool
	HeadSHA string
	// Bot is the slug of the App that opened it, "" for people.
	Bot       string
	CreatedAt time.Time
	UpdatedAt time.Time
	ClosedAt  time.Time // zero while it is open
}

const (
	overviewBatch = 100 // GitHub's bound for nodes(ids:)
	overviewLeast = 12  // a batch that is not cut in halves any more
	overviewPulls = 5   // of a repository, see overviewQuery
)

// overviewQuery costs one point of the hourly allowance for a hundred
// repositories: 1 + 100 connections, divided by 100.
const overviewQuery = `query($ids:[ID!]!,$branch:String!,$file:String!,$head:String!){nodes(ids:$ids){...on Repository{
id databaseId name owner{login} url isArchived isDisabled isFork isTemplate isMirror isPrivate
defaultBranchRef{name target{oid ...on Commit{tree{oid}}}}
ref(qualifiedName:$branch){target{oid}}
object(expression:$file){oid}
pullRequests(headRefName:$head,first:5,orderBy:{field:CREATED_AT,direction:DESC}){nodes{number state headRefOid createdAt updatedAt closedAt isCrossRepository author{__typename login}}}
}}}`

type overviewNode struct {
	ID    string `json:"id"`
	DBID  int64  `json:"databaseId"`
	Name  string `json:"name"`
	Owner struct {
		Login string `json:"login"`
	} `json:"owner"`
	URL           string `json:"url"`
	IsArchived    bool   `json:"isArchived"`
	IsDisabled    bool   `json:"isDisabled"`
	IsFork        bool   `json:"isFork"`
	IsTemplate    bool   `json:"isTemplate"`
	IsMirror      bool   `json:"isMirror"`
	IsPrivate     bool   `json:"isPrivate"`
	DefaultBranch *struct {
		Name   string `json:"name"`
		Target struct {
			OID  string `json:"oid"`
			Tree oid    `json:"tree"`
		} `json:"target"`
	} `json:"defaultBranchRef"`
	Ref *struct {
		Target oid `json:"target"`
	} `json:"ref"`
	Object *oid `json:"object"`
	Pulls  struct {
		Nodes []struct {
			Number    int       `json:"number"`
			State     string    `json:"state"` // OPEN, CLOSED or MERGED
			HeadSHA   string    `json:"headRefOid"`
			CreatedAt time.Time `json:"createdAt"`
			UpdatedAt time.Time `json:"updatedAt"`
			ClosedAt  time.Time `json:"closedAt"` // null while it is open
			Author    *struct {
				Type  string `json:"__typename"`
				Login string `json:"login"`
			} `json:"author"`
			Fork bool `json:"isCrossRepository"`
		} `json:"nodes"`
	} `json:"pullRequests"`
}

type oid struct {
	OID string `json:"oid"`
}

// Overviews reads repositories by their node ids (Repo.NodeID), with the head
// of a branch, the blob of a file at the default branch and the pull requests
// from that branch. The answer is by node id; what the installation cannot see
// any more is left out.
//
// The ids must come from Repositories: a search by organisation could show
// public repositories that the App is not installed on. A batch that GitHub
// cannot answer in its ten seconds is cut in halves. Left out, too, are those
// that GitHub does not tell everything about: half an answer would read as a
// repository without commits or pull requests.
func (c *Client) Overviews(ctx context.Context, nodeIDs []string, branch, file string) (map[string]Overview, error) {
	if err := checkBranch(branch); err != nil {
		return nil, err
	}
	found := make(map[string]Overview, len(nodeIDs))
	for batch := range slices.Chunk(nodeIDs, overviewBatch) {
		if err := c.overviewBatch(ctx, batch, branch, file, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// overviewBatch reads up to a hundred. When it fails for a few of them they are
// asked for one by one, so that a single one does not hide the others; when it
// fails for all, that is the error.
func (c *Client) overviewBatch(ctx context.Context, ids []string, branch, file string, found map[string]Overview) error {
	err := c.overviewCall(ctx, ids, branch, file, found)
	switch {
	case err == nil || !divisible(err) || len(ids) == 1:
		return err
	case len(ids) > overviewLeast:
		half := len(ids) / 2
		if err := c.overviewBatch(ctx, ids[:half], branch, file, found); err != nil {
			return err
		}
		return c.overviewBatch(ctx, ids[half:], branch, file, found)
	}
	failed := 0
	for i := range ids {
		if one := c.overviewCall(ctx, ids[i:i+1], branch, file, found); one != nil {
			if !divisible(one) {
				return one
			}
			failed++
			err = one
		}
	}
	if failed < len(ids) {
		return nil
	}
	return err
}

// divisible tells whether a smaller batch may succeed.
func divisible(err error) bool {
	var answered *GraphQLError
	return errors.Is(err, ErrUnavailable) || tooLarge(err) || errors.As(err, &answered)
}

func (c *Client) overviewCall(ctx context.Context, ids []string, branch, file string, found map[string]Overview) error {
	var answer struct {
		Nodes []*overviewNode `json:"nodes"`
	}
	err := c.GraphQL(ctx, overviewQuery, map[string]any{"ids": ids, "branch": "refs/heads/" + branch, "file": "HEAD:" + file, "head": branch}, &answer)
	// What is wrong with some comes as errors beside the data of the others.
	var partial *GraphQLError
	half := map[int]bool{}
	switch {
	case errors.As(err, &partial) && len(answer.Nodes) == len(ids):
		for _, d := range partial.Errors {
			i, ok := nodeOf(d.Path)
			if !ok && d.Type != "NOT_FOUND" {
				return fmt.Errorf("reading %d repositories: %w", len(ids), err)
			}
			half[i] = ok
		}
	case err != nil && !errors.Is(err, ErrNotFound):
		return fmt.Errorf("reading %d repositories: %w", len(ids), err)
	}
	for i, n := range answer.Nodes {
		if n == nil || n.ID == "" || half[i] {
			continue
		}
		id := n.ID
		if len(answer.Nodes) == len(ids) {
			id = ids[i] // GitHub has two kinds of ids, and may answer with the other
		}
		found[id] = n.overview()
	}
	return nil
}

// nodeOf is which of the nodes the path of an error leads to.
func nodeOf(path []any) (int, bool) {
	if len(path) < 2 || path[0] != "nodes" {
		return 0, false
	}
	i, ok := path[1].(float64)
	return int(i), ok
}

func (n *overviewNode) overview() Overview {
	o := Overview{Repo: Repo{
		ID: n.DBID, NodeID: n.ID, Owner: n.Owner.Login, Name: n.Name, Archived: n.IsArchived, Disabled: n.IsDisabled,
		Fork: n.IsFork, Template: n.IsTemplate, Mirror: n.IsMirror, Private: n.IsPrivate, HTMLURL: n.URL,
	}}
	if d := n.DefaultBranch; d != nil {
		o.Repo.DefaultBranch, o.Head, o.Tree = d.Name, d.Target.OID, d.Target.Tree.OID
	}
	if n.Ref != nil {
		o.Branch = n.Ref.Target.OID
	}
	if n.Object != nil {
		o.File = n.Object.OID
	}
	for _, p := range n.Pulls.Nodes {
		if p.Fork {
			o.Crowded = len(n.Pulls.Nodes) >= overviewPulls
			continue
		}
		pull := OverviewPull{Number: p.Number, State: strings.ToLower(p.State), HeadSHA: p.HeadSHA, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, ClosedAt: p.ClosedAt}
		if p.Author != nil && p.Author.Type == "Bot" {
			pull.Bot = strings.TrimSuffix(p.Author.Login, "[bot]") // GraphQL writes it without, REST with
		}
		if p.State == "MERGED" {
			pull.State, pull.Merged = StateClosed, true
		}
		o.Pulls = append(o.Pulls, pull)
	}
	return o
}

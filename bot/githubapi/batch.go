package githubapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Want is a list of blobs that are wanted of a repository.
type Want struct {
	Repo Repo
	SHAs []string
}

// BlobsOf reads blobs of many repositories, 100 blobs per GraphQL call however
// many repositories they are spread over. The answer is by object id; a blob
// that several repositories hold is read once. As in Blobs each content is
// checked against its id, and what is binary, cut or not the same is read with
// Blob. Left out of the answer are blobs beyond Limits.BlobBytes. failed says of
// a blob why it could not be read: its repository is gone or blocked, say; that
// keeps nobody else's from being read. The error is one that concerns all.
func (c *Client) BlobsOf(ctx context.Context, wants []Want) (found map[string][]byte, failed map[string]error, err error) {
	found, failed = map[string][]byte{}, map[string]error{}
	var all []wanted
	others := map[string][]Repo{}
	for _, w := range wants {
		for _, sha := range w.SHAs {
			if err := checkSHA(sha); err != nil {
				return nil, nil, err
			}
			if others[sha] == nil {
				all = append(all, wanted{w.Repo, sha})
			}
			if len(others[sha]) < holders {
				others[sha] = append(others[sha], w.Repo)
			}
		}
	}
	for batch := range slices.Chunk(all, blobsPerQuery) {
		if err := c.mixedBatch(ctx, batch, found); err != nil {
			return nil, nil, err
		}
	}
	down := 0
	for _, w := range all {
		if _, ok := found[w.sha]; ok {
			continue
		}
		content, err := c.blobOfAny(ctx, others[w.sha], w.sha)
		var limited *RateLimitedError
		switch {
		case err == nil:
			found[w.sha] = content
		case tooLarge(err):
		case ctx.Err() != nil, errors.As(err, &limited), errors.Is(err, ErrGone), errors.Is(err, ErrUnauthorized):
			return nil, nil, err
		default:
			failed[w.sha] = err
		}
		if down++; !errors.Is(err, ErrUnavailable) {
			down = 0
		}
		if down == downMost {
			return nil, nil, err
		}
	}
	return found, failed, nil
}

const (
	// holders is in how many repositories a blob is looked for.
	holders = 3
	// downMost is how many calls in a row GitHub may not answer before it is
	// taken to be down.
	downMost = 5
)

// blobOfAny reads a blob from the first repository that has it for us.
func (c *Client) blobOfAny(ctx context.Context, repos []Repo, sha string) (content []byte, err error) {
	for _, r := range repos {
		content, err = c.Blob(ctx, r, sha)
		var refused *RefusedError
		if !errors.Is(err, ErrNotFound) && !errors.As(err, &refused) {
			return content, err
		}
	}
	return content, err
}

// wanted is one blob of one repository.
type wanted struct {
	repo Repo
	sha  string
}

// mixedBatch reads up to 100 blobs in one call. A batch that GitHub cannot
// answer in its ten seconds is cut in halves.
func (c *Client) mixedBatch(ctx context.Context, batch []wanted, found map[string][]byte) error {
	if len(batch) < 2 {
		return nil // one REST call is as good
	}
	type blob struct {
		Text        *string `json:"text"`
		IsTruncated bool    `json:"isTruncated"`
	}
	var answer map[string]map[string]*blob
	query, variables := mixedQuery(batch)
	err := c.GraphQL(ctx, query, variables, &answer)
	var partial *GraphQLError
	switch {
	case errors.Is(err, ErrUnavailable) && len(batch) <= overviewLeast:
		return nil // one of them may be too much: they are read one by one
	case errors.Is(err, ErrUnavailable), tooLarge(err):
		half := len(batch) / 2
		if err := c.mixedBatch(ctx, batch[:half], found); err != nil {
			return err
		}
		return c.mixedBatch(ctx, batch[half:], found)
	case errors.As(err, &partial):
		// A repository that is gone; the data of the others came with it.
	case err != nil:
		return fmt.Errorf("reading %d files: %w", len(batch), err)
	}
	for _, repository := range answer {
		for name, b := range repository {
			i, err := strconv.Atoi(strings.TrimPrefix(name, "b"))
			if err != nil || i < 0 || i >= len(batch) || b == nil || b.Text == nil || b.IsTruncated ||
				int64(len(*b.Text)) > c.app.settings.Limits.BlobBytes {
				continue
			}
			if sha := batch[i].sha; len(sha) == 40 && isBlob([]byte(*b.Text), sha) {
				found[sha] = []byte(*b.Text)
			}
		}
	}
	return nil
}

// mixedQuery asks for each repository once, by its node id, and below it for
// its blobs, named b0, b1 and so on after their place in the batch. The ids are
// passed as variables; object ids were checked to be hexadecimal.
func mixedQuery(batch []wanted) (query string, variables map[string]any) {
	variables = map[string]any{}
	var head, body strings.Builder
	of := map[string][]int{}
	var order []string
	for i, w := range batch {
		if of[w.repo.NodeID] == nil {
			order = append(order, w.repo.NodeID)
		}
		of[w.repo.NodeID] = append(of[w.repo.NodeID], i)
	}
	for n, id := range order {
		variables["i"+strconv.Itoa(n)] = id
		fmt.Fprintf(&head, "$i%d:ID!", n)
		fmt.Fprintf(&body, "r%d:node(id:$i%d){...on Repository{", n, n)
		for _, i := range of[id] {
			fmt.Fprintf(&body, "b%d:object(oid:%q){...on Blob{text isTruncated}}", i, batch[i].sha)
		}
		body.WriteString("}}")
	}
	return "query(" + head.String() + "){" + body.String() + "}", variables
}

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
// Blob. Left out of the answer are blobs beyond Limits.BlobBytes and those of
// repositories that are gone.
func (c *Client) BlobsOf(ctx context.Context, wants []Want) (map[string][]byte, error) {
	found := map[string][]byte{}
	var all []wanted
	seen := map[string]bool{}
	for _, w := range wants {
		for _, sha := range w.SHAs {
			if err := checkSHA(sha); err != nil {
				return nil, err
			}
			if !seen[sha] {
				seen[sha] = true
				all = append(all, wanted{w.Repo, sha})
			}
		}
	}
	for batch := range slices.Chunk(all, blobsPerQuery) {
		if err := c.mixedBatch(ctx, batch, found); err != nil {
			return nil, err
		}
	}
	for _, w := range all {
		if _, ok := found[w.sha]; ok {
			continue
		}
		content, err := c.Blob(ctx, w.repo, w.sha)
		switch {
		case tooLarge(err), errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return nil, err
		}
		found[w.sha] = content
	}
	return found, nil
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
	case errors.Is(err, ErrUnavailable) && len(batch) > overviewLeast:
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

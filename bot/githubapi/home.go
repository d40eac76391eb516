package githubapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Home is what an organisation keeps in one of its repositories for all: a file
// of settings, and an issue of ours.
type Home struct {
	// Repo is the repository with its id, node id, names and Private, Archived;
	// the zero value when there is none or we may not see it.
	Repo Repo
	// File is the object id of the file at the default branch, "" when there is
	// none. Content is nil when GraphQL did not give all of it as text.
	File    string
	Content []byte
	// Other tells that there is a file at the second path that was asked about.
	Other bool
	// Issue is the state of the issue that was asked about, open or closed, ""
	// when it is gone or none was asked about.
	Issue string
}

const homeQuery = `query($owner:String!,$name:String!,$file:String!,$other:String!,$issue:Int!,$ask:Boolean!){repository(owner:$owner,name:$name){
id databaseId name owner{login} url isArchived isDisabled isPrivate
object(expression:$file){oid ...on Blob{text isTruncated}}
other:object(expression:$other){__typename}
issue(number:$issue)@include(if:$ask){state}}}`

// Home reads the repository owner/name, a file at its default branch, whether
// there is a file at other too, and the state of an issue (0: none) in one call. A repository that does not exist or
// cannot be seen is the zero Home and no error.
func (c *Client) Home(ctx context.Context, owner, name, file, other string, issue int) (Home, error) {
	if _, err := (Repo{Owner: owner, Name: name}).path(""); err != nil {
		return Home{}, err
	}
	var answer struct {
		Repository *struct {
			overviewNode
			Object *struct {
				OID         string  `json:"oid"`
				Text        *string `json:"text"`
				IsTruncated bool    `json:"isTruncated"`
			} `json:"object"`
			Other *struct {
				Type string `json:"__typename"`
			} `json:"other"`
			Issue *struct {
				State string `json:"state"`
			} `json:"issue"`
		} `json:"repository"`
	}
	err := c.GraphQL(ctx, homeQuery, map[string]any{"owner": owner, "name": name, "file": "HEAD:" + file, "other": "HEAD:" + other, "issue": issue, "ask": issue > 0}, &answer)
	// An issue that is gone comes as an error beside the repository.
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Home{}, fmt.Errorf("reading %s/%s: %w", owner, name, err)
	}
	r := answer.Repository
	if r == nil {
		return Home{}, nil
	}
	h := Home{Repo: r.overview().Repo}
	if r.Object != nil {
		h.File = r.Object.OID
		if t := r.Object.Text; t != nil && !r.Object.IsTruncated && int64(len(*t)) <= c.app.settings.Limits.BlobBytes && isBlob([]byte(*t), h.File) {
			h.Content = []byte(*t)
		}
	}
	h.Other = r.Other != nil && r.Other.Type == "Blob"
	if r.Issue != nil {
		h.Issue = strings.ToLower(r.Issue.State)
	}
	return h, nil
}

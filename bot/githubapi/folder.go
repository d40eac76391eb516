package githubapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// folderMost is how many files GitHub lists of a folder, see
// https://docs.github.com/rest/repos/contents#get-repository-content.
const folderMost = 1000

// Folder lists the names of the files in a folder at a ref ("" is the default
// branch), links among them and folders not, in one call. more tells that there
// may be further ones. ErrNotFound when it is not there; what is no folder holds
// no files.
func (c *Client) Folder(ctx context.Context, r Repo, ref, folder string) (names []string, more bool, err error) {
	path, err := r.path("contents/" + escapePath(folder))
	if err != nil {
		return nil, false, err
	}
	if ref != "" {
		path += "?ref=" + url.QueryEscape(ref)
	}
	answer, err := get[json.RawMessage](ctx, c, "list folder", path)
	if err != nil {
		return nil, false, err
	}
	if !bytes.HasPrefix(bytes.TrimSpace(answer), []byte("[")) {
		return nil, false, nil // a file is told about as an object
	}
	var entries []struct {
		Name string `json:"name"`
		Type string `json:"type"` // file (submodules as well), symlink or dir
	}
	if err := json.Unmarshal(answer, &entries); err != nil {
		return nil, false, fmt.Errorf("list folder: %w", err)
	}
	for _, e := range entries {
		if e.Type != "dir" {
			names = append(names, e.Name)
		}
	}
	return names, len(entries) >= folderMost, nil
}

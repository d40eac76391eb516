package standin

import (
	"encoding/base64"
	"net/http"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

// maxBlob is the largest blob the API gives out.
// https://docs.github.com/rest/git/blobs#get-a-blob
const maxBlob = 100 << 20

func getBlob(c *call) error {
	r, sha := c.repo, c.params["sha"]
	if !gitdb.Valid(sha) {
		return unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
	}
	kind, size, err := r.git.Size(gitdb.OID(sha))
	if err != nil || kind != "blob" {
		return notFound()
	}
	if size > maxBlob {
		return &apiError{status: http.StatusForbidden, message: "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API, but you can always clone the repository via Git.",
			errors: []fieldError{{Resource: "Blob", Field: "data", Code: "too_large"}}}
	}
	data, err := r.git.Blob(gitdb.OID(sha))
	if err != nil {
		return err
	}
	if accepts(c.r, "raw") {
		return c.raw("application/vnd.github.raw; charset=utf-8", data)
	}
	return c.ok(object{
		"sha": sha, "node_id": nodeID("B", r.id), "size": len(data), "url": r.url() + "/git/blobs/" + sha,
		"content": base64Lines(data), "encoding": "base64",
	})
}

// accepts reports whether the client asks for one of GitHub's media types, for
// example "raw" in application/vnd.github.raw+json or ….v3.raw.
func accepts(r *http.Request, kind string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		t, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		t = strings.TrimSuffix(strings.TrimPrefix(t, "application/vnd.github."), "+json")
		if strings.TrimPrefix(t, "v3.") == kind {
			return true
		}
	}
	return false
}

// base64Lines wraps at 60 characters and ends in a newline, as the API does.
func base64Lines(data []byte) string {
	s := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(s) > 60 {
		b.WriteString(s[:60])
		b.WriteByte('\n')
		s = s[60:]
	}
	if s != "" {
		b.WriteString(s)
		b.WriteByte('\n')
	}
	return b.String()
}

func createBlob(c *call) error {
	var req struct {
		Content  *string `json:"content"`
		Encoding string  `json:"encoding"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if req.Content == nil {
		return missing("content")
	}
	data, err := decodeContent(*req.Content, req.Encoding)
	if err != nil {
		return err
	}
	id, err := c.repo.git.Put("blob", data)
	if err != nil {
		return err
	}
	return c.created(object{"sha": id, "url": c.repo.url() + "/git/blobs/" + string(id)})
}

func decodeContent(content, encoding string) ([]byte, error) {
	switch encoding {
	case "", "utf-8":
		return []byte(content), nil
	case "base64":
		b, err := base64.StdEncoding.DecodeString(strings.Map(dropSpace, content))
		if err != nil {
			return nil, unprocessable("content is not valid Base64")
		}
		return b, nil
	}
	return nil, invalid(fieldError{Resource: "Blob", Field: "encoding", Code: "invalid"})
}

func dropSpace(r rune) rune {
	if r == '\n' || r == '\r' || r == ' ' || r == '\t' {
		return -1
	}
	return r
}

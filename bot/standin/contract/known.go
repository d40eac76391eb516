package contract

import (
	"regexp"
	"strconv"
	"strings"
)

// known is one error of the description: an answer that GitHub gives and its
// description does not allow.
type known struct {
	where  string // operation or webhook, "*" for all, a prefix ending in "*"
	status int    // 0: any
	text   string // part of the error
	reason string
}

// knownErrors is data: each entry says why GitHub, not its description, is
// right.
func knownErrors() []known {
	return []known{
		{"*", 401, "status is not supported", "401 for missing and bad credentials is documented for a few operations only, and given by all"},
		{"*", 403, "status is not supported", "403 for a permission the token lacks is given by every operation that needs one (docs: permissions required for GitHub Apps)"},
		{"*", 404, "status is not supported", "404 hides what the caller may not see, whatever the operation (docs: troubleshooting the REST API)"},
		{"POST /repos/{owner}/{repo}/check-runs", 422, "status is not supported", "validation failures are answered like everywhere else (docs: troubleshooting, validation failed)"},
		{"PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", 422, "status is not supported", "as POST check-runs"},
		{"POST /repos/{owner}/{repo}/statuses/{sha}", 422, "status is not supported", "as POST check-runs"},
		{"POST /repos/{owner}/{repo}/git/blobs", 422, "input matches more than one oneOf schemas", "its oneOf of two error schemas overlaps for any error with a message"},
		{"PUT /repos/{owner}/{repo}/contents/{path}", 409, "input matches more than one oneOf schemas", "its oneOf of two error schemas overlaps for any error with a message"},
		{"GET /app/installations", 200, `"/0/account/`, "account is an allOf of a user and an enterprise, which nothing satisfies"},
		{"webhook installation-*", 0, `"/installation/created_at": value must be a string`, "a Unix number in installation webhooks; recorded payloads of octokit/webhooks show it"},
		{"webhook installation-*", 0, `"/installation/updated_at": value must be a string`, "as created_at"},
		{"POST /app/installations/{installation_id}/access_tokens", 0, "Value is not nullable", "ghinstallation sends the body null when it narrows nothing; GitHub takes it"},
		{"POST /repos/{owner}/{repo}/issues/{issue_number}/labels", 0, "value must be an object", "a bare array is the older form, which go-github sends and GitHub takes"},
		{"PUT /repos/{owner}/{repo}/issues/{issue_number}/labels", 0, "value must be an object", "as POST"},
		{"GET /repos/{owner}/{repo}/git/blobs/{file_sha}", 200, "media type application/vnd.github.raw", "the raw media type is described in words only"},
		{"GET /repos/{owner}/{repo}/contents/{path}", 200, "media type application/vnd.github.raw", "the raw media type is described in words only"},
		{"GET /repos/{owner}/{repo}/pulls/{pull_number}", 200, "media type application/vnd.github.diff", "the diff media type is described in words only"},
		{"GET /repos/{owner}/{repo}/commits/{ref}", 200, "media type application/vnd.github.", "the diff and sha media types are described in words only"},
	}
}

func knownError(where string, status int, text string) string {
	for _, k := range knownErrors() {
		prefix, wild := strings.CutSuffix(k.where, "*")
		if k.where != where && !(wild && strings.HasPrefix(where, prefix)) {
			continue
		}
		if (k.status == 0 || k.status == status) && strings.Contains(text, k.text) {
			return k.key()
		}
	}
	return ""
}

func (k known) key() string { return k.where + " " + strconv.Itoa(k.status) + ": " + k.text }

// outside are operations that the pruned description leaves out and clients
// of ours use.
func outside(method, path string) bool {
	for _, re := range []string{
		`^POST /graphql$`, `^POST /app-manifests/`, `^GET /repositories/`, `^GET /repos/[^/]+/[^/]+/rules/branches/`, `^GET /repos/[^/]+/[^/]+/contents$`, `^GET /meta$`, `^GET /zen$`, `^GET /$`,
		`^(PUT|DELETE) /app/installations/\d+/suspended$`, `^GET /orgs/[^/]+$`,
	} {
		if regexp.MustCompile(re).MatchString(method + " " + path) {
			return true
		}
	}
	return false
}

func outsideWebhook(name string) bool {
	switch name {
	case "pull-request-unlabeled", "issues-unlabeled", "issues-reopened", "pull-request-review-submitted", "pull-request-review-comment-created",
		"pull-request-review-requested":
		return true
	}
	return false
}

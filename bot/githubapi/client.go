package githubapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Client acts as one installation. Get it from App.Installation; it is safe for
// concurrent use.
type Client struct {
	app   *App
	id    int64
	gh    *github.Client
	limit *limitTransport
}

// Reserve takes n content-making writes out of the windows of a minute and an
// hour at once, so that a sequence of writes is not refused in its middle. The
// returned context carries them; what is not used is not given back, because
// GitHub may have counted it. It returns *RateLimitedError when they do not fit.
func (c *Client) Reserve(ctx context.Context, n int) (context.Context, error) {
	if n <= 0 {
		return ctx, nil
	}
	info := withContextValues(ctx, callInfo{name: "reserve", resource: resourceCore, write: true, content: true})
	if err := c.limit.limiter.reserve(c.limit.now(), info, n); err != nil {
		return nil, fmt.Errorf("reserving %d writes: %w", n, err)
	}
	r := &reservation{}
	r.left.Store(int32(n)) // #nosec G115 -- a handful of writes
	return context.WithValue(ctx, reservationKey{}, r), nil
}

// kind says how a call counts.
type kind int

const (
	reads   kind = iota
	makes        // a write that makes content: counted and spaced
	touches      // a write that GitHub does not count as content, such as a reaction
)

// call is the one way to GitHub: it names the operation, bounds its time, types
// its errors and reports it.
func call[T any](ctx context.Context, c *Client, op string, k kind, f func(context.Context, *github.Client) (T, *github.Response, error)) (T, error) {
	limits := c.app.settings.Limits
	ctx, cancel := context.WithTimeout(ctx, limits.CallTimeout)
	defer cancel()
	ctx = context.WithValue(ctx, callKey{}, callInfo{name: op, content: k == makes, spaced: k == makes})
	started := c.app.settings.Now()
	v, _, err := f(ctx, c.gh)
	err = translate(c.id, op, err)
	resource := resourceCore
	if strings.HasPrefix(op, "graphql") {
		resource = resourceGraphQL
	}
	c.report(op, resource, started, err)
	return v, err
}

func (c *Client) report(op, resource string, started time.Time, err error) {
	limit, remaining, _ := c.limit.limiter.allowance(resource)
	took := c.app.settings.Now().Sub(started)
	result := outcome(err)
	c.app.settings.Metrics.GitHubCall(Call{
		Operation: op, Outcome: result, Installation: c.id,
		Resource: resource, Limit: limit, Remaining: remaining, Took: took,
	})
	ev := c.app.settings.Log.Debug()
	if result == "rate_limited" || result == "unauthorized" {
		ev = c.app.settings.Log.Warn()
	}
	ev.Int64("installation", c.id).Str("operation", op).Str("outcome", result).Int("remaining", remaining).Dur("took", took).Err(err).Msg("github call")
}

func (c *Client) reportMint(err error, started time.Time) {
	c.report("mint token", "token", started, err)
}

// send makes a request that go-github v60 has no method for, or whose method
// would decode more than we can trust it to. path is relative to the API; out
// may be nil or an io.Writer.
func send(ctx context.Context, gh *github.Client, method, path string, body, out any, opts ...github.RequestOption) (*github.Response, error) {
	req, err := gh.NewRequest(method, path, body, opts...)
	if err != nil {
		return nil, err
	}
	return gh.Do(ctx, req, out)
}

// get decodes an answer into T.
func get[T any](ctx context.Context, c *Client, op, path string) (T, error) {
	return call(ctx, c, op, reads, func(ctx context.Context, gh *github.Client) (v T, resp *github.Response, err error) {
		resp, err = send(ctx, gh, http.MethodGet, path, nil, &v)
		return v, resp, err
	})
}

// write sends body and decodes the answer into T.
func write[T any](ctx context.Context, c *Client, op string, k kind, method, path string, body any) (T, error) {
	return call(ctx, c, op, k, func(ctx context.Context, gh *github.Client) (v T, resp *github.Response, err error) {
		resp, err = send(ctx, gh, method, path, body, &v)
		return v, resp, err
	})
}

// none is the answer of a write that has no body.
type none struct{}

// raw reads an answer as it is, at most most bytes.
func raw(ctx context.Context, c *Client, op, path string, most int64) ([]byte, error) {
	ctx = context.WithValue(ctx, capKey{}, most)
	return call(ctx, c, op, reads, func(ctx context.Context, gh *github.Client) ([]byte, *github.Response, error) {
		var b strings.Builder
		resp, err := send(ctx, gh, http.MethodGet, path, nil, io.Writer(&b), func(r *http.Request) {
			r.Header.Set("Accept", "application/vnd.github.raw+json")
		})
		return []byte(b.String()), resp, err
	})
}

// maxPages bounds every listing; 100 entries a page.
const maxPages = 30

// list reads all pages of a listing. more tells whether pages were left behind.
func list[T any](ctx context.Context, c *Client, op, path string) (all []T, more bool, err error) {
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for page := 1; page != 0; {
		if page > maxPages {
			return all, true, nil
		}
		next := 0
		one, err := call(ctx, c, op, reads, func(ctx context.Context, gh *github.Client) (v []T, resp *github.Response, err error) {
			resp, err = send(ctx, gh, http.MethodGet, fmt.Sprintf("%s%sper_page=100&page=%d", path, sep, page), nil, &v)
			if err == nil {
				next = resp.NextPage
			}
			return v, resp, err
		})
		if err != nil {
			return nil, false, err
		}
		all = append(all, one...)
		if next <= page {
			break // the last page, or a server that leads in circles
		}
		page = next
	}
	return all, false, nil
}

var (
	ownerPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	namePattern  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	loginPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?$`)
	shaPattern   = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
)

// path is repos/owner/name/rest. Names come from events and are checked, since
// they become part of an address.
func (r Repo) path(rest string) (string, error) {
	if !ownerPattern.MatchString(r.Owner) || !namePattern.MatchString(r.Name) || r.Name == "." || r.Name == ".." {
		return "", fmt.Errorf("%q is not a repository's name", clip(r.Owner+"/"+r.Name))
	}
	if rest != "" {
		rest = "/" + rest
	}
	return "repos/" + r.Owner + "/" + r.Name + rest, nil
}

func checkSHA(sha string) error {
	if !shaPattern.MatchString(sha) {
		return fmt.Errorf("%q is not an object id", clip(sha))
	}
	return nil
}

// checkBranch refuses what git would refuse and what would change the address.
// The rules are those of git-check-ref-format.
func checkBranch(name string) error {
	bad := name == "" || len(name) > 255 || strings.HasPrefix(name, "-") || strings.HasSuffix(name, ".") ||
		strings.Contains(name, "..") || strings.Contains(name, "@{") || strings.ContainsAny(name, " ~^:?*[\\\x7f")
	for _, part := range strings.Split(name, "/") {
		bad = bad || part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	for _, r := range name {
		bad = bad || r < 0x20
	}
	if bad {
		return fmt.Errorf("%q is not a branch name", clip(name))
	}
	return nil
}

// escapePath escapes each part of a slash-separated path.
func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

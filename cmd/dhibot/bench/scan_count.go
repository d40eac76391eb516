package bench

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"dhibot/bot/standin"
)

// unlisted bounds how many other calls are kept to be shown.
const unlisted = 10

// counter counts the calls of one installation, which it knows by its tokens,
// and says when a comment of the App was written in the small organisation.
type counter struct {
	answered chan time.Time

	mu     sync.Mutex
	tokens map[string]int64 // token to installation
	of     int64
	pass   Pass
	used   int // points of GraphQL in this hour, -1 before the first call
}

func newCounter() *counter {
	return &counter{answered: make(chan time.Time, 16), tokens: map[string]int64{}, used: -1}
}

// watch says whose calls to count.
func (c *counter) watch(installation int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of = installation
}

// reset returns what was counted and begins anew.
func (c *counter) reset() Pass {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pass
	c.pass = Pass{}
	slices.Sort(p.Unlisted)
	return p
}

func (c *counter) lists() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pass.Lists
}

// see is the stand-in's observer.
func (c *counter) see(x standin.Exchange) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if rest, ok := strings.CutPrefix(x.Path, "/app/installations/"); ok && x.Status == http.StatusCreated {
		var minted struct {
			Token string `json:"token"`
		}
		id, _, _ := strings.Cut(rest, "/")
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && json.Unmarshal(x.ResponseBody, &minted) == nil {
			c.tokens[minted.Token] = n
		}
		return
	}
	if x.Method == http.MethodPost && x.Status == http.StatusCreated && strings.HasPrefix(x.Path, "/repos/small/") && strings.HasSuffix(x.Path, "/comments") {
		select {
		case c.answered <- now:
		default:
		}
	}
	_, token, _ := strings.Cut(x.Request.Get("Authorization"), " ")
	if c.of == 0 || c.tokens[token] != c.of {
		return
	}
	p := &c.pass
	if x.Status == http.StatusForbidden || x.Status == http.StatusTooManyRequests {
		p.Refused++
	}
	switch {
	case strings.HasSuffix(x.Path, "graphql"):
		used, err := strconv.Atoi(x.Response.Get("X-RateLimit-Used"))
		switch {
		case err != nil:
			p.GraphQL++
		case used > c.used:
			p.GraphQL += used - max(c.used, 0)
			c.used = used
		case used < c.used/2: // another hour
			p.GraphQL += used
			c.used = used
		}
	case strings.HasSuffix(x.Path, "/installation/repositories"):
		p.Lists++
	case strings.Contains(x.Path, "/git/trees/"):
		p.Trees++
	case strings.Contains(x.Path, "/git/blobs/"):
		p.Blobs++
	default:
		p.Other++
		if len(p.Unlisted) < unlisted {
			p.Unlisted = append(p.Unlisted, x.Method+" "+x.Path)
		}
	}
}

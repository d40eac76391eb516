package standin

import (
	"net/http/httptest"
	"testing"
	"time"
)

// TestConcurrent: the limit on calls at the same time counts those that run.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	l := newLimiter(time.Now, Limits{Concurrent: 2})
	c := &call{s: &Server{}, r: httptest.NewRequest("GET", "/", nil)}
	leave, err := l.enter(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.enter(c); err != nil {
		t.Fatal(err)
	}
	if _, err := l.enter(c); err == nil {
		t.Error("a third call at the same time")
	}
	leave()
	if _, err := l.enter(c); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
}

func TestRouter(t *testing.T) {
	t.Parallel()
	r := newRouter([]route{
		{method: "GET", pattern: "/a/{x}"}, {method: "GET", pattern: "/a/b"}, {method: "GET", pattern: "/a/{r*}/end"}, {method: "GET", pattern: "/a/{r*}"}, {method: "POST", pattern: "/a/{x}"},
	})
	for path, want := range map[string]string{
		"/a/b": "/a/b", "/a/c": "/a/{x}", "/a/c/d": "/a/{r*}", "/a/c/d/end": "/a/{r*}/end", "/a/c%2Fd": "/a/{x}", "/a/": "", "/b": "", "/a/%zz": "",
	} {
		found, params := r.find("GET", path)
		got := ""
		if found != nil {
			got = found.pattern
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		if path == "/a/c%2Fd" && params["x"] != "c/d" || path == "/a/c/d/end" && params["r"] != "c/d" {
			t.Errorf("%s: %v", path, params)
		}
	}
}

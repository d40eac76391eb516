package scan_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"

	"dhibot/bot/standin"
)

// home adds the organisation's own repository with its settings.
func (w *world) home(settings string) *standin.Repository {
	w.t.Helper()
	return w.repository(".github", standin.Text(map[string]string{".github/dhi.yml": settings}))
}

// known are the repositories that the memory knows.
func (w *world) known() map[int64][]byte {
	w.t.Helper()
	docs, err := w.memory.Repositories(context.Background(), w.inst.ID())
	if err != nil {
		w.t.Fatal(err)
	}
	return docs
}

// listing calls f once, before the App lists the given page of repositories.
func (w *world) listing(page string, f func()) {
	done := false
	w.before = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/installation/repositories") && r.URL.Query().Get("page") == page && !done {
			done = true
			f()
		}
	}
}

// graphQL changes GitHub's answers to GraphQL before the App reads them.
func (w *world) graphQL(change func(answer []byte) []byte) {
	w.after = func(r *http.Request, resp *http.Response) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "graphql") {
			return resp, nil
		}
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		raw = change(raw)
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
		resp.Header.Del("Content-Length")
		return resp, nil
	}
}

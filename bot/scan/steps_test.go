package scan_test

import (
	"bytes"
	"context"
	"fmt"
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

// begin installs the App, and does all that comes of it.
func (w *world) begin() {
	w.t.Helper()
	w.install()
	w.work()
}

// readmes adds n repositories in which there is nothing to do; name has a place
// for their number.
func (w *world) readmes(name string, n int) {
	w.t.Helper()
	for i := range n {
		w.repository(fmt.Sprintf(name, i), standin.Text(map[string]string{"README.md": fmt.Sprintf("hello %d\n", i)}))
	}
}

// first has one pull request, in the repository a, the only one that may be open.
func (w *world) first() *standin.Repository {
	w.t.Helper()
	w.home("first_wave: none\nonboarding: none\norg_open: 1\n")
	a := w.repository("a", node(8000))
	w.begin()
	w.opened("a", 1, "at first")
	return a
}

// broken makes GitHub fail at everything below a path.
func (w *world) broken(path string) {
	w.t.Helper()
	if err := w.gh.AddFault(standin.Fault{Kind: standin.FaultServerError, Path: path, Count: 1000}); err != nil {
		w.t.Fatal(err)
	}
}

// opened checks how many pull requests a repository has, or with "" how many
// repositories have one; when says of which moment that is told.
func (w *world) opened(repository string, want int, when string) {
	w.t.Helper()
	n, where := len(w.pulls()), ""
	if repository != "" {
		n, where = len(all(w, repository)), " in "+repository
	}
	if n != want {
		w.t.Errorf("%d pull requests%s %s, not %d\n%s", n, where, when, want, w.log.String())
	}
}

// knows checks how many repositories the memory knows.
func (w *world) knows(want int, when string) {
	w.t.Helper()
	if n := len(w.known()); n != want {
		w.t.Errorf("%d repositories are known %s, not %d\n%s", n, when, want, w.log.String())
	}
}

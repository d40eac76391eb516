package bot_test

import (
	"bytes"
	"dhibot/bot/standin"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// call is an API call of a person.
func (w *world) call(login, method, path string, in, out any) error {
	var payload io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, w.gh.APIURL()+path, payload)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.gh.AddUser(login).Token())
	req.Header.Set("X-Story", "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

type pullView struct {
	Number int     `json:"number"`
	State  string  `json:"state"`
	Title  string  `json:"title"`
	Body   string  `json:"body"`
	Merged *string `json:"merged_at"`
	User   struct {
		Login string `json:"login"`
	} `json:"user"`
	Head struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	} `json:"head"`
}

func (w *world) pulls(repo string) ([]pullView, error) {
	var list []pullView
	err := w.call("reader", http.MethodGet, "repos/"+repo+"/pulls?state=all&sort=created&direction=asc&per_page=100", nil, &list)
	return list, err
}

type commentView struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

func (w *world) comments(repo string, issue int) ([]commentView, error) {
	var list []commentView
	err := w.call("reader", http.MethodGet, fmt.Sprintf("repos/%s/issues/%d/comments?per_page=100", repo, issue), nil, &list)
	return list, err
}

func (w *world) reactions(repo string, comment int64) ([]string, error) {
	var list []struct {
		Content string `json:"content"`
		User    struct {
			Login string `json:"login"`
		} `json:"user"`
	}
	err := w.call("reader", http.MethodGet, fmt.Sprintf("repos/%s/issues/comments/%d/reactions", repo, comment), nil, &list)
	var words []string
	for _, r := range list {
		if r.User.Login == "dhibot[bot]" {
			words = append(words, r.Content)
		}
	}
	return words, err
}

// tree lists the files of a ref with their modes.
func (w *world) tree(repo, ref string) (string, error) {
	files, err := w.gh.Repository(repo).ReadFiles(ref)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, path := range sortedKeys(files) {
		f := files[path]
		mode := f.Mode
		if mode == "" {
			mode = "100644"
		}
		fmt.Fprintf(&b, "%s %s\n", mode, path)
	}
	return b.String(), nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// done waits until the App has done everything, without an error.
func (w *world) done() {
	w.t.Helper()
	if err := w.settle(); err != nil {
		w.t.Fatal(err)
	}
	if errs := w.failures(); len(errs) > 0 {
		w.t.Fatal(errs)
	}
}

// unheard commits files to the default branch without the App hearing of it, so
// that what is asked for next is not done before.
func (w *world) unheard(r *standin.Repository, files map[string]string) {
	w.t.Helper()
	w.setHeld(true)
	if _, err := r.Push("alice", "main", "More", standin.Text(files)); err != nil {
		w.t.Fatal(err)
	}
	if err := w.settle(); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.waiting = nil
	w.mu.Unlock()
	w.setHeld(false)
}

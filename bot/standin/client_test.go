package standin_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"dhibot/bot/standin"
)

// answer is an API answer, its JSON decoded.
type answer struct {
	Status int
	Header http.Header
	Body   string
	JSON   any
}

// at walks into the JSON: keys and list numbers separated by dots.
func (a answer) at(path string) any {
	v := a.JSON
	for _, key := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			var n int
			if _, err := fmt.Sscan(key, &n); err != nil || n >= len(x) {
				return nil
			}
			v = x[n]
		default:
			return nil
		}
	}
	return v
}

func (a answer) str(path string) string {
	s, _ := a.at(path).(string)
	return s
}

func (a answer) len(path string) int {
	v := a.JSON
	if path != "" {
		v = a.at(path)
	}
	list, _ := v.([]any)
	return len(list)
}

// jwt signs claims with the App's key.
func jwt(t testing.TB, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc.EncodeToString(b)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + enc.EncodeToString(sig)
}

func (w *world) appJWT(t testing.TB) string {
	t.Helper()
	now := time.Now().Unix()
	return jwt(t, w.app.Key(), map[string]any{"iat": now - 30, "exp": now + 120, "iss": w.app.ID()})
}

// send makes a call with an Authorization header of its own choice.
func send(t testing.TB, authorization, method, url, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Status: res.StatusCode, Header: res.Header, Body: string(b)}
	if d := json.NewDecoder(bytes.NewReader(b)); d.Decode(&a.JSON) != nil {
		a.JSON = nil
	}
	return a
}

// as returns the Authorization header of somebody: "app", "bot", "nobody", a
// person's login, or "bot/contents:read,…" for a narrowed token.
func (w *world) as(t testing.TB, who string) string {
	t.Helper()
	switch {
	case who == "nobody":
		return ""
	case who == "app":
		return "Bearer " + w.appJWT(t)
	case who == "" || who == "bot":
		return "token " + w.inst.Token()
	case strings.HasPrefix(who, "bot/"):
		perms := map[string]string{}
		for p := range strings.SplitSeq(strings.TrimPrefix(who, "bot/"), ",") {
			name, level, _ := strings.Cut(p, ":")
			perms[name] = level
		}
		b, err := json.Marshal(map[string]any{"permissions": perms})
		if err != nil {
			t.Fatal(err)
		}
		a := send(t, w.as(t, "app"), "POST", fmt.Sprintf("%s/app/installations/%d/access_tokens", w.URL(), w.inst.ID()), string(b))
		if a.Status != 201 {
			t.Fatalf("narrowed token: %d %s", a.Status, a.Body)
		}
		return "token " + a.str("token")
	case strings.Contains(who, " "):
		return who
	}
	return "Bearer " + w.AddUser(who).Token()
}

// call makes "METHOD /path" as somebody, at the root form of the API.
func (w *world) call(t testing.TB, who, line, body string, header ...string) answer {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	return send(t, w.as(t, who), method, w.URL()+w.expand(t, path), w.expand(t, body), header...)
}

// expand puts shas of the sample repository into a line.
func (w *world) expand(t testing.TB, s string) string {
	if !strings.Contains(s, "{") {
		return s
	}
	head := w.repo.Branch("main")
	return strings.NewReplacer("{main}", head, "{none}", strings.Repeat("0123456789", 4), "{feature}", w.repo.Branch("feature"),
		"{R}", "/repos/acme/shop", "{inst}", fmt.Sprint(w.inst.ID()), "{app}", fmt.Sprint(w.app.ID()), "{id}", fmt.Sprint(w.repo.ID())).Replace(s)
}

// ok is call that must succeed.
func (w *world) ok(t testing.TB, who, line, body string) answer {
	t.Helper()
	a := w.call(t, who, line, body)
	if a.Status >= 300 {
		t.Fatalf("%s: %d %s", line, a.Status, a.Body)
	}
	return a
}

// feature pushes a branch with one more file.
func (w *world) feature(t testing.TB) string {
	t.Helper()
	sha, err := w.repo.Push("alice", "feature", "Add a file", standin.Text(map[string]string{"new.txt": "new\n"}))
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

// pull opens a pull request from the branch feature and returns its number.
func (w *world) pull(t testing.TB) int {
	t.Helper()
	if w.repo.Branch("feature") == "" {
		w.feature(t)
	}
	a := w.ok(t, "bot", "POST {R}/pulls", `{"title":"Feature","head":"feature","base":"main","body":"Body"}`)
	n, _ := a.at("number").(float64)
	return int(n)
}

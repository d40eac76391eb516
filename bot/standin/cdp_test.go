package standin_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// browser drives a headless Chromium over its debugging pipe: JSON messages
// that end in a zero byte. https://chromedevtools.github.io/devtools-protocol/
type browser struct {
	t       testing.TB
	in      io.Writer
	out     *bufio.Reader
	next    int
	session string
	events  []string
}

func openBrowser(t testing.TB, url string) *browser {
	t.Helper()
	program := chromium(t)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	home := scratch(t)
	cmd := exec.CommandContext(ctx, program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync", "--user-data-dir="+home, "--remote-debugging-pipe")
	cmd.Env = append(os.Environ(), "HOME="+home)
	fromUs, toBrowser, err := os.Pipe()
	must(t, err)
	fromBrowser, toUs, err := os.Pipe()
	must(t, err)
	cmd.ExtraFiles = []*os.File{fromUs, toUs} // descriptors 3 and 4
	must(t, cmd.Start())
	must(t, fromUs.Close())
	must(t, toUs.Close())
	b := &browser{t: t, in: toBrowser, out: bufio.NewReader(fromBrowser)}
	t.Cleanup(func() {
		_, _ = b.in.Write([]byte(`{"id":0,"method":"Browser.close"}` + "\x00"))
		_ = cmd.Wait() // killed when it does not go by itself
		cancel()
		_ = toBrowser.Close()
		_ = fromBrowser.Close()
	})
	target := b.do("Target.createTarget", map[string]any{"url": "about:blank"})
	attached := b.do("Target.attachToTarget", map[string]any{"targetId": target["targetId"], "flatten": true})
	b.session, _ = attached["sessionId"].(string)
	b.do("Page.enable", nil)
	b.do("Runtime.enable", nil)
	b.do("Log.enable", nil)
	b.do("Page.navigate", map[string]any{"url": url})
	b.wait("Page.loadEventFired")
	return b
}

// do sends a command and returns its result; events on the way are kept.
func (b *browser) do(method string, params map[string]any) map[string]any {
	b.t.Helper()
	b.next++
	message := map[string]any{"id": b.next, "method": method, "params": params}
	if params == nil {
		message["params"] = map[string]any{}
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	raw, err := json.Marshal(message)
	must(b.t, err)
	_, err = b.in.Write(append(raw, 0))
	must(b.t, err)
	for {
		m := b.read()
		if id, ok := m["id"].(float64); ok && int(id) == b.next {
			if m["error"] != nil {
				b.t.Fatalf("%s: %v", method, m["error"])
			}
			result, _ := m["result"].(map[string]any)
			return result
		}
	}
}

func (b *browser) read() map[string]any {
	b.t.Helper()
	raw, err := b.out.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("browser: %v", err)
	}
	var m map[string]any
	must(b.t, json.Unmarshal(bytes.TrimSuffix(raw, []byte{0}), &m))
	if method, ok := m["method"].(string); ok {
		b.events = append(b.events, method)
		if method == "Runtime.exceptionThrown" || method == "Log.entryAdded" {
			b.t.Errorf("the browser complains: %s", raw)
		}
	}
	return m
}

// wait reads until an event that has not been waited for.
func (b *browser) wait(event string) {
	b.t.Helper()
	for {
		for i, e := range b.events {
			if e == event {
				b.events = b.events[i+1:]
				return
			}
		}
		b.events = nil
		b.read()
	}
}

// eval runs JavaScript from outside the page and returns its text.
func (b *browser) eval(script string) string {
	b.t.Helper()
	r := b.do("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true})
	value, _ := r["result"].(map[string]any)
	return fmt.Sprint(value["value"])
}

// TestPlayByHand comments on an issue in a real browser as a chosen user, as
// the demo is played.
func TestPlayByHand(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium(t)
	w := newWorld(t)
	w.AddUser("mallory")
	w.repo.OpenIssue("alice", "Please migrate", "Thanks!")
	b := openBrowser(t, w.repo.URL()+"/issues/1")
	if users := b.eval(`[...document.querySelectorAll("select[name=user] option")].map(o => o.value).join(" ")`); users != "alice mallory standin-owner" {
		t.Errorf("users to choose from: %q", users)
	}
	b.eval(`document.querySelector("select[name=user]").value = "mallory"`)
	b.eval(`document.querySelector("textarea[name=body]").value = "/dhi migrate\n\n<b onclick=alert(1)>bold</b>"`)
	b.events = nil
	b.eval(`document.querySelector("form button").click()`)
	b.wait("Page.loadEventFired")
	if posts := b.eval(`[...document.querySelectorAll(".post .who b")].map(e => e.textContent).join(" ")`); posts != "alice mallory" {
		t.Errorf("authors on the page: %q", posts)
	}
	if html := b.eval(`document.querySelector(".post[id^=issuecomment] .markdown").innerHTML`); !strings.Contains(html, "/dhi migrate") || !strings.Contains(html, "<b>bold</b>") {
		t.Errorf("the comment: %q", html)
	}
	if chosen := b.eval(`document.querySelector("select[name=user]").value`); chosen != "mallory" {
		t.Errorf("next comment as %q", chosen)
	}
	if hash := b.eval(`location.hash`); !strings.HasPrefix(hash, "#issuecomment-") {
		t.Errorf("the page is at %q", hash)
	}
	drain(t, w.Server)
	log := w.Deliveries()
	last := log[len(log)-1]
	var payload struct {
		Comment struct {
			Body string
			User struct{ Login string }
		}
	}
	must(t, json.Unmarshal(last.Body, &payload))
	if last.Event != "issue_comment" || payload.Comment.User.Login != "mallory" || !strings.HasPrefix(payload.Comment.Body, "/dhi migrate\n\n<b onclick") {
		t.Errorf("delivered %s %+v", last.Event, payload)
	}
}

// TestEveryPage opens every kind of page, wide and on a telephone: the browser
// has nothing to complain about, and nothing sticks out.
func TestEveryPage(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium(t)
	w := newWorld(t)
	pr := showcase(t, w)
	w.repo.OpenIssue("alice", strings.Repeat("long ", 40), "| a | b |\n|---|---|\n| `"+strings.Repeat("x", 300)+"` | c |\n\n```\n"+strings.Repeat("y", 300)+"\n```\n")
	runs := w.ok(t, "bot", "GET {R}/commits/"+pr.GetHead().GetSHA()+"/check-runs", "")
	b := openBrowser(t, w.URL()+"/")
	for _, width := range []int{1280, 390} {
		b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false})
		for _, path := range []string{
			"/", "/acme", "/acme/shop", "/acme/shop/tree/dhi/migrate/docs", "/acme/shop/blob/dhi/migrate/Dockerfile", "/acme/shop/issues", "/acme/shop/pulls",
			"/acme/shop/pull/1", "/acme/shop/issues/2", "/acme/shop/commit/" + pr.GetHead().GetSHA(), fmt.Sprintf("/acme/shop/runs/%.0f", runs.at("check_runs.0.id")),
		} {
			b.events = nil
			b.do("Page.navigate", map[string]any{"url": w.URL() + path})
			b.wait("Page.loadEventFired")
			if title := b.eval("document.title"); title == "" || title == "Not here" {
				t.Errorf("%s: title %q", path, title)
			}
			if over := b.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth"); over != "0" {
				t.Errorf("%s at %d: %s pixels stick out", path, width, over)
			}
			if broken := b.eval(`[...document.images].filter(i => !i.complete || !i.naturalWidth).length`); broken != "0" {
				t.Errorf("%s: %s broken pictures", path, broken)
			}
		}
	}
}

package standin_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// chromium finds a browser, or says plainly that there is none.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	t.Skip("no Chromium on PATH: the pages are not looked at in a browser")
	return ""
}

// scratch is a directory whose removal may fail: a browser's helpers write to
// it for a moment longer than the browser lives.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "browser-") //nolint:usetesting // see above
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// browse runs a headless browser and returns what it prints.
func browse(t testing.TB, args ...string) string {
	t.Helper()
	program := chromium(t)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	home := scratch(t)
	all := append([]string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars", "--disable-background-networking",
		"--disable-component-update", "--disable-extensions", "--disable-sync", "--user-data-dir=" + home, "--timeout=20000", "--enable-logging=stderr",
	}, args...)
	cmd := exec.CommandContext(ctx, program, all...)
	cmd.Env = append(os.Environ(), "HOME="+home)
	cmd.WaitDelay = 5 * time.Second
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(program), err, log.String())
	}
	for line := range strings.Lines(log.String()) {
		// What the page itself complains about: refused styles, missing images.
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("browser console: %s", strings.TrimSpace(line))
		}
	}
	return out.String()
}

// TestBrowser looks at the pull request as a person would see it. Set
// STANDIN_SCREENSHOTS to a directory to keep the pictures.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium(t)
	w := newWorld(t)
	pr := showcase(t, w)
	dom := browse(t, "--dump-dom", pr.GetHTMLURL())
	for _, want := range []string{"Nothing ran.", `class="state state-open"`, "Looks <em>good</em>", "Files changed"} {
		if !strings.Contains(dom, want) {
			t.Errorf("the browser does not show %q", want)
		}
	}
	if strings.Contains(dom, "pwned") {
		t.Error("the browser got a script")
	}
	dir := os.Getenv("STANDIN_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	shot := filepath.Join(dir, "pull.png")
	browse(t, "--screenshot="+shot, "--window-size=1280,2200", pr.GetHTMLURL())
	if info, err := os.Stat(shot); err != nil || info.Size() < 20_000 {
		t.Errorf("the picture is missing or blank: %v, %v", info, err)
	}
	if os.Getenv("STANDIN_SCREENSHOTS") != "" {
		browse(t, "--screenshot="+filepath.Join(dir, "home.png"), "--window-size=1280,600", w.URL()+"/")
		browse(t, "--screenshot="+filepath.Join(dir, "repo.png"), "--window-size=1280,700", w.URL()+"/acme/shop")
		browse(t, "--screenshot="+filepath.Join(dir, "file.png"), "--window-size=1280,500", w.URL()+"/acme/shop/blob/dhi/migrate/Dockerfile")
	}
}

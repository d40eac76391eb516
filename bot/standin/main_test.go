package standin_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"dhibot/bot/standin"
	"dhibot/bot/standin/contract"
)

// TestMain also holds, after a run of everything, that every documented
// endpoint was called and that no known error of the description is stale.
func TestMain(m *testing.M) {
	status := m.Run()
	if f := flag.Lookup("test.run"); status == 0 && f != nil && f.Value.String() == "" {
		if missing := uncovered(); len(missing) > 0 {
			fmt.Fprintf(os.Stderr, "contract coverage:\n  %s\n", strings.Join(missing, "\n  "))
			status = 1
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // what it is
	if status == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

func uncovered() []string {
	spec, err := contract.Shared()
	if err != nil {
		return []string{err.Error()}
	}
	s, err := standin.New()
	if err != nil {
		return []string{err.Error()}
	}
	defer s.Close()
	out := spec.Unused()
	seen := map[string]bool{}
	for op := range spec.Seen() {
		seen[shape(op)] = true
	}
	for _, p := range s.RoutePatterns() {
		if spec.Documents(p) && !seen[shape(p)] {
			out = append(out, "never called: "+p)
		}
	}
	return out
}

// shape takes the names of parameters away.
func shape(pattern string) string {
	parts := strings.Split(pattern, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	some := errors.New("some")
	for _, tt := range []struct {
		name        string
		err         error
		interrupted bool
		attempt     int
		outcome     string
		after       time.Duration // due minus now
	}{
		{"nothing", nil, false, 1, outcomeDone, 0},
		{"done although interrupted", nil, true, 1, outcomeDone, 0},
		{"an error", some, false, 1, outcomeRetry, pause(1, "g")},
		{"another", some, false, DefaultAttempts - 1, outcomeRetry, pause(DefaultAttempts-1, "g")},
		{"the last", some, false, DefaultAttempts, outcomeParked, 0},
		{"interrupted", context.Canceled, true, DefaultAttempts, outcomeInterrupted, 0},
		{"cancelled by itself", context.Canceled, false, DefaultAttempts, outcomeParked, 0},
		{"later", Later(now.Add(time.Hour), some), false, DefaultAttempts, outcomeLater, time.Hour},
		{"later, while stopping", Later(now.Add(time.Hour), some), true, DefaultAttempts, outcomeLater, time.Hour},
		{"wrapped later", fmt.Errorf("x: %w", Later(now.Add(time.Hour), some)), false, 1, outcomeLater, time.Hour},
		{"later, in the past", Later(now.Add(-time.Hour), some), false, 1, outcomeLater, time.Second},
		{"later, never", Later(now.AddDate(10, 0, 0), some), false, 1, outcomeLater, maxLater},
		{"later without a reason", Later(now.Add(time.Hour), nil), false, 1, outcomeLater, time.Hour},
		{"drop", Drop(some), false, 1, outcomeParked, 0},
		{"drop without a reason", Drop(nil), false, 1, outcomeParked, 0},
		{"wrapped drop", fmt.Errorf("x: %w", Drop(some)), false, 1, outcomeParked, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := defaults().judge(tt.err, tt.interrupted, Delivery{GUID: "g", Attempt: tt.attempt}, now)
			want := now.Add(tt.after)
			if tt.outcome == outcomeDone || tt.outcome == outcomeParked {
				want = time.Time{}
			}
			if v.outcome != tt.outcome || !v.due.Equal(want) || (v.text == "") != (tt.err == nil) {
				t.Errorf("judged %+v, want %s due %v", v, tt.outcome, want)
			}
		})
	}
	if !errors.Is(Later(now, some), some) || !errors.Is(Drop(some), some) {
		t.Error("the reason cannot be found in the result")
	}
}

func TestPauseGrowsAndSpreads(t *testing.T) {
	t.Parallel()
	base := []time.Duration{10 * time.Second, 50 * time.Second, 250 * time.Second, 1250 * time.Second, time.Hour, time.Hour}
	for i, want := range base {
		seen := map[time.Duration]bool{}
		for g := range 50 {
			got := pause(i+1, fmt.Sprint(g))
			if got < want || got > want+want/4 {
				t.Fatalf("attempt %d: %v, want %v to a quarter more", i+1, got, want)
			}
			seen[got] = true
		}
		if len(seen) < 45 {
			t.Errorf("attempt %d: 50 deliveries come back at %d times", i+1, len(seen))
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x00b", 2)
	f.Add("ééé", 3)
	f.Add("\xff\xfe", 10)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if n < 0 || n > 1<<16 {
			return
		}
		got := clean(s, n)
		if len(got) > n || !utf8.ValidString(got) || strings.Contains(got, "\x00") {
			t.Errorf("clean(%q, %d) = %q", s, n, got)
		}
		if utf8.ValidString(s) && len(s) <= n && !strings.Contains(s, "\x00") && got != s {
			t.Errorf("clean(%q, %d) = %q, though it was clean", s, n, got)
		}
	})
}

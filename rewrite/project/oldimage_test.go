package project

import "testing"

func TestOldImageHas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tag, pkg string
		want     bool
	}{
		{"3.12", "libpq5", true},
		{"3.12-bookworm", "git", true},
		{"latest", "ffmpeg", false},
		{"3.12-slim", "libpq5", false},
		{"22-alpine3.20", "git", false},
		{"22-alpine3.20", "libssl3t64", true},
		{"22-slim", "libssl3t64", false},
	} {
		if got := OldImageHas(tt.tag, tt.pkg); got != tt.want {
			t.Errorf("OldImageHas(%s, %s) = %v", tt.tag, tt.pkg, got)
		}
	}
}

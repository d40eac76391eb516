package verify

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/goldentest"
)

// TestEffective holds our reading of what starts against BuildKit's, over the
// hard inputs before and after they moved.
func TestEffective(t *testing.T) {
	t.Parallel()
	compared := 0
	for name, content := range goldentest.Hard(t, "../..") {
		in, ok := migrated(t, content)
		if !ok {
			continue
		}
		c, _ := newCheck(in)
		for _, m := range []*model{c.before, c.after} {
			img, err := m.convert(context.Background(), m.file.Content, full)
			if err != nil {
				continue
			}
			compared++
			e := m.stages[len(m.stages)-1].effective()
			want := configOf(img)
			health := want.Healthcheck
			if len(health) > 0 && health[0] == "CMD-SHELL" {
				health = append(slices.Clone(m.stages[len(m.stages)-1].shellAt(nil)), health[1])
			} else if len(health) > 0 {
				health = health[1:]
			}
			if !slices.Equal(e.entrypoint, want.Entrypoint) || !slices.Equal(e.cmd, want.Cmd) || e.user != want.User || !slices.Equal(e.health, health) {
				t.Errorf("%s: %q %q %q %q, BuildKit has %q %q %q %q", name, e.entrypoint, e.cmd, e.user, e.health, want.Entrypoint, want.Cmd, want.User, health)
			}
		}
	}
	if compared < 60 {
		t.Errorf("only %d files were compared", compared)
	}
}

func TestConfigs(t *testing.T) {
	t.Parallel()
	nginx := pick(t, "nginx", catalog.NeedRuntime)
	before, after, err := Configs(context.Background(), whole(t,
		"FROM nginx:1.30\nLABEL a=b\nENV X=1\nEXPOSE 9000\nVOLUME /v\nHEALTHCHECK CMD [\"x\"]\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n",
		"FROM "+nginx+"\nENV X=1 Y=2\nEXPOSE 9000\nVOLUME /v\nHEALTHCHECK CMD [\"x\"]\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, d := range Differences(before, after) {
		switch d.Field {
		case "Entrypoint", "Labels.a", "Env.Y", "User":
			fields = append(fields, d.Field+": "+d.Before+" -> "+d.After)
		case "Cmd", "Healthcheck", "Volumes", "Env.X":
			t.Errorf("%+v", d)
		}
	}
	want := []string{`Entrypoint: ["/docker-entrypoint.sh"] -> ["nginx"]`, "User:  -> nginx", "Env.Y:  -> 2", "Labels.a: b -> "}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
	if _, _, err := Configs(context.Background(), whole(t, "FROM node:22\n", "FROM node:22\nENV A=${B:?no}\n")); err == nil {
		t.Error("a result that BuildKit refuses has a config")
	}
}

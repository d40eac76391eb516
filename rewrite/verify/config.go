package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
)

// ImageConfig is the config of the image that the last stage makes, BuildKit's
// converter having read the whole file. What an upstream image brings along is
// in it as far as the catalog knows it.
type ImageConfig struct {
	Entrypoint, Cmd []string
	User, WorkDir   string
	Env             map[string]string
	Ports, Volumes  []string // sorted
	Labels          map[string]string
	StopSignal      string
	Healthcheck     []string // BuildKit's Test: CMD or CMD-SHELL in front, empty without one
	Shell           []string
	OnBuild         []string
}

// Configs returns the final image config before and after the migration. The
// error is that one of the files cannot be read or that BuildKit refuses it.
func Configs(ctx context.Context, in In) (before, after ImageConfig, err error) {
	c, violations := newCheck(in)
	if c == nil {
		return before, after, fmt.Errorf("reading the files: %s", violations[0].Msg)
	}
	for _, m := range []struct {
		model *model
		to    *ImageConfig
		what  string
	}{{c.before, &before, "original"}, {c.after, &after, "result"}} {
		if ins := m.model.grows(); ins != nil {
			return before, after, fmt.Errorf("converting the %s: line %d takes too much from variables", m.what, ins.Lines[0])
		}
		img, err := m.model.convert(ctx, m.model.file.Content, full)
		if err != nil {
			return before, after, fmt.Errorf("converting the %s: %w", m.what, err)
		}
		*m.to = configOf(img)
	}
	return before, after, nil
}

func configOf(img *dockerspec.DockerOCIImage) ImageConfig {
	c := img.Config
	out := ImageConfig{
		Entrypoint: c.Entrypoint, Cmd: c.Cmd, User: c.User, WorkDir: c.WorkingDir, Env: map[string]string{},
		Ports: slices.Sorted(maps.Keys(c.ExposedPorts)), Volumes: slices.Sorted(maps.Keys(c.Volumes)),
		Labels: c.Labels, StopSignal: c.StopSignal, Shell: c.Shell, OnBuild: c.OnBuild,
	}
	if c.Healthcheck != nil {
		out.Healthcheck = c.Healthcheck.Test
	}
	for _, pair := range c.Env {
		k, v, _ := strings.Cut(pair, "=")
		out.Env[k] = v
	}
	return out
}

// Difference is a field of the final image config that changed. Field is the
// name that docker inspect uses, with the key behind a dot for Env and Labels;
// Before and After are as a Dockerfile would write them, "" for nothing.
type Difference struct{ Field, Before, After string }

// Differences compares two configs, in a fixed order.
func Differences(before, after ImageConfig) []Difference {
	var found []Difference
	add := func(field, b, a string) {
		if a != b {
			found = append(found, Difference{field, b, a})
		}
	}
	list := func(field string, b, a []string) { add(field, words(b), words(a)) }
	pairs := func(field string, b, a map[string]string) {
		keys := maps.Clone(b)
		if keys == nil {
			keys = map[string]string{}
		}
		maps.Copy(keys, a)
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			_, inB := b[k]
			_, inA := a[k]
			if inB != inA || a[k] != b[k] {
				found = append(found, Difference{field + "." + k, b[k], a[k]})
			}
		}
	}
	list("Entrypoint", before.Entrypoint, after.Entrypoint)
	list("Cmd", before.Cmd, after.Cmd)
	add("User", before.User, after.User)
	add("WorkingDir", before.WorkDir, after.WorkDir)
	list("ExposedPorts", before.Ports, after.Ports)
	list("Volumes", before.Volumes, after.Volumes)
	add("StopSignal", before.StopSignal, after.StopSignal)
	list("Healthcheck", before.Healthcheck, after.Healthcheck)
	list("Shell", before.Shell, after.Shell)
	list("OnBuild", before.OnBuild, after.OnBuild)
	pairs("Env", before.Env, after.Env)
	pairs("Labels", before.Labels, after.Labels)
	return found
}

// words writes a list as an exec form.
func words(list []string) string {
	if len(list) == 0 {
		return ""
	}
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

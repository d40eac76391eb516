//go:build build

package buildtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packages is what a machine needs for this suite besides the Go toolchain,
// as Debian calls it.
const packages = "apt-get install -y buildah busybox-static nodejs npm nginx-light python3-venv php-cli php-fpm ruby rake default-jdk-headless rustc cargo gcc"

// buildah runs Debian's image builder with a storage of its own. There is no
// daemon and no runtime: containers are directories that it changes the root to.
type buildah struct {
	dir    string // storage, policies
	global []string
}

// newBuildah skips the test when the machine cannot do it.
func newBuildah(t *testing.T) *buildah {
	t.Helper()
	need(t, "buildah")
	if os.Geteuid() != 0 {
		t.Skip("images are unpacked with their owners, and processes start as the user of the image: run this as root")
	}
	// Not t.TempDir: what is mounted there has to go first.
	dir, err := os.MkdirTemp("", "buildtest")
	if err != nil {
		t.Fatal(err)
	}
	b := &buildah{dir: dir}
	t.Cleanup(func() {
		_, _ = b.output("rm", "--all")
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing the storage: %v", err)
		}
	})
	// An unqualified name is one of Docker Hub's, as in Docker.
	put(t, filepath.Join(dir, "registries.conf"), `unqualified-search-registries = ["docker.io"]`)
	put(t, filepath.Join(dir, "policy.json"), `{"default":[{"type":"insecureAcceptAnything"}]}`)
	// vfs works everywhere, but copies an image for every container.
	for _, driver := range []string{"overlay", "vfs"} {
		b.global = []string{"--root", filepath.Join(dir, driver), "--runroot", filepath.Join(dir, driver+"-run"), "--storage-driver", driver}
		name, err := b.output("from", "scratch")
		if err == nil {
			_, err = b.output("mount", name)
			_, _ = b.output("rm", name)
		}
		if err == nil {
			return b
		}
		t.Logf("storage driver %s: %v", driver, err)
	}
	t.Skip("buildah cannot store containers here")
	return nil
}

// need skips the test when a program is missing and says how to get it.
func need(t *testing.T, program string) string {
	t.Helper()
	for _, name := range []string{program, filepath.Join("/usr/sbin", program)} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	t.Skipf("no %s on this machine; on Debian: %s", program, packages)
	return ""
}

// command is a call of buildah that was not started.
func (b *buildah) command(args ...string) *exec.Cmd {
	cmd := exec.Command("buildah", slices.Concat(b.global, args)...)
	cmd.Env = append(os.Environ(), "CONTAINERS_REGISTRIES_CONF="+filepath.Join(b.dir, "registries.conf"), "BUILDAH_ISOLATION=chroot")
	return cmd
}

// output runs buildah and returns what it printed, trimmed. The error holds
// what went to standard error.
func (b *buildah) output(args ...string) (string, error) {
	cmd := b.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("buildah %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// must is output for calls that prepare something.
func (b *buildah) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := b.output(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// build builds the Dockerfile of a directory. Base images come from the
// storage alone.
func (b *buildah) build(dir, dockerfile, tag, goCache string) error {
	args := []string{"build", "--pull=never", "--layers=false", "--signature-policy", filepath.Join(b.dir, "policy.json"),
		"--format", "docker", // the other format has no health checks
		"--file", filepath.Join(dir, dockerfile), "--tag", tag}
	if goCache != "" {
		// The standard library is compiled once for all builds, as in BuildKit
		// with a cache mount.
		args = append(args, "--volume", goCache+":/root/.cache/go-build")
	}
	_, err := b.output(append(args, dir)...)
	return err
}

// imageConfig is the part of an image's config that a start depends on.
type imageConfig struct {
	User         string
	Env          []string
	Entrypoint   []string
	Cmd          []string
	WorkingDir   string
	ExposedPorts map[string]struct{}
	health       []string // as HEALTHCHECK says: its form, then its words
}

// healthCheck is the command of the image's health check, nil for none.
func (c imageConfig) healthCheck() []string {
	switch {
	case len(c.health) < 2:
		return nil
	case c.health[0] == "CMD-SHELL":
		return []string{"/bin/sh", "-c", c.health[1]}
	}
	return c.health[1:]
}

// effective is the command that a container of the image starts with.
func (c imageConfig) effective() []string { return slices.Concat(c.Entrypoint, c.Cmd) }

// inspect reads the config of an image.
func (b *buildah) inspect(image string) (imageConfig, error) {
	out, err := b.output("inspect", "--type", "image", image)
	if err != nil {
		return imageConfig{}, err
	}
	var v struct {
		OCIv1 struct {
			Config imageConfig `json:"config"`
		} `json:"OCIv1"`
		Docker struct {
			Config struct {
				Healthcheck struct{ Test []string }
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		return imageConfig{}, fmt.Errorf("reading the config of %s: %w", image, err)
	}
	v.OCIv1.Config.health = v.Docker.Config.Healthcheck.Test
	return v.OCIv1.Config, nil
}

// put writes a file of the test's own.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

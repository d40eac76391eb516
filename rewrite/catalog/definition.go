package catalog

import (
	"slices"
	"strconv"
)

// User is an account of an image.
type User struct {
	Name string `json:"name"`
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
}

// Directory is a directory that somebody other than root owns.
type Directory struct {
	Path string `json:"path"`
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
	Mode string `json:"mode,omitempty"`
}

// Definition is one variant of an image: what its config says and what is in
// it. It belongs to a catalog and must not be modified.
type Definition struct {
	Image         string            `json:"-"`
	Distro        Distro            `json:"distro"`
	DistroVersion string            `json:"distro_version"`
	Variant       string            `json:"variant"` // as declared; do not trust it alone, see Build
	Flavor        string            `json:"flavor,omitempty"`
	Tags          []string          `json:"tags"`
	Platforms     []string          `json:"platforms"`
	Released      string            `json:"released,omitempty"`
	EndOfLife     string            `json:"end_of_life,omitempty"` // YYYY-MM-DD or ""
	RunAs         string            `json:"run_as"`
	Users         []User            `json:"users"`
	WorkDir       string            `json:"work_dir,omitempty"`
	Environment   map[string]string `json:"environment,omitempty"`
	Entrypoint    []string          `json:"entrypoint,omitempty"`
	Cmd           []string          `json:"cmd,omitempty"`
	Ports         []string          `json:"ports,omitempty"`
	StopSignal    string            `json:"stop_signal,omitempty"`
	Directories   []Directory       `json:"directories,omitempty"`
	Packages      []string          `json:"packages,omitempty"`

	// facts are what follows from the fields above; nil for a definition that a
	// catalog has not loaded.
	facts *facts
}

// facts are the answers that every migration asks for.
type facts struct {
	version, shell, manager string
	build                   bool
	user                    User
	config                  *Config
}

// settle works the facts out; the definition does not change afterwards.
func (d *Definition) settle() {
	d.facts = &facts{version: d.version(), shell: d.shell(), manager: d.packageManager(), build: d.buildsIn(), user: d.runUser(), config: d.asConfig()}
}

// Version is the most precise version among its tags, "" when they have none:
// "24.19.0", "8u502.b07", "trixie".
func (d *Definition) Version() string {
	if d.facts != nil {
		return d.facts.version
	}
	return d.version()
}

func (d *Definition) version() string {
	best := &tag{}
	for _, text := range d.Tags {
		t := parseTag(text, d)
		if t.revision == "" && (best.Version == "" || len(t.number) > len(best.number)) {
			best = t
		}
	}
	return best.Version
}

// Build tells whether it is an image to build in (dev or sdk): root, a shell
// and a package manager, whatever its variant says. A declared dev variant
// counts even when it lacks one of them (gradle on Debian has no apt).
func (d *Definition) Build() bool {
	if d.facts != nil {
		return d.facts.build
	}
	return d.buildsIn()
}

func (d *Definition) buildsIn() bool {
	if d.Variant == "dev" {
		return true
	}
	return d.RunUser().UID == 0 && d.Shell() != "" && d.PackageManager() != ""
}

// Shell is the path of the shell it surely has, "" when none is declared. It
// is /bin/sh in every image to build in, whose RUN instructions need it (the
// guides of all of them use RUN), and where dash or busybox is declared; it is
// /bin/bash where bash alone is. Absence means "not declared": packages that
// others pull in are not in the catalog.
func (d *Definition) Shell() string {
	if d.facts != nil {
		return d.facts.shell
	}
	return d.shell()
}

func (d *Definition) shell() string {
	switch {
	case d.HasPackage("dash"), d.HasPackage("busybox"), d.HasPackage("busybox-static"):
		return "/bin/sh"
	case d.HasPackage("bash"):
		if d.Variant == "dev" || d.HasPackage("apt") || d.HasPackage("apk-tools") {
			return "/bin/sh"
		}
		return "/bin/bash"
	}
	return ""
}

// PackageManager is "apt", "apk" or "".
func (d *Definition) PackageManager() string {
	if d.facts != nil {
		return d.facts.manager
	}
	return d.packageManager()
}

func (d *Definition) packageManager() string {
	switch {
	case d.HasPackage("apt"):
		return "apt"
	case d.HasPackage("apk-tools"):
		return "apk"
	}
	return ""
}

// HasPackage tells whether the package is declared.
func (d *Definition) HasPackage(name string) bool { return slices.Contains(d.Packages, name) }

// CABundle tells whether a CA bundle is declared.
func (d *Definition) CABundle() bool {
	return d.HasPackage("ca-certificates-bundle") || d.HasPackage("ca-certificates")
}

// TZData tells whether time zone data is declared.
func (d *Definition) TZData() bool { return d.HasPackage("tzdata") }

// User resolves a user by name or number. Root is always there.
func (d *Definition) User(name string) (User, bool) {
	var room [20]byte
	for _, u := range d.Users {
		if u.Name == name || string(strconv.AppendInt(room[:0], int64(u.UID), 10)) == name {
			return u, true
		}
	}
	if name == "root" || name == "0" {
		return User{Name: "root"}, true
	}
	return User{}, false
}

// RunUser is the account it runs as. A number without an account gives a User
// without a name; an image that does not say runs as root.
func (d *Definition) RunUser() User {
	if d.facts != nil {
		return d.facts.user
	}
	return d.runUser()
}

func (d *Definition) runUser() User {
	if d.RunAs == "" {
		return User{Name: "root"}
	}
	if u, ok := d.User(d.RunAs); ok {
		return u
	}
	if uid, err := strconv.Atoi(d.RunAs); err == nil {
		return User{UID: uid}
	}
	return User{Name: d.RunAs, UID: -1, GID: -1}
}

// Config is the config of the image in the form that upstream images have, so
// that both can be compared.
func (d *Definition) Config() *Config {
	if d.facts != nil {
		return d.facts.config
	}
	return d.asConfig()
}

func (d *Definition) asConfig() *Config {
	return &Config{
		Known:          true,
		Entrypoint:     d.Entrypoint,
		Cmd:            d.Cmd,
		User:           d.RunAs,
		WorkDir:        d.WorkDir,
		Env:            d.Environment,
		Ports:          d.Ports,
		StopSignal:     d.StopSignal,
		PackageManager: d.PackageManager(),
		Shell:          d.Shell() != "",
		Bash:           d.HasPackage("bash"),
		Users:          d.Users,
		Source:         "docker-hardened-images/catalog image/" + d.Image,
	}
}

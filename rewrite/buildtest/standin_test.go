//go:build build

package buildtest

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dhibot/rewrite/catalog"
)

// standins makes the base images of the stories: shaped by the facts that the
// engine itself goes by, filled with this machine's own programs. A wrong fact
// in the catalog, or a conclusion that the facts do not carry, shows when the
// migrated image is built or started.
//
// What they are not: the real packages, musl where the tag says Alpine, or
// another version of a program than the machine's.
type standins struct {
	b       *buildah
	catalog *catalog.Catalog
	made    map[string]bool
}

// image is one base image in the making.
type image struct {
	name   string // in the catalog: golang, node, alpine-base
	config *catalog.Config
	dhi    *catalog.Definition // nil for an upstream image
	root   *rootfs
}

// has tells whether the facts say that the image has the program.
func (i *image) has(program string) bool {
	if i.dhi != nil {
		return i.dhi.HasProgram(program)
	}
	return i.config.HasProgram(program)
}

// ensure makes the image of a reference, once.
func (s *standins) ensure(t *testing.T, reference string) {
	t.Helper()
	o := s.catalog.Origin(reference, nil)
	if o.Image == "" {
		t.Fatalf("%s: the catalog does not know the image", reference)
	}
	img := &image{name: o.Image, config: o.Config}
	full := reference
	if o.Hardened {
		def, ok := s.catalog.Lookup(o.Image, o.Tag)
		if !ok {
			t.Fatalf("%s: the catalog does not list the tag", reference)
		}
		img.dhi, img.config = def, def.Config()
	} else {
		if !o.Config.Known {
			t.Fatalf("%s: the config of the upstream image is not known", reference)
		}
		tag := o.Tag
		if tag == "" {
			tag = "latest"
		}
		full = o.Repository + ":" + tag
		if !strings.Contains(o.Repository, "/") {
			full = "library/" + full
		}
		if !strings.Contains(strings.SplitN(full, "/", 2)[0], ".") {
			full = "docker.io/" + full
		}
	}
	if s.made[full] {
		return
	}
	container := s.b.must(t, "from", "--pull-never", s.programs(t, img))
	img.root = &rootfs{dir: s.b.must(t, "mount", container)}
	img.common()
	switch img.name {
	case "nginx":
		fillNginx(t, img)
	case "php":
		fillPHP(t, img)
	case "ruby":
		fillRuby(t, img)
	case "eclipse-temurin":
		fillJava(t, img)
	case "static", "debian-base":
		fillLibc(img)
	}
	img.entrypointScripts()
	img.directories()
	if img.root.err != nil {
		t.Fatalf("filling %s: %v", full, img.root.err)
	}
	s.configure(t, container, img.config)
	s.commit(t, container, full)
	s.made[full] = true
}

// programs makes the layer of an image that holds what its family is made for,
// and shares it with the others of the family: a toolchain is large.
func (s *standins) programs(t *testing.T, img *image) string {
	t.Helper()
	fill := fillers()[img.name]
	if fill == nil {
		return "scratch"
	}
	prefix := img.prefix()
	if img.name == "golang" || img.name == "rust" {
		prefix = "/usr/local" // both unpack the toolchain there
	}
	name := fmt.Sprintf("localhost/programs-%s:%s-%t", img.name, path.Base(prefix), img.has("npm") || img.has("pip"))
	if s.made[name] {
		return name
	}
	container := s.b.must(t, "from", "scratch")
	shared := *img
	shared.root = &rootfs{dir: s.b.must(t, "mount", container)}
	fill(t, &shared)
	if shared.root.err != nil {
		t.Fatalf("copying the programs of %s: %v", img.name, shared.root.err)
	}
	s.commit(t, container, name)
	s.made[name] = true
	return name
}

func (s *standins) commit(t *testing.T, container, name string) {
	t.Helper()
	s.b.must(t, "umount", container)
	s.b.must(t, "commit", "--rm", "--quiet", "--signature-policy", s.b.dir+"/policy.json", container, name)
}

// configure sets the image config from the facts, and nothing else.
func (s *standins) configure(t *testing.T, container string, c *catalog.Config) {
	t.Helper()
	args := []string{"config", "--user", c.User, "--workingdir", c.WorkDir, "--stop-signal", c.StopSignal,
		"--entrypoint", words(c.Entrypoint), "--cmd", words(c.Cmd)}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		value := c.Env[name]
		if value == "" {
			value = "unknown"
		}
		args = append(args, "--env", name+"="+value)
	}
	for _, p := range c.Ports {
		args = append(args, "--port", p)
	}
	for _, v := range c.Volumes {
		args = append(args, "--volume", v)
	}
	s.b.must(t, append(args, container)...)
}

// words is a list in the form that buildah takes apart again.
func words(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	quoted := make([]string, len(list))
	for i, w := range list {
		quoted[i] = strconv.Quote(w)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// common makes what every image has: accounts, /tmp, and a shell where the
// facts say that there is one.
func (i *image) common() {
	r := i.root
	passwd, group := "root:x:0:0:root:/root:/bin/sh\n", "root:x:0:\n"
	users := i.config.Users
	if i.dhi != nil {
		users = i.dhi.Users
	}
	for _, u := range append(slices.Clone(users), catalog.User{Name: "nobody", UID: 65534, GID: 65534}) {
		if u.Name == "root" {
			continue
		}
		passwd += fmt.Sprintf("%s:x:%d:%d::/home/%s:/sbin/nologin\n", u.Name, u.UID, u.GID, u.Name)
		group += fmt.Sprintf("%s:x:%d:\n", u.Name, u.GID)
		r.folder("/home/"+u.Name, 0o755, u.UID, u.GID)
	}
	r.file("/etc/passwd", passwd, 0o644)
	r.file("/etc/group", group, 0o644)
	r.file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n", 0o644)
	r.folder("/root", 0o700, 0, 0)
	r.folder("/run", 0o755, 0, 0)
	r.link("/var/run", "../run")
	r.folder("/tmp", fs.ModeSticky|0o777, 0, 0)
	if i.config.WorkDir != "" {
		r.folder(i.config.WorkDir, 0o755, 0, 0)
	}
	if i.dhi == nil || i.dhi.CABundle() {
		r.file("/etc/ssl/certs/ca-certificates.crt", "", 0o644)
	}
	if i.config.Shell {
		i.shell()
	}
}

// shell adds busybox with its programs. They stand for those of coreutils and
// bash as well.
func (i *image) shell() {
	r := i.root
	r.copy("/bin/busybox", "/bin/busybox")
	for _, name := range strings.Fields(`[ awk basename cat chgrp chmod chown cmp cp cut date
		dirname du echo env expr false find grep gzip head id install ln ls mkdir mktemp mv printf pwd readlink
		realpath rm rmdir sed seq sh sleep sort tail tar tee test touch tr true uname uniq wc which xargs`) {
		r.link("/bin/"+name, "busybox")
	}
	if i.has("wget") {
		r.link("/usr/bin/wget", "../../bin/busybox")
	}
	// Where scripts say "#!/usr/bin/env node".
	r.link("/usr/bin/env", "../../bin/busybox")
	if i.config.Bash {
		r.link("/bin/bash", "busybox")
	}
	r.folder("/usr/sbin", 0o755, 0, 0)
	r.file(addUserPath, addUser, 0o755)
	for _, name := range []string{"adduser", "addgroup", "useradd", "groupadd"} {
		// Busybox has the first two; in Debian they are a package.
		if i.has(name) || i.config.PackageManager == "apk" && strings.HasPrefix(name, "add") {
			r.link("/usr/sbin/"+name, addUserPath)
		}
	}
	switch i.config.PackageManager {
	case "apk":
		r.file("/sbin/apk", packageManager, 0o755)
	case "apt":
		r.file("/usr/bin/apt-get", packageManager, 0o755)
	}
}

const addUserPath = "/usr/lib/add-user"

// addUser is what adduser and addgroup of Alpine, useradd and groupadd of
// Debian do with the options that Dockerfiles use; Debian's busybox has none.
const addUser = `#!/bin/sh
id=1000 number=1000 group=
while [ $# -gt 0 ]; do
	case "$1" in
	-u|--uid) id=$2; shift ;;
	-g|--gid) number=$2 group=$2; shift ;;
	-G|--ingroup) group=$2; shift ;;
	-h|-s|-d|-c|--home|--home-dir|--shell|--gecos|--comment) shift ;;
	-*) ;;
	*) break ;;
	esac
	shift
done
if [ "${0##*/}" = addgroup ] || [ "${0##*/}" = groupadd ]; then
	echo "$1:x:$number:" >>/etc/group
	exit
fi
if [ -z "$group" ]; then
	group=$1
	echo "$1:x:$id:" >>/etc/group
fi
gid=$(awk -F: -v name="$group" '$1 == name || $3 == name {print $3; exit}' /etc/group)
echo "$1:x:$id:$gid::/home/$1:/bin/sh" >>/etc/passwd
mkdir -p "/home/$1"
chown "$id:$gid" "/home/$1"
`

// packageManager is a package manager whose repository has three packages, two
// of which are there already; anything else it refuses.
const packageManager = `#!/bin/sh
for word in "$@"; do
	case "$word" in
	-*|add|install|update|clean) ;;
	ca-certificates|tzdata) echo "$word is the newest version" ;;
	passwd) for name in useradd groupadd; do ln -sf /usr/lib/add-user /usr/sbin/$name; done ;;
	*) echo "no package $word" >&2; exit 1 ;;
	esac
done
`

// entrypointScripts writes the scripts that upstream images start with. What
// they do is start their arguments; node's puts node in front of what is not a
// program. A program that an entrypoint expects elsewhere is linked there.
func (i *image) entrypointScripts() {
	if i.dhi != nil || len(i.config.Entrypoint) == 0 {
		return
	}
	name := i.config.Entrypoint[0]
	if program := i.prefix() + "/bin/" + path.Base(name); path.IsAbs(name) && !i.root.has(name) && i.root.has(program) {
		i.root.link(name, program) // distroless keeps node in /nodejs/bin
	}
	if !strings.HasSuffix(name, ".sh") {
		return
	}
	if !path.IsAbs(name) {
		name = "/usr/local/bin/" + name
	}
	text := "#!/bin/sh\nexec \"$@\"\n"
	if i.name == "node" {
		text = nodeScript
	}
	i.root.file(name, text, 0o755)
}

// nodeScript starts node with what is an option or not a program.
const nodeScript = `#!/bin/sh
case "$1" in -*) exec node "$@" ;; esac
program=$(command -v "$1") && [ -x "$program" ] || exec node "$@"
exec "$@"
`

// directories makes the directories that somebody other than root owns.
func (i *image) directories() {
	if i.dhi == nil {
		return
	}
	for _, d := range i.dhi.Directories {
		mode := uint64(0o755)
		if d.Mode != "" {
			m, err := strconv.ParseUint(d.Mode, 8, 32)
			i.root.do(err)
			mode = m
		}
		perm := fs.FileMode(mode & 0o777)
		if mode&0o1000 != 0 {
			perm |= fs.ModeSticky
		}
		i.root.folder(d.Path, perm, d.UID, d.GID)
	}
}

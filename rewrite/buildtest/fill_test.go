//go:build build

package buildtest

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"dhibot/rewrite/catalog"
)

// fillers put this machine's programs into the images of a family, by the
// name of the image in the catalog. An image without one has no program but
// its shell; nginx's is not shared, because its directories belong to the user,
// nor those of PHP, Ruby and Java, whose directories are others in every variant.
func fillers() map[string]func(*testing.T, *image) {
	return map[string]func(*testing.T, *image){
		"golang": fillGo,
		"node":   fillNode,
		"python": fillPython,
		"rust":   fillRust,
	}
}

// prefix is where an image keeps what it was made for: upstream builds into
// /usr/local, DHI installs packages into /usr.
func (i *image) prefix() string {
	if i.dhi != nil {
		return "/usr"
	}
	return "/usr/local"
}

// fillGo copies the toolchain that runs this test, without its own tests and
// the sources of its tools.
func fillGo(t *testing.T, i *image) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	root := strings.TrimSpace(string(out))
	const to = "/usr/local/go"
	for _, name := range []string{"bin", "src", "lib", "pkg/include", "pkg/tool"} {
		i.root.tree(filepath.Join(root, name), to+"/"+name, func(p string, d fs.DirEntry) bool {
			return name == "src" && p == "cmd" || path.Base(p) == "testdata" || strings.HasSuffix(p, "_test.go")
		})
	}
	for _, name := range []string{"VERSION", "go.env"} {
		i.root.copy(filepath.Join(root, name), to+"/"+name)
	}
}

// fillNode copies node, and npm where the facts say that it is there.
func fillNode(t *testing.T, i *image) {
	i.root.program(need(t, "node"), i.prefix()+"/bin/node")
	if !i.has("npm") {
		return
	}
	real, err := filepath.EvalSymlinks(need(t, "npm"))
	if err != nil {
		t.Fatal(err)
	}
	// .../npm/bin/npm-cli.js; npm carries what it needs along.
	i.root.tree(filepath.Dir(filepath.Dir(real)), i.prefix()+"/lib/node_modules/npm", func(p string, _ fs.DirEntry) bool {
		return p == "docs" || p == "man"
	})
	for name, script := range map[string]string{"npm": "npm-cli.js", "npx": "npx-cli.js"} {
		i.root.link(i.prefix()+"/bin/"+name, "../lib/node_modules/npm/bin/"+script)
	}
}

// python tells where the machine's Python is and which version it has.
func python(t *testing.T) (prefix, version string) {
	t.Helper()
	out, err := exec.Command(need(t, "python3"), "-c",
		"import sys, ensurepip; print(sys.base_prefix, '%d.%d' % sys.version_info[:2])").Output()
	if err != nil {
		t.Skipf("the machine's Python has no ensurepip; on Debian: %s", packages)
	}
	prefix, version, _ = strings.Cut(strings.TrimSpace(string(out)), " ")
	return prefix, version
}

// fillPython copies Python with its library; pip, where the facts say that it
// is there, is the one that Python carries for new environments.
func fillPython(t *testing.T, i *image) {
	from, version := python(t)
	to, r := i.prefix(), i.root
	r.program(filepath.Join(from, "bin/python"+version), to+"/bin/python"+version)
	r.link(to+"/bin/python3", "python"+version)
	r.link(to+"/bin/python", "python3")
	lib := "/lib/python" + version
	r.tree(from+lib, to+lib, func(p string, d fs.DirEntry) bool {
		switch path.Base(p) {
		case "__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "site-packages", "dist-packages":
			return d.IsDir()
		}
		return strings.HasPrefix(p, "config-")
	})
	r.folder(to+lib+"/site-packages", 0o755, 0, 0)
	modules, err := filepath.Glob(from + lib + "/lib-dynload/*.so")
	r.do(err)
	r.libraries(modules...)
	if !i.has("pip") {
		return
	}
	wheels, err := filepath.Glob(from + lib + "/ensurepip/_bundled/*.whl")
	r.do(err)
	if len(wheels) == 0 {
		t.Skipf("the machine's Python carries no pip along; on Debian: %s", packages)
	}
	for _, w := range wheels {
		r.unzip(w, to+lib+"/site-packages")
	}
	for _, name := range []string{"pip", "pip3"} {
		r.file(to+"/bin/"+name, "#!"+to+"/bin/python3\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n", 0o755)
	}
}

// fillNginx copies nginx. Its configuration is what the two images differ in:
// upstream listens on 80 and changes its user, DHI listens on 8080 as the user
// it starts as, with the pid in a directory of that user (the image's guide).
func fillNginx(t *testing.T, i *image) {
	r := i.root
	r.program(need(t, "nginx"), "/usr/sbin/nginx")
	if _, err := os.Stat("/etc/nginx/mime.types"); err != nil {
		t.Skipf("no /etc/nginx/mime.types on this machine; on Debian: %s", packages)
	}
	r.copy("/etc/nginx/mime.types", "/etc/nginx/mime.types")
	user, pid, port, uid, gid := "user nginx;\n", "/run/nginx.pid", "80", 0, 0
	own := []string{"/etc/nginx", "/etc/nginx/conf.d", "/run/nginx", "/usr/share/nginx/html", "/var/lib/nginx"}
	if i.dhi != nil {
		u := i.dhi.RunUser()
		user, pid, port, uid, gid = "", "/run/nginx/nginx.pid", "8080", u.UID, u.GID
		if i.dhi.HasPackage("nginx") { // of nginx.org
			pid, own[2] = "/run/nginx.pid", "/run"
		}
	}
	if i.dhi == nil || i.dhi.HasPackage("nginx") || i.dhi.Distro == catalog.Debian {
		own = append(own, "/var/cache/nginx")
	}
	r.file("/etc/nginx/nginx.conf", user+"worker_processes 1;\npid "+pid+";\nerror_log stderr;\nevents {}\nhttp {\n"+
		"\tinclude /etc/nginx/mime.types;\n\taccess_log off;\n\tinclude /etc/nginx/conf.d/*.conf;\n}\n", 0o644)
	r.file("/etc/nginx/conf.d/default.conf", "server {\n\tlisten "+port+";\n\tlocation / {\n\t\troot /usr/share/nginx/html;\n\t\tindex index.html;\n\t}\n}\n", 0o644)
	r.file("/usr/share/nginx/html/index.html", "Welcome to nginx!\n", 0o644)
	// In the images these are links to the container's output.
	r.link("/var/log/nginx/access.log", "/dev/null")
	r.link("/var/log/nginx/error.log", "/dev/null")
	// /var/lib/nginx is where Debian's nginx was compiled to keep its files; what
	// belongs to the user in DHI is said in the definitions of image/nginx.
	for _, d := range own {
		r.folder(d, 0o755, uid, gid)
	}
}

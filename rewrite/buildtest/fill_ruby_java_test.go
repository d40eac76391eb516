//go:build build

package buildtest

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dhibot/rewrite/catalog"
)

// fillRuby puts the machine's Ruby with RubyGems and Bundler where the image
// has them. Debian's Ruby finds its library where Debian keeps it; a runtime
// image of DHI has neither that name of the program nor env.
func fillRuby(t *testing.T, i *image) {
	real, err := filepath.EvalSymlinks(need(t, "ruby"))
	if err != nil {
		t.Fatal(err)
	}
	r, bin := i.root, "/usr/local/bin"
	if i.dhi != nil && i.dhi.Distro == catalog.Alpine {
		bin = "/usr/bin"
	}
	version := strings.TrimPrefix(filepath.Base(real), "ruby") // 3.1
	r.packagesOf(t, "libruby"+version, "ruby-rubygems", "ruby-bundler", "rake")
	r.program(real, bin+"/ruby")
	if i.config.Shell {
		r.link("/usr/bin/"+filepath.Base(real), bin+"/ruby") // what gem writes into the scripts of gems
	}
	exts, err := filepath.Glob("/usr/lib/*/ruby/" + version + ".0/*.so")
	r.do(err)
	more, err := filepath.Glob("/usr/lib/*/ruby/" + version + ".0/*/*.so")
	r.do(err)
	r.libraries(append(exts, more...)...)
	for _, name := range []string{"gem", "bundle", "bundler"} {
		if i.has(name) {
			code := "require 'rubygems'\nload Gem.bin_path('bundler', 'bundle')\n"
			if name == "gem" {
				code = "require 'rubygems/gem_runner'\nGem::GemRunner.new.run(ARGV.clone)\n"
			}
			r.file(bin+"/"+name, "#!"+bin+"/ruby\n"+code, 0o755)
		}
	}
	r.folder("/usr/local/bundle", 0o777, 0, 0)
	if i.dhi == nil || i.dhi.TZData() {
		r.copy("/usr/share/zoneinfo/UTC", "/usr/share/zoneinfo/Etc/UTC")
	}
}

// fillJava copies the machine's JDK to JAVA_HOME, without its compiler where
// the image is made to run programs only.
func fillJava(t *testing.T, i *image) {
	real, err := filepath.EvalSymlinks(need(t, "javac"))
	if err != nil {
		t.Fatal(err)
	}
	home, r := i.config.Env["JAVA_HOME"], i.root
	if home == "" {
		t.Fatal("the facts name no JAVA_HOME")
	}
	jdk := i.has("javac")
	r.tree(filepath.Dir(filepath.Dir(real)), home, func(p string, d fs.DirEntry) bool {
		switch p {
		case "jmods", "man", "legal", "docs", "lib/src.zip", "lib/ct.sym":
			return p != "lib/ct.sym" || !jdk
		}
		if info, err := os.Stat(filepath.Join(filepath.Dir(filepath.Dir(real)), p)); err != nil || d.Type()&fs.ModeSymlink != 0 && info.IsDir() {
			return true // certificates and fonts of another package
		}
		return path.Dir(p) == "bin" && p != "bin/java" && (!jdk || p != "bin/javac" && p != "bin/jar")
	})
	for _, name := range []string{"java", "javac", "jar"} {
		if i.has(name) && !strings.Contains(i.config.Env["PATH"], home) {
			r.link("/usr/bin/"+name, home+"/bin/"+name) // on the PATH, by the facts
		}
	}
	libs, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(real)), "lib", "*.so"))
	r.do(err)
	r.libraries(append(libs, real)...)
	jvm, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(real)), "lib", "server", "*.so"))
	r.do(err)
	r.libraries(jvm...)
}

// packagesOf copies the files of packages of the machine to the same places,
// but for documents.
func (r *rootfs) packagesOf(t *testing.T, names ...string) {
	t.Helper()
	out, err := exec.Command("dpkg", append([]string{"-L"}, names...)...).Output()
	if err != nil {
		t.Skipf("not all of %v are on this machine; on Debian: %s", names, packages)
	}
	files := strings.Fields(string(out))
	slices.Sort(files)
	for _, p := range slices.Compact(files) {
		if strings.HasPrefix(p, "/usr/share/") && !strings.HasPrefix(p, "/usr/share/rubygems-integration/") {
			continue
		}
		info, err := os.Lstat(p)
		switch {
		case err != nil || info.IsDir():
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			r.do(err)
			r.link(p, target)
		default:
			r.copy(p, p)
		}
	}
}

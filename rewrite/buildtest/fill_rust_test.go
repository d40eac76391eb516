//go:build build

package buildtest

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fillRust copies the machine's Rust with the C compiler that links its
// programs.
func fillRust(t *testing.T, i *image) {
	out, err := exec.Command(need(t, "rustc"), "--print", "sysroot").Output()
	if err != nil {
		t.Fatalf("rustc: %v", err)
	}
	sysroot, r := strings.TrimSpace(string(out)), i.root
	const to = "/usr/local"
	for _, name := range []string{"cargo", "rustc"} {
		r.program(filepath.Join(sysroot, "bin", name), to+"/bin/"+name)
	}
	r.tree(filepath.Join(sysroot, "lib"), to+"/lib", func(p string, d fs.DirEntry) bool {
		// Other targets, tools, and what is made for plugins alone.
		return strings.HasPrefix(p, "rustlib/") && d.IsDir() && p != "rustlib/x86_64-unknown-linux-gnu" && strings.Count(p, "/") == 1 ||
			p == "rustlib/x86_64-unknown-linux-gnu/codegen-backends"
	})
	r.libraries(glob(t, filepath.Join(sysroot, "lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld"))...)
	if r.err == nil && len(glob(t, r.path(to+"/lib/rustlib/x86_64-unknown-linux-gnu/lib/*.rlib"))) == 0 {
		t.Skip("the machine's Rust has no standard library for x86-64")
	}
	out, err = exec.Command(need(t, "gcc"), "-dumpversion").Output()
	if err != nil {
		t.Fatalf("gcc: %v", err)
	}
	gcc := strings.TrimSpace(string(out))
	r.packagesOf(t, "gcc-"+gcc, "cpp-"+gcc, "binutils-x86-64-linux-gnu", "libgcc-"+gcc+"-dev", "libc6-dev", "libc6")
	if exec.Command("dpkg", "-s", "gcc-"+gcc+"-x86-64-linux-gnu").Run() == nil {
		r.packagesOf(t, "gcc-"+gcc+"-x86-64-linux-gnu", "cpp-"+gcc+"-x86-64-linux-gnu") // Debian 13 has the files there
	}
	r.link("/usr/bin/cc", "x86_64-linux-gnu-gcc-"+gcc)
	r.link("/usr/bin/ld", "x86_64-linux-gnu-ld.bfd")
	r.libraries(glob(t, "/usr/lib*/gcc/x86_64-linux-gnu/"+gcc+"/*2")...)
	r.libraries("/usr/bin/x86_64-linux-gnu-ld.bfd", "/usr/bin/x86_64-linux-gnu-gcc-"+gcc, "/usr/bin/x86_64-linux-gnu-as")
	r.link("/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
}

// fillLibc puts the C library into Debian and into the static images that
// declare it, with the library of GCC that Debian's libc6 depends on.
func fillLibc(i *image) {
	if i.name == "static" && (i.dhi == nil || !i.dhi.HasPackage("libc6")) {
		return
	}
	const dir = "/lib/x86_64-linux-gnu/"
	for _, name := range []string{"ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "libgcc_s.so.1"} {
		i.root.copy(dir+name, dir+name)
	}
	i.root.link("/lib64/ld-linux-x86-64.so.2", dir+"ld-linux-x86-64.so.2")
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

package project

import (
	"strconv"
	"strings"
	"testing"
)

func TestRustLock(t *testing.T) {
	t.Parallel()
	lock := func(blocks ...string) string {
		out := "-- Cargo.lock --\nversion = 4\n"
		for _, b := range blocks {
			name, deps, _ := strings.Cut(b, " ")
			out += "\n[[package]]\nname = \"" + name + "\"\nversion = \"1.0.0\"\ndependencies = [\n"
			for d := range strings.FieldsSeq(deps) {
				out += " \"" + d + "\",\n"
			}
			out += "]\n"
		}
		return out
	}
	for _, tt := range []struct{ archive, want string }{
		{lock("app rustls", "rustls ring", "ring cc"), ""},
		{lock("app openssl", "openssl openssl-sys", "openssl-sys cc pkg-config"), "openssl-sys@Cargo.lock:18"},
		{lock("libsqlite3-sys cc pkg-config vcpkg"), ""},
		{lock("libsqlite3-sys pkg-config vcpkg"), "libsqlite3-sys@Cargo.lock:4"},
		{lock("pq-sys", "librocksdb-sys cc glob"), "pq-sys@Cargo.lock:4 librocksdb-sys@Cargo.lock:10"},
		{"-- Cargo.lock --\nversion = 4\n", "none"},
		{"-- Cargo.toml --\n[package]\nname = \"x\"\n", "none"},
	} {
		l := Open(tree(tt.archive), "Dockerfile", nil).RustLock("sub")
		got := "none"
		if l != nil {
			var parts []string
			for _, s := range l.SystemLibraries() {
				parts = append(parts, s.Package+"@"+s.At.Path+":"+strconv.Itoa(s.At.Line))
			}
			got = strings.Join(parts, " ")
		}
		if got != tt.want {
			t.Errorf("%s\ngot %q, want %q", tt.archive, got, tt.want)
		}
	}
}

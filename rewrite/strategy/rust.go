package strategy

import (
	"fmt"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/project"
)

// rustLock is the lock file of the sources, nil when it is not at hand.
func (in *Input) rustLock() *project.RustLock {
	if !in.known() {
		return nil
	}
	return in.Project.RustLock(".")
}

// rustLinks words why a Rust program may need libraries of the system while it
// runs; nil when it needs none but the C library.
func (in *Input) rustLinks(s *assess.Stage) *Block {
	l := in.rustLock()
	if l == nil {
		return &Block{Rule: "package-management", Code: "runtime-libraries", Line: s.From.Lines[0],
			Text: "no Cargo.lock is at hand that would say which libraries of the system the program links"}
	}
	for _, lib := range l.SystemLibraries() {
		return &Block{Rule: "package-management", Code: "runtime-libraries", Path: lib.At.Path, Line: lib.At.Line,
			Text: fmt.Sprintf("%s links %s of the system, which the runtime image does not declare", lib.Package, lib.What)}
	}
	return nil
}

// rustHeaders are the headers that the official Rust image brings for the
// packages of the lock file and the DHI image lacks.
func (in *Input) rustHeaders(s *assess.Stage, st *assess.Step) []need {
	o := s.Origin
	if o == nil || o.Image != "rust" || o.Slim || o.Distro != catalog.Debian || st.Run.Script == nil || !st.Run.Script.Uses("cargo") {
		return nil
	}
	l := in.rustLock()
	if l == nil {
		why := fmt.Sprintf("%s brings the headers of OpenSSL, which many packages of Rust link; no Cargo.lock is at hand that would say otherwise", o.Reference)
		return []need{{program: "libssl-dev", why: why, always: true}, {program: "pkg-config", why: why, always: true}}
	}
	var out []need
	for _, lib := range l.SystemLibraries() {
		if _, known := programs[lib.Debian]; lib.Debian == "" || !known {
			continue
		}
		why := fmt.Sprintf("%s (%s) links %s, whose headers %s brings and the DHI image does not", lib.Package, place(lib.At), lib.What, o.Reference)
		out = append(out, need{program: lib.Debian, why: why, always: true}, need{program: "pkg-config", why: why, always: true})
	}
	if at, ok := l.Has("openssl-src"); ok {
		out = append(out, need{program: "perl", why: fmt.Sprintf("openssl-src (%s) compiles OpenSSL, which needs Perl", place(at)), always: true})
	}
	return out
}

// unlinked tells whether a package of the final image brings nothing but a
// library that its Rust program does not link, by the lock file of the sources.
func (in *Input) unlinked(f *assess.Stage, pkg string) bool {
	crate := ""
	switch {
	case pkg == "openssl" || pkg == "openssl-dev" || pkg == "libssl-dev" || strings.HasPrefix(pkg, "libssl1") || strings.HasPrefix(pkg, "libssl3") || pkg == "libcrypto3":
		crate = "openssl-sys"
	case pkg == "libpq5" || pkg == "libpq-dev" || pkg == "libpq":
		crate = "pq-sys"
	case pkg == "libsqlite3-0" || pkg == "libsqlite3-dev" || pkg == "sqlite-libs":
		crate = "libsqlite3-sys"
	case pkg == "libmariadb3" || pkg == "libmariadb-dev" || pkg == "default-libmysqlclient-dev":
		crate = "mysqlclient-sys"
	default:
		return false
	}
	if !in.rustProgram(f) {
		return false
	}
	l := in.rustLock()
	if l == nil {
		return false
	}
	_, links := l.Has(crate)
	return !links
}

// rustProgram tells whether what the final image starts is one program that a
// stage of the file built with cargo.
func (in *Input) rustProgram(f *assess.Stage) bool {
	words := startWords(f)
	if len(words) == 0 {
		return false
	}
	from := copiedProgram(f, words[0])
	return from != nil && uses(from, "cargo")
}

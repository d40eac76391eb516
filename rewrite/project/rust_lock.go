package project

import (
	"path"
	"strings"
)

// RustLock are the packages that a Cargo.lock names.
type RustLock struct {
	File string
	at   map[string]int
	// bundled are packages that compile their library themselves.
	bundled map[string]bool
}

// RustLock reads Cargo.lock of a directory below the context, or of one above
// it within the context; nil when there is none that can be read.
func (p *Project) RustLock(dir string) *RustLock {
	for dir = path.Clean("/" + dir)[1:]; ; dir = path.Dir(dir) {
		file := path.Join(p.at(dir), "Cargo.lock")
		if c, ok := p.repo.text(file); ok {
			return readRustLock(file, c)
		}
		if dir == "" || dir == "." {
			return nil
		}
	}
}

func readRustLock(file, content string) *RustLock {
	l := &RustLock{File: file, at: map[string]int{}, bundled: map[string]bool{}}
	n, in := 0, ""
	for line := range strings.Lines(content) {
		n++
		// The build dependency on a C compiler is there with the feature
		// "bundled" only. Source: libsqlite3-sys, Cargo.toml.
		if in == "libsqlite3-sys" && strings.TrimSpace(line) == `"cc",` {
			l.bundled[in] = true
		}
		name, ok := strings.CutPrefix(strings.TrimSpace(line), `name = "`)
		if name, quoted := strings.CutSuffix(name, `"`); ok && quoted {
			in = name
			if l.at[name] == 0 {
				l.at[name] = n
			}
		}
	}
	if len(l.at) == 0 {
		return nil
	}
	return l
}

// Has tells where the lock file names a package.
func (l *RustLock) Has(name string) (Evidence, bool) {
	n, ok := l.at[name]
	return Evidence{l.File, n}, ok
}

// SystemLibrary is a library of the system that a package links.
type SystemLibrary struct {
	Package string // of Rust
	What    string // the library
	// Debian and Alpine are the packages that building needs, "" when none is
	// known by name.
	Debian, Alpine string
	At             Evidence
}

// systemLibraries are packages of Rust that link libraries of the system.
// Sources: their own documentation; what they compile themselves is left out.
var systemLibraries = []SystemLibrary{
	{Package: "openssl-sys", What: "OpenSSL", Debian: "libssl-dev", Alpine: "openssl-dev"},
	{Package: "pq-sys", What: "libpq", Debian: "libpq-dev", Alpine: "libpq-dev"},
	{Package: "mysqlclient-sys", What: "the MySQL client library", Debian: "default-libmysqlclient-dev", Alpine: "mariadb-dev"},
	{Package: "libsqlite3-sys", What: "SQLite", Debian: "libsqlite3-dev", Alpine: "sqlite-dev"},
	{Package: "curl-sys", What: "libcurl", Debian: "libcurl4-openssl-dev", Alpine: "curl-dev"},
	{Package: "link-cplusplus", What: "the C++ library"},
	{Package: "librocksdb-sys", What: "the C++ library"},
	{Package: "libduckdb-sys", What: "the C++ library"},
	{Package: "grpcio-sys", What: "the C++ library"},
	{Package: "esaxx-rs", What: "the C++ library"},
	{Package: "clickhouse-rs-cityhash-sys", What: "the C++ library"},
	{Package: "leveldb-sys", What: "the C++ library"},
	{Package: "sentencepiece-sys", What: "the C++ library"},
	{Package: "whisper-rs-sys", What: "the C++ library"},
	{Package: "llama-cpp-sys-2", What: "the C++ library"},
	{Package: "rdkafka-sys", What: "libraries of librdkafka"},
	{Package: "torch-sys", What: "libtorch"},
	{Package: "ort-sys", What: "the ONNX runtime"},
	{Package: "opencv", What: "OpenCV"},
	{Package: "libudev-sys", What: "libudev", Debian: "libudev-dev", Alpine: "eudev-dev"},
	{Package: "alsa-sys", What: "ALSA", Debian: "libasound2-dev", Alpine: "alsa-lib-dev"},
	{Package: "libdbus-sys", What: "D-Bus", Debian: "libdbus-1-dev", Alpine: "dbus-dev"},
	{Package: "glib-sys", What: "GLib"},
	{Package: "gstreamer-sys", What: "GStreamer"},
	{Package: "libheif-sys", What: "libheif"},
	{Package: "ffmpeg-sys-next", What: "FFmpeg"},
	{Package: "tesseract-sys", What: "Tesseract"},
	{Package: "leptonica-sys", What: "Leptonica"},
	{Package: "magick_rust", What: "ImageMagick"},
	{Package: "libsodium-sys", What: "libsodium"},
	{Package: "zmq-sys", What: "ZeroMQ"},
	{Package: "krb5-sys", What: "Kerberos"},
	{Package: "libgssapi-sys", What: "Kerberos"},
	{Package: "sasl2-sys", What: "SASL"},
	{Package: "pcsc-sys", What: "PC/SC"},
	{Package: "libxml", What: "libxml2"},
}

// SystemLibraries are the libraries of the system that the packages link.
func (l *RustLock) SystemLibraries() []SystemLibrary {
	var out []SystemLibrary
	for _, s := range systemLibraries {
		if at, ok := l.Has(s.Package); ok && !l.bundled[s.Package] {
			s.At = at
			out = append(out, s)
		}
	}
	return out
}

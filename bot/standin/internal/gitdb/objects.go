// Package gitdb reads and writes bare git repositories for the stand-in.
//
// Objects and references are read and written in process, because a tree of
// three thousand files must not cost three thousand git processes. What needs
// git's own judgement (diffs, merges, merge bases, the smart protocol, fsck)
// is left to the git program: see git.go. Every repository stays one that git
// itself can open.
package gitdb

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // git's object format, not a security decision
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// OID is an object name: 40 lower-case hex digits.
type OID string

// ZeroOID stands for "no object" in reference updates and push events.
const ZeroOID OID = "0000000000000000000000000000000000000000"

// EmptyTree is the object name of the tree without entries.
const EmptyTree OID = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// ErrNotFound is returned when an object or a reference does not exist.
var ErrNotFound = errors.New("not found")

// Valid reports whether s is a full object name.
func Valid(s string) bool {
	if len(s) != 40 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Hash returns the object name git gives data of this kind ("blob", "tree",
// "commit" or "tag").
func Hash(kind string, data []byte) OID {
	h := sha1.New() //nolint:gosec // git's object format
	h.Write(header(kind, len(data)))
	h.Write(data)
	return OID(hex.EncodeToString(h.Sum(nil)))
}

func header(kind string, size int) []byte {
	return fmt.Appendf(nil, "%s %d\x00", kind, size)
}

// Objects is a directory of loose objects, safe for concurrent use. It is the
// "objects" directory of a repository or one that repositories borrow from.
type Objects struct {
	dir string

	mu     sync.Mutex
	temp   atomic.Uint64
	fanout map[string]bool // two-digit directories known to exist
}

// NewObjects opens an object directory; it need not exist until the first Put.
func NewObjects(dir string) *Objects {
	return &Objects{dir: dir, fanout: map[string]bool{}}
}

// Dir is the directory of the objects.
func (o *Objects) Dir() string { return o.dir }

func (o *Objects) path(id OID) string {
	return filepath.Join(o.dir, string(id[:2]), string(id[2:]))
}

// zlibWriters saves the 800 KB that each new compressor would allocate.
var zlibWriters = sync.Pool{New: func() any {
	w, err := zlib.NewWriterLevel(io.Discard, zlib.BestSpeed)
	if err != nil { // only for an unknown level
		panic(err)
	}
	return w
}}

// Put stores an object and returns its name. Storing it again costs one stat.
// Objects are renamed into place, so readers never see half of one.
func (o *Objects) Put(kind string, data []byte) (OID, error) {
	id := Hash(kind, data)
	target := o.path(id)
	if _, err := os.Lstat(target); err == nil {
		return id, nil
	}
	if err := o.ensureFanout(string(id[:2])); err != nil {
		return "", err
	}
	packed, err := deflate(kind, data)
	if err != nil {
		return "", fmt.Errorf("store %s: %w", kind, err)
	}
	// One write and one rename: system calls are what three thousand small
	// files cost.
	tmp := filepath.Join(filepath.Dir(target), "tmp_obj_"+strconv.FormatUint(o.temp.Add(1), 36))
	if err := os.WriteFile(tmp, packed, 0o444); err != nil {
		return "", fmt.Errorf("store %s: %w", kind, err)
	}
	if err := os.Rename(tmp, target); err != nil {
		_ = os.Remove(tmp)
		return "", fmt.Errorf("store %s %s: %w", kind, id, err)
	}
	return id, nil
}

// deflate compresses header and content as a loose object.
func deflate(kind string, data []byte) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(len(data)/2 + 64)
	err := writeLoose(&b, kind, data)
	return b.Bytes(), err
}

func writeLoose(w io.Writer, kind string, data []byte) error {
	z, ok := zlibWriters.Get().(*zlib.Writer)
	if !ok {
		return errors.New("zlib pool holds a foreign value")
	}
	defer zlibWriters.Put(z)
	z.Reset(w)
	if _, err := z.Write(header(kind, len(data))); err != nil {
		return err
	}
	if _, err := z.Write(data); err != nil {
		return err
	}
	return z.Close()
}

func (o *Objects) ensureFanout(two string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fanout[two] {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(o.dir, two), 0o755); err != nil {
		return fmt.Errorf("object directory: %w", err)
	}
	o.fanout[two] = true
	return nil
}

// Has reports whether the object is here as a loose object.
func (o *Objects) Has(id OID) bool {
	if !Valid(string(id)) {
		return false
	}
	_, err := os.Lstat(o.path(id))
	return err == nil
}

// Get returns kind and content of a loose object, ErrNotFound without one.
func (o *Objects) Get(id OID) (kind string, data []byte, err error) {
	if !Valid(string(id)) {
		return "", nil, fmt.Errorf("object %.60q: %w", string(id), ErrNotFound)
	}
	f, err := os.Open(o.path(id))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil, fmt.Errorf("object %s: %w", id, ErrNotFound)
		}
		return "", nil, err
	}
	defer f.Close()
	return readLoose(f)
}

func readLoose(r io.Reader) (string, []byte, error) {
	z, err := zlib.NewReader(bufio.NewReader(r))
	if err != nil {
		return "", nil, fmt.Errorf("loose object: %w", err)
	}
	defer z.Close()
	b := bufio.NewReader(z)
	head, err := b.ReadString(0)
	if err != nil {
		return "", nil, fmt.Errorf("loose object header: %w", err)
	}
	kind, sizeText, ok := strings.Cut(strings.TrimSuffix(head, "\x00"), " ")
	if !ok {
		return "", nil, fmt.Errorf("loose object header %q", head)
	}
	size, err := strconv.Atoi(sizeText)
	if err != nil || size < 0 {
		return "", nil, fmt.Errorf("loose object size %q", sizeText)
	}
	var buf bytes.Buffer
	buf.Grow(size)
	if _, err := io.CopyN(&buf, b, int64(size)); err != nil {
		return "", nil, fmt.Errorf("loose object content: %w", err)
	}
	return kind, buf.Bytes(), nil
}

// Size returns kind and length of a loose object without reading all of it.
func (o *Objects) Size(id OID) (kind string, size int, err error) {
	f, err := os.Open(o.path(id))
	if err != nil {
		return "", 0, fmt.Errorf("object %s: %w", id, ErrNotFound)
	}
	defer f.Close()
	z, err := zlib.NewReader(f)
	if err != nil {
		return "", 0, fmt.Errorf("loose object: %w", err)
	}
	defer z.Close()
	head, err := bufio.NewReaderSize(z, 64).ReadString(0)
	if err != nil {
		return "", 0, fmt.Errorf("loose object header: %w", err)
	}
	kind, sizeText, _ := strings.Cut(strings.TrimSuffix(head, "\x00"), " ")
	size, err = strconv.Atoi(sizeText)
	return kind, size, err
}

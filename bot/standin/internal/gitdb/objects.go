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

// Objects is the "objects" directory of a repository, or one that repositories
// borrow from. It is safe for concurrent use.
//
// What is put here stays in memory until Flush, which must happen before git
// looks: creating a file is the dearest thing an object can cost, and most are
// never looked at by git. Many objects are flushed as one pack, few as loose
// ones.
type Objects struct {
	dir string

	mu      sync.Mutex
	pending map[OID]object
	size    int // of the pending contents
	packed  map[OID]packEntry
	packs   []string
	temp    uint64
	fanout  map[string]bool // two-digit directories known to exist
}

type object struct {
	kind string
	data []byte
}

const (
	maxPending   = 32 << 20 // bytes kept before a flush of its own accord
	packFromHere = 12       // objects: fewer are flushed as loose ones
)

// NewObjects opens an object directory; it need not exist until the first
// flush.
func NewObjects(dir string) *Objects {
	return &Objects{dir: dir, pending: map[OID]object{}, packed: map[OID]packEntry{}, fanout: map[string]bool{}}
}

// Dir is the directory of the objects.
func (o *Objects) Dir() string { return o.dir }

func (o *Objects) path(id OID) string {
	return filepath.Join(o.dir, string(id[:2]), string(id[2:]))
}

// Put stores an object and returns its name. It keeps data, which must not
// change afterwards.
func (o *Objects) Put(kind string, data []byte) (OID, error) {
	id := Hash(kind, data)
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.pending[id]; ok {
		return id, nil
	}
	if _, ok := o.packed[id]; ok {
		return id, nil
	}
	o.pending[id] = object{kind, data}
	o.size += len(data)
	if o.size > maxPending {
		return id, o.flush()
	}
	return id, nil
}

// Flush writes what is pending to disk, complete before it returns.
func (o *Objects) Flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.flush()
}

func (o *Objects) flush() error {
	if len(o.pending) == 0 {
		return nil
	}
	if len(o.pending) >= packFromHere {
		if err := o.writePack(); err != nil {
			return fmt.Errorf("write pack: %w", err)
		}
	} else {
		for id, obj := range o.pending {
			if err := o.writeLooseFile(id, obj); err != nil {
				return err
			}
		}
	}
	clear(o.pending)
	o.size = 0
	return nil
}

// writeLooseFile renames the object into place, so that git never sees half of
// one.
func (o *Objects) writeLooseFile(id OID, obj object) error {
	target := o.path(id)
	if _, err := os.Lstat(target); err == nil {
		return nil
	}
	two := string(id[:2])
	if !o.fanout[two] {
		if err := os.MkdirAll(filepath.Join(o.dir, two), 0o755); err != nil {
			return fmt.Errorf("object directory: %w", err)
		}
		o.fanout[two] = true
	}
	var b bytes.Buffer
	if err := writeZlib(&b, header(obj.kind, len(obj.data)), obj.data); err != nil {
		return fmt.Errorf("store %s: %w", obj.kind, err)
	}
	o.temp++
	tmp := filepath.Join(o.dir, two, "tmp_obj_"+strconv.FormatUint(o.temp, 36))
	if err := os.WriteFile(tmp, b.Bytes(), 0o444); err != nil {
		return fmt.Errorf("store %s: %w", obj.kind, err)
	}
	if err := os.Rename(tmp, target); err != nil {
		return errors.Join(fmt.Errorf("store %s %s: %w", obj.kind, id, err), os.Remove(tmp))
	}
	return nil
}

// zlibWriters saves the 800 KB that each new compressor would allocate.
var zlibWriters = sync.Pool{New: func() any {
	w, err := zlib.NewWriterLevel(io.Discard, zlib.BestSpeed)
	if err != nil { // only for an unknown level
		panic(err)
	}
	return w
}}

func writeZlib(w io.Writer, parts ...[]byte) error {
	z, ok := zlibWriters.Get().(*zlib.Writer)
	if !ok {
		return errors.New("zlib pool holds a foreign value")
	}
	defer zlibWriters.Put(z)
	z.Reset(w)
	for _, p := range parts {
		if _, err := z.Write(p); err != nil {
			return err
		}
	}
	return z.Close()
}

// find returns a pending object or where a packed one is.
func (o *Objects) find(id OID) (object, packEntry, string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if obj, ok := o.pending[id]; ok {
		return obj, packEntry{}, "", true
	}
	e, ok := o.packed[id]
	if !ok {
		return object{}, packEntry{}, "", false
	}
	return object{}, e, o.packs[e.pack], true
}

// Has reports whether the object is here, unless in a pack that git made.
func (o *Objects) Has(id OID) bool {
	if _, _, _, ok := o.find(id); ok {
		return true
	}
	if !Valid(string(id)) {
		return false
	}
	_, err := os.Lstat(o.path(id))
	return err == nil
}

// Get returns kind and content of an object, which must not be changed, and
// ErrNotFound without one.
func (o *Objects) Get(id OID) (kind string, data []byte, err error) {
	if obj, e, pack, ok := o.find(id); ok {
		if pack == "" {
			return obj.kind, obj.data, nil
		}
		data, err := e.read(pack)
		return e.kind, data, err
	}
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

// Size returns kind and length of an object without reading all of it.
func (o *Objects) Size(id OID) (kind string, size int, err error) {
	if obj, e, pack, ok := o.find(id); ok {
		if pack == "" {
			return obj.kind, len(obj.data), nil
		}
		return e.kind, e.size, nil
	}
	if !Valid(string(id)) {
		return "", 0, fmt.Errorf("object %.60q: %w", string(id), ErrNotFound)
	}
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

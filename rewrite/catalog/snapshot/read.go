package snapshot

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"dhibot/rewrite/catalog"
)

// maxErrors bounds how many broken definitions one error names.
const maxErrors = 20

// maxDefinition bounds the size of a definition; the largest is 60 kB.
const maxDefinition = 1 << 20

// builder collects definitions, in any order.
type builder struct {
	found  map[string]*catalog.Definition // by path
	broken []error
}

// add takes a file of the repository; what is not a definition is passed over.
// It tells whether more files are wanted.
func (b *builder) add(p string, read func() ([]byte, error)) (more bool) {
	name, distro, version, ok := place(p)
	if !ok {
		return true // image/tempo/config/tempo.yaml and the like
	}
	data, err := read()
	if err == nil {
		var def *catalog.Definition
		if def, err = parseDefinition(data, name, distro, version); err == nil {
			b.found[p] = def
			return true
		}
	}
	b.broken = append(b.broken, fmt.Errorf("%s: %w", p, err))
	return len(b.broken) < maxErrors
}

// build puts the snapshot together. A snapshot is all or nothing: every broken
// definition is named.
func (b *builder) build(source catalog.Source) (*Snapshot, error) {
	if len(b.broken) > 0 {
		return nil, errors.Join(b.broken...)
	}
	if len(b.found) == 0 {
		return nil, errors.New("there is no image/<image>/<distribution>/*.yaml: this is not the catalog repository")
	}
	s := &Snapshot{Source: source}
	for _, p := range slices.Sorted(maps.Keys(b.found)) {
		name, _, _, _ := place(p)
		if n := len(s.Images); n == 0 || s.Images[n-1].Name != name {
			s.Images = append(s.Images, Image{Name: name})
		}
		last := &s.Images[len(s.Images)-1]
		last.Definitions = append(last.Definitions, *b.found[p])
	}
	return s, nil
}

// FromFS reads a checkout.
func FromFS(fsys fs.FS, source catalog.Source) (*Snapshot, error) {
	paths, err := fs.Glob(fsys, "image/*/*/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the definitions: %w", err)
	}
	b := &builder{found: make(map[string]*catalog.Definition)}
	for _, p := range paths {
		more := b.add(p, func() ([]byte, error) {
			f, err := fsys.Open(p)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			return readBounded(f)
		})
		if !more {
			break
		}
	}
	return b.build(source)
}

// FromTar reads a tarball, compressed with gzip or not, as git archive and the
// download of a repository make them: with or without a folder around all
// files. A commit or date that source leaves open is taken from the tarball,
// where both record it.
func FromTar(r io.Reader, source catalog.Source) (*Snapshot, error) {
	br := bufio.NewReader(r)
	var in io.Reader = br
	if magic, err := br.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		zr, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("decompress the tarball: %w", err)
		}
		in = zr
	}
	b := &builder{found: make(map[string]*catalog.Definition)}
	tr := tar.NewReader(io.LimitReader(in, maxTar))
	var newest time.Time
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the tarball: %w", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			if source.Commit == "" {
				source.Commit = h.PAXRecords["comment"]
			}
			continue
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		p := definitionPath(h.Name)
		if p == "" {
			continue
		}
		if h.ModTime.After(newest) {
			newest = h.ModTime
		}
		if !b.add(p, func() ([]byte, error) { return readBounded(tr) }) {
			break
		}
	}
	if source.Date == "" && !newest.IsZero() {
		source.Date = newest.UTC().Format(time.DateOnly)
	}
	return b.build(source)
}

// maxTar bounds an uncompressed tarball; the repository's has 200 MB.
const maxTar = 2 << 30

// definitionPath finds image/x/y/z.yaml in the name of a tarball's entry,
// below at most one folder; "" when it is something else.
func definitionPath(name string) string {
	parts := strings.Split(path.Clean(name), "/")
	if len(parts) == 5 {
		parts = parts[1:]
	}
	if len(parts) != 4 || parts[0] != "image" || path.Ext(parts[3]) != ".yaml" {
		return ""
	}
	return strings.Join(parts, "/")
}

func readBounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDefinition+1))
	if err == nil && len(data) > maxDefinition {
		err = fmt.Errorf("larger than %d bytes", maxDefinition)
	}
	return data, err
}

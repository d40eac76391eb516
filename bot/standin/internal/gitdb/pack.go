package gitdb

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // git's pack format
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"
)

// packEntry is where an object of a pack of ours is. Such packs hold whole
// objects only, no deltas, so reading one needs no other.
type packEntry struct {
	pack   int
	offset int64
	kind   string
	size   int
}

// packTypes are the numbers of the kinds in a pack.
// https://git-scm.com/docs/gitformat-pack
func packType(kind string) byte {
	switch kind {
	case "commit":
		return 1
	case "tree":
		return 2
	case "blob":
		return 3
	}
	return 4 // tag
}

func (o *Objects) packCount() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.packs)
}

// counting notes how far a pack has been written and sums it up.
type counting struct {
	w   io.Writer
	sum hash.Hash
	n   int64
}

func (c *counting) Write(b []byte) (int, error) {
	c.sum.Write(b)
	c.n += int64(len(b))
	return c.w.Write(b)
}

// writePack writes the pending objects as one pack with its index. The caller
// holds mu and clears them afterwards.
func (o *Objects) writePack() error {
	ids := make([]OID, 0, len(o.pending))
	for id := range o.pending {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	name := sha1.New() //nolint:gosec // a file name
	for _, id := range ids {
		name.Write([]byte(id))
	}
	dir := filepath.Join(o.dir, "pack")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	base := filepath.Join(dir, fmt.Sprintf("pack-%x", name.Sum(nil)))

	f, err := os.OpenFile(base+".pack", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	entries, crcs, sum, err := o.writeEntries(f, ids)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := writeIndex(base, ids, entries, crcs, sum); err != nil {
		return err
	}
	o.packs = append(o.packs, base+".pack")
	for i, id := range ids {
		o.packed[id] = entries[i]
	}
	return nil
}

func (o *Objects) writeEntries(f io.Writer, ids []OID) (entries []packEntry, crcs []uint32, sum []byte, err error) {
	buffered := bufio.NewWriterSize(f, 1<<16)
	w := &counting{w: buffered, sum: sha1.New()} //nolint:gosec // git's pack format
	head := append([]byte("PACK\x00\x00\x00\x02"), 0, 0, 0, 0)
	binary.BigEndian.PutUint32(head[8:], uint32(len(ids)))
	if _, err := w.Write(head); err != nil {
		return nil, nil, nil, err
	}
	var b bytes.Buffer
	for _, id := range ids {
		obj := o.pending[id]
		entries = append(entries, packEntry{pack: len(o.packs), offset: w.n, kind: obj.kind, size: len(obj.data)})
		b.Reset()
		// Kind and length: four bits of it first, then seven at a time.
		n := len(obj.data)
		c := packType(obj.kind)<<4 | byte(n&15)
		for n >>= 4; n > 0; n >>= 7 {
			b.WriteByte(c | 0x80)
			c = byte(n & 0x7f)
		}
		b.WriteByte(c)
		if err := writeZlib(&b, obj.data); err != nil {
			return nil, nil, nil, err
		}
		crcs = append(crcs, crc32.ChecksumIEEE(b.Bytes()))
		if _, err := w.Write(b.Bytes()); err != nil {
			return nil, nil, nil, err
		}
	}
	sum = w.sum.Sum(nil)
	if _, err := buffered.Write(sum); err != nil {
		return nil, nil, nil, err
	}
	return entries, crcs, sum, buffered.Flush()
}

// writeIndex writes the version 2 index; only then git sees the pack.
func writeIndex(base string, ids []OID, entries []packEntry, crcs []uint32, packSum []byte) error {
	var b bytes.Buffer
	b.WriteString("\xfftOc\x00\x00\x00\x02")
	var fan [256]uint32
	for _, id := range ids {
		raw, err := hex.DecodeString(string(id[:2]))
		if err != nil {
			return err
		}
		fan[raw[0]]++
	}
	total := uint32(0)
	for _, n := range fan {
		total += n
		b.Write(binary.BigEndian.AppendUint32(nil, total))
	}
	for _, id := range ids {
		raw, err := hex.DecodeString(string(id))
		if err != nil {
			return err
		}
		b.Write(raw)
	}
	for _, c := range crcs {
		b.Write(binary.BigEndian.AppendUint32(nil, c))
	}
	for _, e := range entries {
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(e.offset)))
	}
	b.Write(packSum)
	sum := sha1.Sum(b.Bytes()) //nolint:gosec // git's index format
	b.Write(sum[:])
	if err := os.WriteFile(base+".tmp", b.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(base+".tmp", base+".idx")
}

// read returns the content of an object.
func (e packEntry) read(pack string) ([]byte, error) {
	f, err := os.Open(pack)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Seek(e.offset, io.SeekStart); err != nil {
		return nil, err
	}
	r := bufio.NewReader(f)
	for {
		c, err := r.ReadByte()
		if err != nil {
			return nil, fmt.Errorf("pack entry: %w", err)
		}
		if c&0x80 == 0 {
			break
		}
	}
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("pack entry: %w", err)
	}
	defer z.Close()
	data := make([]byte, e.size)
	if _, err := io.ReadFull(z, data); err != nil {
		return nil, fmt.Errorf("pack entry: %w", err)
	}
	return data, nil
}

package catalog

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

//go:embed data/dhi-catalog.json.gz
var embeddedSnapshot []byte

// maxSnapshot bounds the size of a decoded snapshot; the embedded one is 2 MB.
const maxSnapshot = 64 << 20

// Catalog is a snapshot. It is read-only and safe for concurrent use.
type Catalog struct {
	source Source
	date   time.Time
	soon   string // the day up to which an end of life is near, seen from date
	half   string // the day half a year after date
	images map[string]*image
	names  []string

	origins remembered[string, *Origin]
	choices remembered[choiceKey, choiceAnswer]
}

// Source says where the facts of a snapshot come from.
type Source struct {
	Repository string `json:"repository"` // owner/name of the public catalog
	Commit     string `json:"commit"`
	Date       string `json:"date"` // YYYY-MM-DD
	License    string `json:"license"`
}

// image is one image of the catalog. Its definitions are decoded when they are
// first asked for: a run looks at a handful of the hundreds there are.
type image struct {
	name string
	raw  json.RawMessage

	once  sync.Once
	defs  []*Definition
	tags  []*tag
	byTag map[string]*tag
	// flavors are those that the tags have.
	flavors map[string]bool
	err     error

	mu    sync.Mutex
	lists map[offerKey][]*offer
}

var defaultCatalog = sync.OnceValues(func() (*Catalog, error) {
	c, err := decode(bytes.NewReader(embeddedSnapshot))
	if err != nil {
		return nil, fmt.Errorf("decode the embedded catalog: %w", err)
	}
	return c, nil
})

// Default returns the embedded snapshot, decoded once.
func Default() (*Catalog, error) { return defaultCatalog() }

// Load reads another snapshot: the JSON form that "dhibot catalog update"
// writes, plain or compressed with gzip. Every definition is checked, so that a
// damaged file is refused here and not in the middle of a migration.
func Load(r io.Reader) (*Catalog, error) {
	c, err := decode(r)
	if err != nil {
		return nil, err
	}
	for _, name := range c.names {
		img := c.images[name]
		img.load()
		if img.err != nil {
			return nil, fmt.Errorf("image %q: %w", name, img.err)
		}
		if len(img.byTag) != len(img.tags) {
			return nil, fmt.Errorf("image %q: the same tag belongs to two definitions", name)
		}
	}
	return c, nil
}

// decode reads the outer form of a snapshot and keeps the definitions of every
// image as they are.
func decode(r io.Reader) (*Catalog, error) {
	br := bufio.NewReader(r)
	var in io.Reader = br
	if magic, err := br.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		zr, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		in = zr
	}
	data, err := io.ReadAll(io.LimitReader(in, maxSnapshot+1))
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	if len(data) > maxSnapshot {
		return nil, fmt.Errorf("the catalog is larger than %d bytes", maxSnapshot)
	}
	var wire struct {
		Source Source `json:"source"`
		Images []struct {
			Name        string          `json:"name"`
			Definitions json.RawMessage `json:"definitions"`
		} `json:"images"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("decode the catalog: %w", err)
	}
	c := &Catalog{source: wire.Source, images: make(map[string]*image, len(wire.Images))}
	if c.date, err = time.Parse(time.DateOnly, wire.Source.Date); err != nil {
		return nil, fmt.Errorf("the date of the catalog: %w", err)
	}
	c.soon = c.date.Add(nearEnd).Format(time.DateOnly)
	c.half = c.date.Add(halfYear).Format(time.DateOnly)
	for _, w := range wire.Images {
		if w.Name == "" {
			return nil, errors.New("an image of the catalog has no name")
		}
		if c.images[w.Name] != nil {
			return nil, fmt.Errorf("image %q is in the catalog twice", w.Name)
		}
		c.images[w.Name] = &image{name: w.Name, raw: w.Definitions}
		c.names = append(c.names, w.Name)
	}
	slices.Sort(c.names)
	return c, nil
}

// load decodes the definitions once.
func (i *image) load() {
	i.once.Do(func() {
		if i.err = json.Unmarshal(i.raw, &i.defs); i.err != nil {
			i.defs = nil
			return
		}
		i.raw = nil
		i.byTag = make(map[string]*tag)
		i.flavors = make(map[string]bool)
		i.lists = make(map[offerKey][]*offer)
		for _, d := range i.defs {
			d.Image = i.name
			d.settle()
			for _, t := range d.Tags {
				parsed := parseTag(t, d)
				i.tags = append(i.tags, parsed)
				i.byTag[t] = parsed
				i.flavors[parsed.flavor] = true
			}
		}
	})
}

// image returns a loaded image, nil when there is none.
func (c *Catalog) image(name string) *image {
	img := c.images[name]
	if img != nil {
		img.load()
	}
	return img
}

// Date is the day of the snapshot.
func (c *Catalog) Date() time.Time { return c.date }

// Source says where the facts come from.
func (c *Catalog) Source() Source { return c.source }

// Images lists the names of all images, sorted.
func (c *Catalog) Images() []string { return slices.Clone(c.names) }

// Has tells whether there is an image of that name.
func (c *Catalog) Has(image string) bool { return c.images[image] != nil }

// Definitions lists the variants of an image, in the order of the snapshot;
// nil when there is no such image. The definitions must not be modified.
func (c *Catalog) Definitions(image string) []*Definition {
	img := c.image(image)
	if img == nil {
		return nil
	}
	return slices.Clone(img.defs)
}

// HalfYear is the day half a year after the snapshot, YYYY-MM-DD.
func (c *Catalog) HalfYear() string { return c.half }

// Tags lists the tags of an image, newest version first; nil when there is no
// such image.
func (c *Catalog) Tags(image string) []string {
	img := c.image(image)
	if img == nil {
		return nil
	}
	sorted := slices.Clone(img.tags)
	slices.SortStableFunc(sorted, func(a, b *tag) int {
		return cmp.Or(compareVersions(b.number, a.number), cmp.Compare(a.Tag, b.Tag))
	})
	tags := make([]string, len(sorted))
	for i, t := range sorted {
		tags[i] = t.Tag
	}
	return tags
}

// Lookup finds the definition of an image's tag.
func (c *Catalog) Lookup(image, tag string) (*Definition, bool) {
	img := c.image(image)
	if img == nil {
		return nil, false
	}
	t := img.byTag[tag]
	if t == nil {
		return nil, false
	}
	return t.Def, true
}

// Package snapshot makes snapshots of the catalog from the sources of Docker
// Hardened Images: a checkout or a tarball of the public catalog repository,
// https://github.com/docker-hardened-images/catalog.
//
// It lives beside package catalog so that the engine does not carry a YAML
// reader for something that it never does.
package snapshot

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"

	"dhibot/rewrite/catalog"
)

// Snapshot is what a snapshot file holds.
type Snapshot struct {
	Source catalog.Source `json:"source"`
	Images []Image        `json:"images"`
}

// Image is an image with its variants.
type Image struct {
	Name        string               `json:"name"`
	Definitions []catalog.Definition `json:"definitions"`
}

// Encode writes the snapshot in the form that catalog.Load reads: JSON,
// compressed, the same bytes for the same facts.
func (s *Snapshot) Encode(w io.Writer) error {
	zw, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(zw)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("encode the snapshot: %w", err)
	}
	return zw.Close()
}

// Catalog is the snapshot as the engine sees it, checked like any other.
func (s *Snapshot) Catalog() (*catalog.Catalog, error) {
	var buf bytes.Buffer
	if err := s.Encode(&buf); err != nil {
		return nil, err
	}
	return catalog.Load(&buf)
}

package gitdb

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
)

// File modes that git stores in a tree.
const (
	ModeFile       = "100644"
	ModeExecutable = "100755"
	ModeSymlink    = "120000"
	ModeSubmodule  = "160000"
	ModeTree       = "040000"
)

// Entry is one row of a tree. Path is a name inside its tree, or the whole
// path in a recursive listing. Mode has six digits, as the REST API shows it.
type Entry struct {
	Path string
	Mode string
	ID   OID
}

// Type is "blob", "tree" or, for a submodule, "commit".
func (e Entry) Type() string {
	switch e.Mode {
	case ModeTree:
		return "tree"
	case ModeSubmodule:
		return "commit"
	}
	return "blob"
}

// ParseTree reads the content of a tree object.
func ParseTree(data []byte) ([]Entry, error) {
	var out []Entry
	for len(data) > 0 {
		sp := bytes.IndexByte(data, ' ')
		if sp < 0 {
			return nil, fmt.Errorf("tree entry without mode")
		}
		nul := bytes.IndexByte(data, 0)
		if nul < sp || len(data) < nul+21 {
			return nil, fmt.Errorf("tree entry cut short")
		}
		mode := string(data[:sp])
		if len(mode) == 5 {
			mode = "0" + mode
		}
		out = append(out, Entry{
			Path: string(data[sp+1 : nul]),
			Mode: mode,
			ID:   OID(hex.EncodeToString(data[nul+1 : nul+21])),
		})
		data = data[nul+21:]
	}
	return out, nil
}

// EncodeTree sorts the entries as git does and returns the tree's content.
func EncodeTree(entries []Entry) ([]byte, error) {
	sorted := append([]Entry(nil), entries...)
	sort.Slice(sorted, func(i, j int) bool { return sortKey(sorted[i]) < sortKey(sorted[j]) })
	var b bytes.Buffer
	for _, e := range sorted {
		raw, err := hex.DecodeString(string(e.ID))
		if err != nil || len(raw) != 20 {
			return nil, fmt.Errorf("tree entry %q: bad object name %.60q", e.Path, string(e.ID))
		}
		b.WriteString(strings.TrimPrefix(e.Mode, "0"))
		b.WriteByte(' ')
		b.WriteString(e.Path)
		b.WriteByte(0)
		b.Write(raw)
	}
	return b.Bytes(), nil
}

// sortKey is git's order: directories compare as if their name ended in "/".
func sortKey(e Entry) string {
	if e.Mode == ModeTree {
		return e.Path + "/"
	}
	return e.Path
}

// Change is one edit of a tree: the entry at Path becomes Mode and ID, or goes
// away when Delete is set. A change of mode ModeTree replaces a whole directory.
type Change struct {
	Path   string
	Mode   string
	ID     OID
	Delete bool
}

// store is what tree building needs from a repository.
type store interface {
	Put(kind string, data []byte) (OID, error)
	Get(id OID) (kind string, data []byte, err error)
}

// EditTree applies changes to the tree base ("" for an empty one) and returns
// the new tree. Directories that become empty disappear, as in git. Deleting
// a path that is not there is an error that wraps ErrNotFound.
func EditTree(s store, base OID, changes []Change) (OID, error) {
	root := &node{id: base}
	for _, c := range changes {
		if err := root.apply(s, strings.Split(c.Path, "/"), c); err != nil {
			return "", fmt.Errorf("path %q: %w", c.Path, err)
		}
	}
	id, _, err := root.write(s)
	return id, err
}

// node is a directory that is being edited; its children are read only when
// a change reaches into it.
type node struct {
	id       OID
	loaded   bool
	files    map[string]Entry
	children map[string]*node
}

func (n *node) load(s store) error {
	if n.loaded {
		return nil
	}
	n.loaded, n.files, n.children = true, map[string]Entry{}, map[string]*node{}
	if n.id == "" || n.id == EmptyTree {
		return nil
	}
	kind, data, err := s.Get(n.id)
	if err != nil {
		return err
	}
	if kind != "tree" {
		return fmt.Errorf("%s is a %s: %w", n.id, kind, ErrNotFound)
	}
	entries, err := ParseTree(data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Mode == ModeTree {
			n.children[e.Path] = &node{id: e.ID}
		} else {
			n.files[e.Path] = e
		}
	}
	return nil
}

func (n *node) apply(s store, parts []string, c Change) error {
	if err := n.load(s); err != nil {
		return err
	}
	name := parts[0]
	if len(parts) == 1 {
		_, isFile := n.files[name]
		_, isDir := n.children[name]
		delete(n.files, name)
		delete(n.children, name)
		switch {
		case c.Delete && !isFile && !isDir:
			return ErrNotFound
		case c.Delete:
		case c.Mode == ModeTree:
			n.children[name] = &node{id: c.ID}
		default:
			n.files[name] = Entry{Path: name, Mode: c.Mode, ID: c.ID}
		}
		return nil
	}
	child, ok := n.children[name]
	if !ok {
		if c.Delete {
			return ErrNotFound
		}
		delete(n.files, name)
		child = &node{}
		n.children[name] = child
	}
	return child.apply(s, parts[1:], c)
}

// write stores the directory; empty tells the parent to leave it out.
func (n *node) write(s store) (id OID, empty bool, err error) {
	if !n.loaded {
		return n.id, n.id == "" || n.id == EmptyTree, nil
	}
	var entries []Entry
	for _, e := range n.files {
		entries = append(entries, e)
	}
	for name, child := range n.children {
		cid, gone, err := child.write(s)
		if err != nil {
			return "", false, err
		}
		if !gone {
			entries = append(entries, Entry{Path: name, Mode: ModeTree, ID: cid})
		}
	}
	data, err := EncodeTree(entries)
	if err != nil {
		return "", false, err
	}
	id, err = s.Put("tree", data)
	return id, len(entries) == 0, err
}

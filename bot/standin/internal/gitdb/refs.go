package gitdb

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// ErrBadRefName is returned for a name that git check-ref-format refuses.
var ErrBadRefName = errors.New("bad reference name")

// CheckRefName applies the rules of git check-ref-format to a full name
// ("refs/heads/x"). https://git-scm.com/docs/git-check-ref-format
func CheckRefName(name string) error {
	bad := func(why string) error { return fmt.Errorf("%.80q %s: %w", name, why, ErrBadRefName) }
	if len(name) > 255 {
		return bad("is too long")
	}
	parts := strings.Split(name, "/")
	if parts[0] != "refs" || len(parts) < 3 {
		return bad("is not below refs/")
	}
	for _, p := range parts {
		if p == "" || strings.HasPrefix(p, ".") || strings.HasSuffix(p, ".lock") {
			return bad("has an empty, dotted or .lock component")
		}
	}
	for _, c := range []byte(name) {
		if c < ' ' || c == 0x7f || strings.IndexByte(" ~^:?*[\\", c) >= 0 {
			return bad("has a forbidden character")
		}
	}
	if strings.Contains(name, "..") || strings.Contains(name, "@{") || strings.HasSuffix(name, ".") {
		return bad("has a forbidden sequence")
	}
	return nil
}

// readRefs reads every reference of a bare repository: packed ones first,
// loose ones over them.
func readRefs(dir string) (map[string]OID, error) {
	refs := map[string]OID{}
	if err := readPackedRefs(filepath.Join(dir, "packed-refs"), refs); err != nil {
		return nil, err
	}
	root := filepath.Join(dir, "refs")
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(p, ".lock") {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if id := strings.TrimSpace(string(b)); Valid(id) {
			refs[filepath.ToSlash(rel)] = OID(id)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read references: %w", err)
	}
	return refs, nil
}

func readPackedRefs(file string, into map[string]OID) error {
	f, err := os.Open(file)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("read packed references: %w", err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		id, name, ok := strings.Cut(sc.Text(), " ")
		if ok && Valid(id) {
			into[name] = OID(id)
		}
	}
	return sc.Err()
}

// writeRef writes a loose reference with git's own locking protocol, so that
// a git process in the same repository never sees half of it.
func writeRef(dir, name string, id OID) error {
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return fmt.Errorf("reference %s: %w", name, err)
	}
	lock, err := os.OpenFile(p+".lock", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("lock reference %s: %w", name, err)
	}
	_, err = lock.WriteString(string(id) + "\n")
	if cerr := lock.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(lock.Name(), p)
	}
	if err != nil {
		_ = os.Remove(lock.Name())
		return fmt.Errorf("write reference %s: %w", name, err)
	}
	return nil
}

// writePackedRefs writes all references at once.
func writePackedRefs(dir string, refs map[string]OID) error {
	names := make([]string, 0, len(refs))
	for n := range refs {
		names = append(names, n)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString("# pack-refs with: sorted \n")
	for _, n := range names {
		fmt.Fprintf(&b, "%s %s\n", refs[n], n)
	}
	tmp := filepath.Join(dir, "packed-refs.new")
	if err := os.WriteFile(tmp, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write packed references: %w", err)
	}
	return os.Rename(tmp, filepath.Join(dir, "packed-refs"))
}

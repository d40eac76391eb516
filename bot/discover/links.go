package discover

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// links turns each symbolic link into what it leads to.
func (s *search) links() {
	for _, f := range s.pending {
		target, err := s.follow(f.Path)
		if err != nil {
			f.Code, f.Skip = BadLink, "a symbolic link "+err.Error()
			s.found[f.Path] = &f
			continue
		}
		t := s.take(target)
		t.Links = append(t.Links, f.Path)
		f.Code, f.Skip = Link, "a symbolic link to "+target
		s.found[f.Path] = &f
	}
}

// follow returns the path of the file that a link leads to.
func (s *search) follow(name string) (string, error) {
	if s.fsys == nil {
		return "", errors.New("that was not read")
	}
	for range maxHops {
		link, rest := s.linkIn(name)
		if link == "" {
			e, ok := s.lookup(name)
			switch {
			case !ok && s.submodule(name), ok && e.Kind == KindSubmodule:
				return "", errors.New("into a submodule")
			case !ok:
				return "", errors.New("to a path that does not exist")
			case e.Kind == KindFile:
				return name, nil
			}
			return "", errors.New("to something that is not a file")
		}
		target, err := fs.ReadLink(s.fsys, link)
		if err != nil {
			return "", errors.New("that cannot be read")
		}
		if target == "" || len(target) > maxPath {
			return "", errors.New("to a path that does not exist")
		}
		next := path.Join(path.Dir(link), target, rest)
		if path.IsAbs(target) || next == ".." || strings.HasPrefix(next, "../") {
			return "", errors.New("that leads out of the repository")
		}
		name = next
	}
	return "", errors.New("that leads in a circle")
}

// linkIn is the path itself or its first parent that is a symbolic link, and
// what follows it; "" when there is none.
func (s *search) linkIn(name string) (link, rest string) {
	for i := 0; i < len(name); i++ {
		if name[i] != '/' {
			continue
		}
		if j, ok := s.kinds[name[:i]]; ok && s.entries[j].Kind == KindLink {
			return name[:i], name[i+1:]
		}
	}
	if j, ok := s.kinds[name]; ok && s.entries[j].Kind == KindLink {
		return name, ""
	}
	return "", ""
}

// lookup finds a path that contains no symbolic link.
func (s *search) lookup(name string) (Entry, bool) {
	if i, ok := s.kinds[name]; ok {
		return s.entries[i], true
	}
	below := name + "/"
	i, _ := slices.BinarySearchFunc(s.entries, below, func(e Entry, p string) int { return cmp.Compare(e.Path, p) })
	if i < len(s.entries) && strings.HasPrefix(s.entries[i].Path, below) {
		return Entry{Path: name, Kind: KindDir}, true
	}
	if !s.partial || !fs.ValidPath(name) || s.submodule(name) {
		return Entry{}, false
	}
	info, err := fs.Lstat(s.fsys, name)
	if err != nil {
		return Entry{}, false
	}
	e := Entry{Path: name, Kind: KindOther, Executable: info.Mode()&0o111 != 0, Size: info.Size()}
	switch {
	case info.IsDir():
		e.Kind = KindDir
	case info.Mode().IsRegular():
		e.Kind = KindFile
	}
	return e, true
}

// submodule tells whether a path lies in another repository.
func (s *search) submodule(name string) bool {
	for _, m := range s.modules {
		if strings.HasPrefix(name, m+"/") {
			return true
		}
	}
	return false
}

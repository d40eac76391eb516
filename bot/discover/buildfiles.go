package discover

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	maxBuildFiles    = 100     // read per repository
	maxBuildFileSize = 1 << 20 // bytes
	maxNamed         = 1000    // Dockerfiles that one build file may name
)

// isBuildFile tells whether a lower-case base name is that of a compose or bake
// file: the names that docker compose and docker buildx bake look for, and those
// with a word in between, as in docker-compose.prod.yml.
func isBuildFile(name string) bool { return isCompose(name) || isBake(name) }

func isCompose(name string) bool {
	stem, ok := strings.CutSuffix(name, ".yaml")
	if !ok {
		if stem, ok = strings.CutSuffix(name, ".yml"); !ok {
			return false
		}
	}
	for _, word := range []string{"compose", "docker-compose", "podman-compose"} {
		if after, is := strings.CutPrefix(stem, word); is && (after == "" || after[0] == '.' || after[0] == '-' || after[0] == '_') {
			return true
		}
	}
	return false
}

func isBake(name string) bool {
	return strings.HasPrefix(name, "docker-bake.") && (strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".json")) ||
		strings.HasSuffix(name, ".bake.hcl") || name == "bake.hcl"
}

// BuildFiles are the entries that Find reads to learn of Dockerfiles with other
// names, in order: for a caller that fetches files in batches.
func BuildFiles(entries []Entry) []Entry {
	var out []Entry
	for _, e := range entries {
		if e.Kind != KindFile || e.Size > maxBuildFileSize || !isBuildFile(strings.ToLower(path.Base(e.Path))) {
			continue
		}
		if code, _ := Folder(e.Path); code == Taken {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return out[:min(len(out), maxBuildFiles)]
}

// byBuildFiles adds what compose and bake files build.
func (s *search) byBuildFiles() {
	for _, e := range BuildFiles(s.entries) {
		content, err := readWhole(s.fsys, e.Path)
		var builds []build
		if err == nil {
			builds, err = parseBuilds(strings.ToLower(path.Base(e.Path)), content)
		}
		if err != nil {
			s.problems = append(s.problems, Problem{e.Path, err})
		}
		for _, b := range builds[:min(len(builds), maxNamed)] {
			s.named(e.Path, b)
		}
	}
}

func parseBuilds(name string, content []byte) ([]build, error) {
	switch {
	case isCompose(name):
		return parseCompose(content)
	case strings.HasSuffix(name, ".json"):
		return parseBakeJSON(content)
	default:
		return parseBakeHCL(string(content)), nil
	}
}

// build is what one service or target builds, as written. Without dockerfile it
// is the Dockerfile of the context, which is found by its name.
type build struct {
	context, dockerfile string
}

// named takes the Dockerfile of a build, when it is in the repository. A
// context is relative to the folder of the compose file; bake takes it from
// where it is started, which is the folder of the file or the root.
func (s *search) named(by string, b build) {
	if b.dockerfile == "" || !plain(b.context) || !plain(b.dockerfile) {
		return
	}
	bases := []string{path.Dir(by)}
	if isBake(strings.ToLower(path.Base(by))) && bases[0] != "." {
		bases = append(bases, ".")
	}
	for _, base := range bases {
		p := path.Join(base, b.context, b.dockerfile)
		if p == ".." || strings.HasPrefix(p, "../") || !fs.ValidPath(p) {
			continue
		}
		if s.build(by, p) {
			return
		}
	}
}

// build marks p as built by a file; false when there is no such file.
func (s *search) build(by, p string) bool {
	target, err := s.follow(p)
	if err != nil {
		return false
	}
	if f := s.found[target]; f != nil && f.Code == Taken && len(f.NamedBy) == 0 {
		return true // its name says it already
	}
	f := s.take(target)
	if !slices.Contains(f.NamedBy, by) {
		f.NamedBy = append(f.NamedBy, by)
	}
	return true
}

// plain tells that a value is a path in the repository: no variable, no address
// and no absolute path.
func plain(p string) bool {
	return len(p) <= maxPath && !strings.ContainsAny(p, "$\\\x00\n") && !strings.Contains(p, "://") &&
		!strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "git@")
}

func readWhole(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	content, err := io.ReadAll(io.LimitReader(f, maxBuildFileSize+1))
	if err == nil && len(content) > maxBuildFileSize {
		err = fmt.Errorf("larger than %d bytes", maxBuildFileSize)
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}

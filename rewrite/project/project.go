package project

import (
	"io/fs"
	"path"
	"strings"
)

// Evidence is a place in the repository.
type Evidence struct {
	Path string // from the root of the repository
	Line int    // 1-based, 0 for the whole file
}

// Project is the surroundings of one Dockerfile.
type Project struct {
	repo       *reader
	dockerfile string
	context    string
	why        string
	known      bool
	builds     []Build
	looked     bool
}

// Open looks at the surroundings of a Dockerfile. fsys may be nil, or a *Repo
// to share what was read with other Dockerfiles. copySources are the literal
// sources of COPY and ADD instructions that come from the build context.
func Open(fsys fs.FS, dockerfilePath string, copySources []string) *Project {
	p := &Project{repo: &reader{Repo: NewRepo(fsys), seen: map[string]bool{}}, dockerfile: path.Clean(strings.TrimPrefix(dockerfilePath, "/"))}
	p.guessContext(copySources)
	return p
}

// Known tells whether there is a repository to look at.
func (p *Project) Known() bool { return p.repo.fsys != nil }

// Context is the directory of the repository that is sent to the builder: dir
// from the root, "." for the root. known is false when it is only a guess.
func (p *Project) Context() (dir, why string, known bool) { return p.context, p.why, p.known }

// guessContext finds the directory that has the sources of the COPYs.
func (p *Project) guessContext(sources []string) {
	own := path.Dir(p.dockerfile)
	if !fs.ValidPath(own) {
		own = "."
	}
	p.context, p.why = own, "the directory of the Dockerfile"
	if !p.Known() {
		return
	}
	if own == "." {
		p.known, p.why = true, "the Dockerfile is at the root of the repository"
		return
	}
	var literal []string
	for _, s := range sources {
		s = path.Clean(strings.TrimPrefix(s, "/"))
		if s == "." || s == "" || strings.ContainsAny(s, "$") || strings.Contains(s, "://") || strings.HasPrefix(s, "..") || strings.HasPrefix(s, "git@") {
			continue
		}
		literal = append(literal, s)
	}
	var fit []string
	for dir := own; ; dir = path.Dir(dir) {
		if p.hasAll(dir, literal) {
			fit = append(fit, dir)
		}
		if dir == "." {
			break
		}
	}
	if len(literal) > 0 && len(fit) == 1 {
		p.context, p.known = fit[0], true
		p.why = "the sources of COPY exist only in " + dirName(fit[0])
		return
	}
	// Several directories fit, or none: what builds the image decides.
	said := ""
	for _, b := range p.Builds() {
		if b.Context == "" || said == b.Context {
			continue
		}
		if said != "" {
			said = ""
			break
		}
		said = b.Context
		p.why = b.Evidence.Path + " builds it from " + dirName(said)
	}
	if said != "" && (len(literal) == 0 || p.hasAll(said, literal)) {
		p.context, p.known = said, true
		return
	}
	// Sources may be missing that are made before the image is built: a jar, a
	// dist directory. The others tell.
	if said != "" && len(fit) == 0 && p.count(said, literal) > 0 && p.count(said, literal) >= p.count(own, literal) {
		p.context, p.known = said, true
		return
	}
	p.context, p.why = own, "the directory of the Dockerfile"
	switch {
	case len(literal) == 0:
	case len(fit) > 0:
		p.context = fit[0]
		p.known = fit[0] == own
		if fit[0] != own {
			p.why = "the nearest directory that has the sources of COPY"
		}
	default:
		most := p.count(own, literal)
		for dir := own; dir != "."; {
			dir = path.Dir(dir)
			if n := p.count(dir, literal); n > most {
				most, p.context, p.why = n, dir, "the directory that has most of the sources of COPY"
			}
		}
	}
}

func dirName(dir string) string {
	if dir == "." {
		return "the root of the repository"
	}
	return dir
}

// hasAll tells whether a directory has all sources; patterns need one match.
func (p *Project) hasAll(dir string, sources []string) bool {
	for _, s := range sources {
		if len(p.glob(dir, s)) == 0 {
			return false
		}
	}
	return true
}

// count is how many of the sources a directory has.
func (p *Project) count(dir string, sources []string) int {
	n := 0
	for _, s := range sources {
		if len(p.glob(dir, s)) > 0 {
			n++
		}
	}
	return n
}

// glob finds a COPY source below dir, element by element; at most 1000 paths.
func (p *Project) glob(dir, source string) []string {
	if !strings.ContainsAny(source, "*?[") {
		if name := path.Join(dir, source); p.repo.exists(name) {
			return []string{name}
		}
		return nil
	}
	found := []string{dir}
	for element := range strings.SplitSeq(source, "/") {
		var next []string
		for _, d := range found {
			if !strings.ContainsAny(element, "*?[") {
				if name := path.Join(d, element); p.repo.exists(name) {
					next = append(next, name)
				}
				continue
			}
			for _, n := range p.repo.names(d, func(string) bool { return true }) {
				n = strings.TrimSuffix(n, "/")
				if ok, err := path.Match(element, n); err == nil && ok && len(next) < 1000 {
					next = append(next, path.Join(d, n))
				}
			}
		}
		found = next
	}
	return found
}

// at is the path from the root of a path below the context.
func (p *Project) at(name string) string {
	return path.Join(p.context, path.Clean("/" + name)[1:])
}

// Path is the path from the root of the repository of a path below the
// context; it never leaves the context.
func (p *Project) Path(name string) string { return p.at(name) }

// Exists tells whether a path below the context is there; dir says that it is
// a directory.
func (p *Project) Exists(name string) (dir, ok bool) { return p.repo.kind(p.at(name)) }

// Glob finds what a COPY source means, as paths below the context, sorted.
func (p *Project) Glob(source string) []string {
	found := p.glob(p.context, path.Clean("/" + source)[1:])
	if p.context != "." {
		for i, f := range found {
			found[i] = strings.TrimPrefix(strings.TrimPrefix(f, p.context), "/")
		}
	}
	return found
}

// Read is the content of a file below the context, as stored.
func (p *Project) Read(name string) ([]byte, bool) { return p.repo.read(p.at(name)) }

// ReadRoot reads a file whose path is from the root of the repository.
func (p *Project) ReadRoot(name string) ([]byte, bool) { return p.repo.read(name) }

// lineOf is the 1-based line of the first occurrence of text; 0 when absent.
func lineOf(content, text string) int {
	i := strings.Index(content, text)
	if i < 0 {
		return 0
	}
	return 1 + strings.Count(content[:i], "\n")
}

func lineAt(content string, offset int) int {
	return 1 + strings.Count(content[:min(max(offset, 0), len(content))], "\n")
}

package project

import (
	"go/scanner"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// Go is a Go module of the build context.
type Go struct {
	p   *Project
	dir string
	// File is go.mod, from the root of the repository.
	File   string
	Module string
	// Version is the go directive, Toolchain the toolchain directive ("" when
	// missing), as written.
	Version, Toolchain string
	VersionAt          Evidence
	ToolchainAt        Evidence
	requires           map[string]Evidence
	sources            *goSources
}

// Go reads the go.mod of a directory below the context or of one above it
// within the context; nil when there is none that can be read.
func (p *Project) Go(dir string) *Go {
	for dir = path.Clean("/" + dir)[1:]; ; dir = path.Dir(dir) {
		file := path.Join(p.at(dir), "go.mod")
		if p.repo.exists(file) {
			c, ok := p.repo.text(file)
			if !ok {
				return nil
			}
			return p.goModule(dir, file, c)
		}
		if dir == "" || dir == "." {
			return nil
		}
	}
}

// Summed tells whether go.sum or a vendor directory stands beside go.mod, or
// nothing is required that would need them.
func (g *Go) Summed() bool {
	dir := path.Dir(g.File)
	return len(g.requires) == 0 || g.p.repo.exists(path.Join(dir, "go.sum")) || g.p.repo.exists(path.Join(dir, "vendor/modules.txt"))
}

func (p *Project) goModule(dir, file, content string) *Go {
	f, err := modfile.Parse(file, []byte(content), nil)
	if err != nil {
		f, err = modfile.ParseLax(file, []byte(content), nil)
	}
	if err != nil || f.Module == nil {
		return nil
	}
	g := &Go{p: p, dir: dir, File: file, Module: f.Module.Mod.Path, requires: map[string]Evidence{}}
	if f.Go != nil {
		g.Version, g.VersionAt = f.Go.Version, Evidence{file, f.Go.Syntax.Start.Line}
	}
	if f.Toolchain != nil {
		g.Toolchain, g.ToolchainAt = strings.TrimPrefix(f.Toolchain.Name, "go"), Evidence{file, f.Toolchain.Syntax.Start.Line}
	}
	for _, r := range f.Require {
		g.requires[r.Mod.Path] = Evidence{file, r.Syntax.Start.Line}
	}
	return g
}

// cgoModules cannot be built, or lose what they are for, without CGO.
var cgoModules = []string{
	"github.com/mattn/go-sqlite3", "github.com/confluentinc/confluent-kafka-go", "github.com/confluentinc/confluent-kafka-go/v2",
	"github.com/h2non/bimg", "github.com/davidbyttow/govips", "github.com/davidbyttow/govips/v2", "gopkg.in/gographics/imagick.v3", "gopkg.in/gographics/imagick.v2",
	"github.com/google/gopacket", "github.com/gopacket/gopacket", "github.com/libgit2/git2go", "github.com/tecbot/gorocksdb", "github.com/linxGnu/grocksdb",
	"github.com/godror/godror", "github.com/mattn/go-oci8", "github.com/alexbrainman/odbc", "github.com/ibmdb/go_ibm_db", "gocv.io/x/gocv", "github.com/go-gl/gl",
	"github.com/go-gl/glfw", "fyne.io/fyne/v2", "github.com/hajimehoshi/ebiten/v2", "github.com/chai2010/webp", "github.com/otiai10/gosseract/v2", "github.com/lestrrat-go/libxml2",
	"github.com/valyala/gozstd", "github.com/DataDog/zstd", "github.com/marcboeker/go-duckdb", "github.com/duckdb/duckdb-go", "github.com/duckdb/duckdb-go/v2", "github.com/pebbe/zmq4", "rogchap.com/v8go", "github.com/tree-sitter/go-tree-sitter",
	"github.com/smacker/go-tree-sitter", "github.com/wasmerio/wasmer-go", "github.com/bytecodealliance/wasmtime-go", "github.com/CosmWasm/wasmvm", "github.com/CosmWasm/wasmvm/v2", "github.com/veraison/go-cose-cgo",
	"github.com/coreos/go-systemd/v22/sdjournal", "github.com/ebitengine/oto/v3", "github.com/gordonklaus/portaudio", "github.com/ThalesIgnite/crypto11", "github.com/miekg/pkcs11", "github.com/pganalyze/pg_query_go/v5", "github.com/pganalyze/pg_query_go/v6",
}

// Cgo is a sign that the module needs CGO.
type Cgo struct {
	What string
	At   Evidence
}

// Cgo finds signs of CGO: modules that need it and files that import "C". None
// is no proof: with CGO enabled the net package alone links libc. complete
// tells whether all files of the module were looked at. mains are the
// directories of the programs that matter, below the context; none means all.
func (g *Go) Cgo(mains ...string) (signs []Cgo, complete bool) {
	for _, m := range cgoModules {
		if at, ok := g.requires[m]; ok {
			signs = append(signs, Cgo{m, at})
		}
	}
	s := g.read()
	in := g.reachable(mains)
	for _, c := range s.cgo {
		if in(path.Dir(c.At.Path)) {
			signs = append(signs, c)
		}
	}
	return signs, s.complete
}

// reachable tells which directories, from the root of the repository, belong
// to the programs: their own and what they import of the module.
func (g *Go) reachable(mains []string) func(dir string) bool {
	s := g.read()
	if len(mains) == 0 || !s.complete {
		return func(string) bool { return true }
	}
	seen := map[string]bool{}
	var queue []string
	for _, m := range mains {
		queue = append(queue, g.p.at(m))
	}
	for len(queue) > 0 {
		dir := queue[0]
		queue = queue[1:]
		if seen[dir] {
			continue
		}
		seen[dir] = true
		for imp := range s.imports[dir] {
			if rest, ok := strings.CutPrefix(imp, g.Module); ok && (rest == "" || rest[0] == '/') {
				queue = append(queue, path.Join(g.p.at(g.dir), rest))
			}
		}
	}
	return func(dir string) bool { return seen[dir] }
}

// Mains are the directories with a package main, relative to the context,
// sorted.
func (g *Go) Mains() (dirs []string, complete bool) {
	s := g.read()
	return s.mains, s.complete
}

// RuntimeFile is a file or directory of the context that a source file names
// in a string: the program may open it when it runs.
type RuntimeFile struct {
	// Name is the path below the context.
	Name string
	Dir  bool
	At   Evidence
}

// RuntimeFiles are existing files and directories of the context that string
// literals of the sources name, tests left out. Embedded files (//go:embed)
// are in the binary and not listed. complete tells whether all sources were
// read. mains are the directories of the programs that matter, below the
// context; none means all.
func (g *Go) RuntimeFiles(mains ...string) (files []RuntimeFile, complete bool) {
	s := g.read()
	in := g.reachable(mains)
	have := map[string]bool{}
	for _, f := range s.files {
		if in(path.Dir(f.At.Path)) && !have[f.Name] {
			have[f.Name] = true
			files = append(files, f)
		}
	}
	return files, s.complete
}

// Execs are the calls of exec.Command and exec.CommandContext, with the program
// as Name, "" when it is not written there. complete and mains are as in
// RuntimeFiles.
func (g *Go) Execs(mains ...string) (calls []Exec, complete bool) {
	s := g.read()
	in := g.reachable(mains)
	for _, e := range s.execs {
		if in(path.Dir(e.At.Path)) {
			calls = append(calls, e)
		}
	}
	return calls, s.complete
}

// Exec is a place where the sources start another program.
type Exec struct {
	Name string
	At   Evidence
}

// Embeds are the //go:embed directives.
func (g *Go) Embeds() []Evidence { return g.read().embeds }

type goSources struct {
	complete bool
	cgo      []Cgo
	mains    []string
	files    []RuntimeFile
	embeds   []Evidence
	execs    []Exec
	imports  map[string]map[string]bool // by directory from the root
}

// Limits of reading Go sources.
const (
	maxGoFiles   = 150
	maxGoEntries = 1500
)

func (g *Go) read() *goSources {
	if g.sources != nil {
		return g.sources
	}
	s := &goSources{complete: true, imports: map[string]map[string]bool{}}
	g.sources = s
	root := g.p.at(g.dir)
	entries, files := 0, 0
	seen := map[string]bool{}
	g.p.repo.walk(root, maxGoEntries+1, 12, goSkip, func(name string) bool {
		entries++
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return true
		}
		if files++; files > maxGoFiles {
			s.complete = false
			return false
		}
		c, ok := g.p.repo.text(name)
		if !ok {
			s.complete = false
			return true
		}
		g.source(s, name, c, seen)
		return true
	})
	if entries >= maxGoEntries {
		s.complete = false
	}
	slices.Sort(s.mains)
	slices.SortFunc(s.files, func(a, b RuntimeFile) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// goSkip are directories without sources of the module.
var goSkip = map[string]bool{".git": true, "vendor": true, "node_modules": true, "testdata": true, ".idea": true, ".github": true}

// source scans one file. The scanner is used instead of the parser because
// only tokens matter and broken files must not.
func (g *Go) source(s *goSources, name, content string, seen map[string]bool) {
	var sc scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile(name, fset.Base(), len(content))
	sc.Init(file, []byte(content), func(token.Position, string) {}, scanner.ScanComments)
	var last token.Token
	pkg := ""
	imports, generated := true, false
	var ex execScanner
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			return
		}
		line := file.Line(pos)
		if call, ok := ex.token(tok, lit); ok && len(s.execs) < 100 {
			s.execs = append(s.execs, Exec{call, Evidence{name, line}})
		}
		switch {
		case tok == token.COMMENT:
			if strings.HasPrefix(lit, "//go:build ignore") || strings.HasPrefix(lit, "// +build ignore") {
				return
			}
			generated = generated || strings.HasPrefix(lit, "// Code generated ")
			if strings.HasPrefix(lit, "//go:embed ") {
				s.embeds = append(s.embeds, Evidence{name, line})
			}
			continue
		case tok == token.IDENT && last == token.PACKAGE && pkg == "":
			pkg = lit
			if dir := g.below(path.Dir(name)); pkg == "main" && !slices.Contains(s.mains, dir) {
				s.mains = append(s.mains, dir)
			}
		case tok == token.FUNC || tok == token.VAR || tok == token.CONST || tok == token.TYPE:
			imports = false
		case tok == token.STRING:
			text, err := strconv.Unquote(lit)
			if err != nil {
				break
			}
			if imports {
				dir := path.Dir(name)
				if s.imports[dir] == nil {
					s.imports[dir] = map[string]bool{}
				}
				s.imports[dir][text] = true
				if text == "C" {
					s.cgo = append(s.cgo, Cgo{`import "C"`, Evidence{name, line}})
				}
				break
			}
			if !generated {
				g.literal(s, text, Evidence{name, line}, seen)
			}
		}
		last = tok
	}
}

// below is a path from the root, made relative to the context.
// Requires tells where go.mod asks for a module.
func (g *Go) Requires(module string) (Evidence, bool) {
	at, ok := g.requires[module]
	return at, ok
}

func (g *Go) below(name string) string {
	if g.p.context == "." {
		return name
	}
	if name == g.p.context {
		return "."
	}
	return strings.TrimPrefix(name, g.p.context+"/")
}

// literal notes a string that names an existing file or directory of the
// context, as a path or as a pattern such as templates/*.html.
func (g *Go) literal(s *goSources, text string, at Evidence, seen map[string]bool) {
	if len(text) < 2 || len(text) > 120 || strings.ContainsAny(text, " \t\n\\\"'<>|;=,%(){}@#&+$~`^") || strings.Contains(text, "://") {
		return
	}
	if i := strings.IndexAny(text, "*?["); i >= 0 {
		text = path.Dir(text[:i] + "x")
	}
	name := strings.TrimPrefix(strings.TrimSuffix(text, "/"), "./")
	if name == "" || name == "." || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "..") || notRead(path.Base(name)) {
		return
	}
	name = path.Clean(name)
	key := at.Path + "\x00" + name
	if seen[key] {
		return
	}
	// A lone word is a file only when it looks like one or is a directory.
	dir, ok := g.p.repo.kind(path.Join(g.p.at(g.dir), name))
	base := g.dir
	if !ok && g.dir != "" && g.dir != "." {
		dir, ok = g.p.repo.kind(g.p.at(name))
		base = ""
	}
	if !ok || strings.HasSuffix(name, ".go") || dir && !hasData(g.p.repo.Repo, path.Join(g.p.at(base), name), strings.Contains(name, "/"), new(int)) {
		return
	}
	if !dir && !strings.ContainsAny(name, "./") {
		return
	}
	seen[key] = true
	if len(s.files) < 500 {
		s.files = append(s.files, RuntimeFile{Name: path.Join(base, name), Dir: dir, At: at})
	}
}

// notRead are files that programs do not open: they are for people and tools.
func notRead(base string) bool {
	switch path.Ext(base) {
	case ".go", ".proto", ".mod", ".sum", ".work", ".mk":
		return true
	}
	for _, p := range []string{"README", "LICENSE", "CHANGELOG", "Dockerfile", "Makefile", ".git", ".golangci", ".goreleaser"} {
		if strings.HasPrefix(base, p) {
			return true
		}
	}
	return false
}

// hasData tells whether a directory holds files that a program could read. A
// lone word that is also the name of a package is no path unless there is data
// beside the sources.
//
// listed counts the directories that were listed; past a limit the answer is
// yes.
func hasData(r *Repo, dir string, deep bool, listed *int) bool {
	if *listed++; *listed > 100 {
		return true
	}
	entries, err := r.ReadDir(dir)
	if err != nil {
		return false
	}
	sources, data := false, false
	for _, e := range entries {
		n := e.Name()
		switch {
		case e.IsDir():
		case strings.HasSuffix(n, ".go"):
			sources = true
		default:
			data = data || !notRead(n) && !strings.HasSuffix(n, ".md") && n != "OWNERS"
		}
	}
	if data || sources && !deep {
		return data
	}
	for _, e := range entries {
		if n := e.Name(); e.IsDir() && !goSkip[n] && strings.Count(dir, "/") < 8 && hasData(r, path.Join(dir, n), deep, listed) {
			return true
		}
	}
	return false
}

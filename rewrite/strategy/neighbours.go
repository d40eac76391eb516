package strategy

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/project"
	"dhibot/rewrite/shell"
)

// The questions that are put to the repository around the Dockerfile. Without
// one every answer is "not known".

type scriptInfo struct {
	interpreter string // "" when it is no script or not known
	env         bool   // through /usr/bin/env
	guess       string
	path        string        // in the repository
	shell       *shell.Script // the text, when a shell runs it and it could be read
}

func (in *Input) known() bool { return in.Project != nil && in.Project.Known() }

// contextPath is the file of the build context that becomes abs in the image
// of a stage, by its COPY instructions and those of the stages it copies from.
func (in *Input) contextPath(s *assess.Stage, abs string) (string, bool) {
	return in.contextPathDepth(s, path.Clean(abs), false, 0)
}

// contextEntry is contextPath for directories as well.
func (in *Input) contextEntry(s *assess.Stage, abs string) (string, bool) {
	return in.contextPathDepth(s, path.Clean(abs), true, 0)
}

func (in *Input) contextPathDepth(s *assess.Stage, abs string, dirs bool, depth int) (string, bool) {
	if !in.known() || depth > 8 {
		return "", false
	}
	steps := s.ChainSteps()
	for i := len(steps) - 1; i >= 0; i-- {
		c := steps[i].Copy
		if c == nil || c.Inline {
			continue
		}
		for _, src := range c.Sources {
			cand, ok := sourceOf(c, src, abs)
			if !ok {
				continue
			}
			if c.FromStage != nil {
				if cand, ok = oneOfPattern(cand, abs); !ok {
					continue
				}
				if p, ok := in.contextPathDepth(c.FromStage, cand, dirs, depth+1); ok {
					return p, true
				}
				continue
			}
			if c.From != "" {
				continue
			}
			cand = strings.TrimPrefix(path.Clean("/"+cand), "/")
			if strings.ContainsAny(src, "*?[") {
				for _, g := range in.Project.Glob(src) {
					if path.Base(g) == path.Base(abs) && path.Join(c.Dest, path.Base(g)) == abs {
						return g, true
					}
				}
				continue
			}
			if dir, ok := in.Project.Exists(cand); ok && (dirs || !dir) {
				return cand, true
			}
		}
	}
	return "", false
}

// oneOfPattern is the file of a stage that a pattern (/app/package*.json) takes
// for a file of the same name; a source that is no pattern is itself.
func oneOfPattern(src, abs string) (string, bool) {
	if !strings.ContainsAny(src, "*?[") {
		return src, true
	}
	dir, pattern := path.Split(src)
	if ok, err := path.Match(pattern, path.Base(abs)); !ok || err != nil || strings.ContainsAny(dir, "*?[") {
		return "", false
	}
	return path.Join("/", dir, path.Base(abs)), true
}

// sourceOf is the path that a COPY would take for abs from src.
func sourceOf(c *assess.Copy, src, abs string) (string, bool) {
	dest := path.Clean(c.Dest)
	if strings.ContainsAny(src, "*?[") {
		return src, path.Dir(abs) == dest
	}
	if abs == dest {
		return src, true
	}
	if abs == path.Join(dest, path.Base(src)) && src != "." && src != "./" {
		// A file into a directory; a directory's own name is dropped by COPY.
		return src, true
	}
	if under(abs, dest) {
		return path.Join(src, strings.TrimPrefix(strings.TrimPrefix(abs, dest), "/")), true
	}
	return "", false
}

// goModule is the module of the sources that a stage builds.
func (in *Input) goModule() *project.Go {
	if !in.known() {
		return nil
	}
	return in.Project.Go(".")
}

func (in *Input) goVersion() (string, bool) {
	g := in.goModule()
	if g == nil || g.Version == "" {
		return "", false
	}
	return g.Version, true
}

func place(e project.Evidence) string {
	if e.Line == 0 {
		return e.Path
	}
	return fmt.Sprintf("%s:%d", e.Path, e.Line)
}

// scriptOf looks at the file that becomes abs in the image.
func (in *Input) scriptOf(s *assess.Stage, abs string) scriptInfo {
	for _, st := range s.ChainSteps() {
		if st.Copy == nil || !st.Copy.Inline || strings.TrimSuffix(st.Copy.Dest, "/") != abs {
			continue
		}
		for _, h := range st.Heredocs {
			return infoOf(project.ReadScript("", h.Content), "")
		}
	}
	p, ok := in.contextPath(s, abs)
	if !ok {
		return scriptInfo{}
	}
	full := in.Project.Path(p)
	sc := in.Project.Script(full)
	if sc == nil {
		return scriptInfo{}
	}
	return infoOf(sc, full)
}

func infoOf(sc *project.Script, file string) scriptInfo {
	if sc.Binary {
		return scriptInfo{}
	}
	i := scriptInfo{interpreter: sc.Interpreter, env: sc.Env, path: file, shell: sc.Shell}
	if i.interpreter == "" && sc.Guess != "" {
		i.guess = "by its content a script for " + sc.Guess
	}
	return i
}

// sourceFilesRead finds files and directories of the build context that the
// sources name; known tells whether the sources were at hand.
func (in *Input) sourceFilesRead(f *assess.Stage) (files []readFile, known bool) {
	g := in.goModule()
	if g == nil {
		return nil, false
	}
	list, complete := g.RuntimeFiles()
	seen := map[string]bool{}
	for _, r := range list {
		if seen[r.Name] || r.Name == "." || strings.HasSuffix(r.Name, ".go") {
			continue
		}
		seen[r.Name] = true
		files = append(files, readFile{path: r.Name, source: r.At.Path, line: r.At.Line})
	}
	sort.Slice(files, func(i, j int) bool { return files[i].path < files[j].path })
	return files, complete
}

// ContextFile is the file of the repository that becomes abs in the final
// image: its path from the root of the repository, and its content.
func (in *Input) ContextFile(s *assess.Stage, abs string) (name string, content []byte, ok bool) {
	p, ok := in.contextPath(s, abs)
	if !ok {
		return "", nil, false
	}
	b, ok := in.Project.Read(p)
	return in.Project.Path(p), b, ok
}

// CopiedFiles are the files that a COPY surely places in the image.
func CopiedFiles(c *assess.Copy) []string { return copiedFiles(c) }

package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// recipe says what of a built stage the running program needs, for languages
// whose sources are not needed any more.
type recipe struct {
	name string
	// artifacts are the paths to copy.
	artifacts []artifact
	// runtime is the image to run on; "" is the runtime variant of the build
	// image.
	runtime, version, flavor string
	notes                    []Note
	// blocks are reasons against any runtime image.
	blocks []Block
}

type artifact struct {
	path  string
	chown bool
	why   string
	// maybe tells that it is made under a condition, on line.
	maybe bool
	line  int
}

// compiled finds the recipe for a final stage that builds its own program;
// nil when sources and dependencies are needed at run time (Node, Python,
// Ruby, PHP) or when it is not understood.
func (in *Input) compiled(f *assess.Stage, ch *catalog.Choice) *recipe {
	switch ch.Image {
	case "golang":
		return in.goRecipe(f)
	case "rust":
		return in.rustRecipe(f)
	case "maven", "gradle", "eclipse-temurin", "amazoncorretto":
		return in.javaRecipe(f, ch)
	case "dotnet":
		return in.dotnetRecipe(f, ch)
	}
	return nil
}

// startWords are the words of the start command as written, in list or shell
// form, nil when it needs a shell.
func startWords(f *assess.Stage) []string {
	var out []string
	for _, c := range []assess.Command{f.End.Entrypoint, f.End.Cmd} {
		if c.Step == nil || len(c.Argv) == 0 {
			continue
		}
		if !c.Shell && !shellDashC(c.Argv) {
			out = append(out, c.Argv...)
			continue
		}
		run, _ := startScript(c)
		if run.Script == nil {
			return nil
		}
		argv, _, ok := run.Script.Simple()
		if !ok {
			if argv, ok = javaOpts(run.Script); !ok {
				return nil
			}
		}
		out = append(out, argv...)
	}
	return out
}

func (in *Input) dotnetRecipe(f *assess.Stage, ch *catalog.Choice) *recipe {
	words := startWords(f)
	if len(words) < 2 || path.Base(words[0]) != "dotnet" || !strings.HasSuffix(words[1], ".dll") || !buildsWith(f, "dotnet", "publish") {
		return nil
	}
	dir := path.Dir(inStage(f, words[1]))
	if systemDir(dir) {
		return nil
	}
	r := &recipe{name: ".NET", runtime: "aspnetcore", version: ch.Dev.Version}
	r.artifacts = append(r.artifacts, artifact{path: dir, why: "the published program; the SDK stays behind"})
	return r
}

// buildsWith tells whether a RUN of the chain calls prog with one of the verbs.
func buildsWith(f *assess.Stage, prog string, verbs ...string) bool {
	for _, st := range f.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			if c.Name != prog {
				continue
			}
			for _, a := range c.Args {
				for _, v := range verbs {
					if a.Text == v {
						return true
					}
				}
				if !strings.HasPrefix(a.Text, "-") {
					break
				}
			}
		}
	}
	return false
}

func uses(f *assess.Stage, progs ...string) bool {
	for _, st := range f.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, p := range progs {
			if st.Run.Script.Uses(p) {
				return true
			}
		}
	}
	return false
}

// cgoOff tells whether every Go build of the chain provably works without
// cgo: the variable stands in front of the command, in the script or in ENV, or
// the image has no C compiler.
func (in *Input) cgoOff(f *assess.Stage) bool {
	if in.withoutCompiler(f) && !setsCgo(f) {
		return true
	}
	builds := 0
	for _, st := range f.ChainSteps() {
		if st.Run == nil {
			continue
		}
		if st.Run.Script == nil {
			return false
		}
		off := st.Before.Env["CGO_ENABLED"] == "0" || in.Stages.EnvAt(st)["CGO_ENABLED"] == "0"
		for _, c := range st.Run.Script.Commands {
			if c.Name == "export" || c.Name == "" {
				if c.Env["CGO_ENABLED"].Text == "0" {
					off = true
				}
				for _, a := range c.Args {
					if a.Text == "CGO_ENABLED=0" {
						off = true
					}
				}
			}
			switch c.Name {
			case "go":
				if len(c.Args) == 0 || c.Args[0].Text != "build" && c.Args[0].Text != "install" {
					continue
				}
				builds++
				v, ok := c.Env["CGO_ENABLED"]
				if ok && v.Text != "0" || !ok && !off {
					return false
				}
			case "make", "mage", "just", "task", "goreleaser", "bazel", "xx-go":
				v, ok := c.Env["CGO_ENABLED"]
				if ok && v.Text == "0" {
					builds++
					continue
				}
				return false
			}
		}
	}
	return builds > 0
}

// runtimeFiles adds files of the sources that the program reads while it runs.
func (in *Input) runtimeFiles(f *assess.Stage, r *recipe) {
	line := f.From.Lines[0]
	if len(r.artifacts) == 0 {
		return
	}
	files, known := in.sourceFilesRead(f)
	for _, e := range files {
		p := path.Join(f.End.WorkDir, e.path)
		r.artifacts = append(r.artifacts, artifact{path: p, chown: database(p), why: fmt.Sprintf("%s names it (line %d)", e.source, e.line)})
	}
	data := copiedData(f)
	r.addArtifacts(data)
	in.dotenv(f, r)
	only := r.artifacts[0].path + " is"
	if n := len(r.artifacts); n == 2 || n == 3 {
		var names []string
		for _, a := range r.artifacts {
			names = append(names, a.path)
		}
		only = strings.Join(names[:n-1], ", ") + " and " + names[n-1] + " are"
	} else if n > 3 {
		only = fmt.Sprintf("%s and %d other paths are", r.artifacts[0].path, n-1)
	}
	text := fmt.Sprintf("Only %s copied into the final image. Does the program read other files of the sources while it runs (templates, migrations, static files)?", only)
	if len(data) > 0 && len(files) == 0 {
		text = fmt.Sprintf("Only %s and what the Dockerfile copies by name are in the final image. Does the program read other files of the sources while it runs?", r.artifacts[0].path)
	}
	if known && len(files) == 0 && len(data) == 0 {
		text = fmt.Sprintf("Only %s copied into the final image; no source file names another file of the repository. Start it once to be sure.", only)
	} else if known && len(files) > 0 {
		text = fmt.Sprintf("%s and the files that the sources name are copied into the final image. Does the program read others?", r.artifacts[0].path)
	}
	r.notes = append(r.notes, Note{Rule: "multi-stage", Text: text, Line: line})
}

// database tells whether a file is one that the program surely writes.
func database(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".db", ".db3", ".sqlite", ".sqlite3":
		return true
	}
	return false
}

type readFile struct {
	path, source string
	line         int
}

package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/project"
)

// javaCommand is a command line of java, taken apart.
type javaCommand struct {
	// jar is the archive after -jar, "" for a main class or a module.
	jar string
	// paths are the entries of the class path and the module path.
	paths []string
	// files are other files that the virtual machine does not start without:
	// agents and files of arguments.
	files []string
	// rest are the options and arguments that may name files besides.
	rest []string
}

// readJava takes the words after java apart, as the launcher does
// (https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html).
func readJava(words []string) javaCommand {
	var c javaCommand
	value := func(i int) string {
		if i+1 < len(words) {
			return words[i+1]
		}
		return ""
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "-jar":
			c.jar = value(i)
			c.rest = append(c.rest, words[min(i+2, len(words)):]...)
			return c
		case w == "-cp" || w == "-classpath" || w == "--class-path" || w == "-p" || w == "--module-path":
			c.paths = append(c.paths, strings.Split(value(i), ":")...)
			i++
		case strings.HasPrefix(w, "--class-path=") || strings.HasPrefix(w, "--module-path="):
			_, v, _ := strings.Cut(w, "=")
			c.paths = append(c.paths, strings.Split(v, ":")...)
		case w == "-m" || w == "--module":
			c.rest = append(c.rest, words[min(i+2, len(words)):]...)
			return c
		case w == "--add-modules" || w == "--add-opens" || w == "--add-exports" || w == "--add-reads" || w == "--limit-modules":
			i++
		case strings.HasPrefix(w, "-javaagent:") || strings.HasPrefix(w, "-agentpath:"):
			_, v, _ := strings.Cut(w, ":")
			v, _, _ = strings.Cut(v, "=")
			c.files = append(c.files, v)
		case strings.HasPrefix(w, "@"):
			c.files = append(c.files, w[1:])
		case strings.HasPrefix(w, "-"):
			c.rest = append(c.rest, w)
		default: // the main class
			c.rest = append(c.rest, words[i+1:]...)
			return c
		}
	}
	return c
}

func (in *Input) javaRecipe(f *assess.Stage, ch *catalog.Choice) *recipe {
	words := startWords(f)
	if len(words) < 3 || path.Base(words[0]) != "java" || !uses(f, "mvn", "mvnw", "gradle", "gradlew", "javac", "ant", "sbt") {
		return nil
	}
	c := readJava(words[1:])
	r := &recipe{name: "Java"}
	switch {
	case strings.ContainsAny(c.jar, "*$"):
		return nil
	case c.jar != "":
		r.artifacts = append(r.artifacts, in.javaArchive(f, inStage(f, c.jar)))
	case len(c.paths) == 0 || !in.javaPaths(f, c.paths, r):
		return nil
	}
	for _, p := range c.files {
		p = inStage(f, p)
		if strings.ContainsAny(p, "*$") || systemDir(p) {
			return nil
		}
		if !copiedByName(f, p) {
			r.addArtifacts([]artifact{{path: p, why: "the virtual machine does not start without it"}})
		}
	}
	named, ok := in.namedFiles(f, c.rest)
	if !ok {
		return nil
	}
	r.addArtifacts(named)
	if ch.Image == "maven" || ch.Image == "gradle" {
		r.runtime = "eclipse-temurin"
		r.version = javaVersion(ch)
		if r.version == "" {
			return nil
		}
	}
	in.runtimeFiles(f, r)
	return r
}

// inStage is a path of the start command as an absolute one.
func inStage(f *assess.Stage, p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join(f.End.WorkDir, p)
}

// javaArchive is what there must be to start an archive: the archive alone when
// it surely holds all that it needs, else the directory that the build fills,
// where the archives lie that a manifest may name.
func (in *Input) javaArchive(f *assess.Stage, jar string) artifact {
	dir, name := path.Split(jar)
	dir = path.Clean(dir)
	switch base := path.Base(dir); {
	case name == "quarkus-run.jar" && !systemDir(dir) && dir != path.Clean(f.End.WorkDir):
		return artifact{path: dir, why: "quarkus-run.jar starts what lies beside it"}
	case base != "target" && base != "libs" || in.bundled(f, jar):
		return artifact{path: jar, why: "the program is one archive; sources and build tool stay behind"}
	}
	return artifact{path: dir, why: "nothing says that " + name + " holds all that it needs, so what the build puts beside it comes along; sources and build tool stay behind"}
}

// bundled tells whether an archive surely holds the libraries of the program:
// by its name, or by a plugin of the build.
func (in *Input) bundled(f *assess.Stage, jar string) bool {
	name := path.Base(jar)
	for _, suffix := range []string{"-all.jar", "-jar-with-dependencies.jar", "-fat.jar", "-uber.jar", "-shaded.jar", "-standalone.jar", "-runner.jar"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	if !in.known() || strings.HasSuffix(name, "-plain.jar") {
		return false
	}
	return slices.ContainsFunc(in.javaProjects(f, jar), func(j *project.Java) bool { return j.SpringBoot || j.Bundles })
}

// javaProjects are the project that an archive is built of and the one above all
// modules.
func (in *Input) javaProjects(f *assess.Stage, jar string) (out []*project.Java) {
	dir := path.Dir(path.Dir(jar)) // beside target
	if path.Base(path.Dir(jar)) == "libs" {
		dir = path.Dir(dir) // beside build/libs
	}
	dirs := []string{"."}
	for _, name := range []string{"pom.xml", "build.gradle", "build.gradle.kts"} {
		if file, ok := in.contextPath(f, path.Join(dir, name)); ok {
			dirs = append(dirs, path.Dir(file))
		}
	}
	for _, d := range dirs {
		if j := in.Project.Java(d); j != nil {
			out = append(out, j)
		}
	}
	return out
}

// javaPaths adds what the entries of a class path or module path name: the
// directory that the build fills, or what the file copies there; false when one
// is neither. An entry need not exist, so it is never copied by itself.
func (in *Input) javaPaths(f *assess.Stage, entries []string, r *recipe) bool {
	for _, e := range entries {
		e = strings.TrimSuffix(e, "/*")
		if e == "" || strings.ContainsAny(e, "*$") {
			return false
		}
		p := inStage(f, e)
		if out := outputDir(p); out != "" && !systemDir(out) {
			r.addArtifacts([]artifact{{path: out, why: "the build puts the classes of the program there; sources and build tool stay behind"}})
			continue
		}
		if _, ok := in.contextEntry(f, p); !ok || p == path.Clean(f.End.WorkDir) || under(f.End.WorkDir, p) {
			return false
		}
		r.addArtifacts([]artifact{{path: p, why: fmt.Sprintf("the class path names %s", e)}})
	}
	return true
}

// outputDir is the directory that Maven or Gradle fills which p lies in, "" when
// it lies in none.
func outputDir(p string) string {
	for ; p != "/" && p != "."; p = path.Dir(p) {
		if b := path.Base(p); b == "target" || b == "build" && path.Dir(p) != "/" {
			return p
		}
	}
	return ""
}

// copiedByName tells whether a COPY or ADD names a path of the image as its
// destination: the new stage repeats it.
func copiedByName(f *assess.Stage, p string) bool {
	return slices.ContainsFunc(f.ChainSteps(), func(st *assess.Step) bool {
		return st.Copy != nil && (path.Clean(st.Copy.Dest) == p || slices.ContainsFunc(st.Copy.Sources, func(s string) bool {
			return path.Join(st.Copy.Dest, path.Base(s)) == p && !strings.ContainsAny(s, "*?[$")
		}))
	})
}

// javaVersion is the Java that a Maven or Gradle tag carries: jdk21 gives 21.
func javaVersion(ch *catalog.Choice) string {
	if ch.Dev == nil {
		return ""
	}
	for part := range strings.SplitSeq(ch.Dev.Tag, "-") {
		if v, ok := strings.CutPrefix(part, "jdk"); ok && numeric(v) {
			return v
		}
	}
	return ""
}

package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
)

// copiedData are files and directories that a COPY names one by one before the
// program is built, and that no compiler reads: settings, templates, keys. Who
// copies .env beside `COPY . .` wants it in the image.
func copiedData(f *assess.Stage) []artifact {
	steps := f.ChainSteps()
	built := -1
	for i, st := range steps {
		if st.Run != nil && st.Run.Script != nil && slices.ContainsFunc([]string{"go", "cargo", "make", "mvn", "mvnw", "gradle", "gradlew", "javac"}, st.Run.Script.Uses) {
			built = i
		}
	}
	var out []artifact
	for i := 0; i < built; i++ {
		c := steps[i].Copy
		if c == nil || c.From != "" || c.Add || c.Inline {
			continue
		}
		for _, src := range c.Sources {
			p, ok := dataOf(c, src, f.End.WorkDir)
			if !ok || touched(steps[i+1:], path.Base(src)) {
				continue
			}
			out = append(out, artifact{path: p, why: fmt.Sprintf("line %d copies %s on its own, and no compiler reads it", steps[i].Lines[0], src)})
		}
	}
	return out
}

// dataOf is where a source of a COPY stands in the image, when it is data and a
// path of its own.
func dataOf(c *assess.Copy, src, workDir string) (string, bool) {
	if strings.ContainsAny(src, "*?[$") || strings.ContainsAny(c.Dest, "$") {
		return "", false
	}
	base := path.Base(path.Clean("/" + src))
	switch {
	case dataFile(base):
		p := c.Dest
		if strings.HasSuffix(p, "/") || path.Clean(p) == path.Clean(workDir) {
			p = path.Join(p, base)
		}
		return path.Clean(p), !systemDir(path.Clean(p))
	case dataDirectory(base) && len(c.Sources) == 1:
		p := path.Clean(c.Dest)
		if p == "/" || p == path.Clean(workDir) || under(workDir, p) || systemDir(p) {
			return "", false // its content lies among other files
		}
		return p, true
	}
	return "", false
}

// dataFile tells whether a file is one that programs read and compilers do not.
func dataFile(base string) bool {
	if base == ".env" || strings.HasPrefix(base, ".env.") {
		return true
	}
	for _, tool := range []string{"package", "tsconfig", "pom", "build", "settings", "Cargo", "rust-toolchain", "rustfmt", "clippy", "checkstyle", "composer", "sqlc", "buf", "requirements", "docker-compose", "compose", "skaffold", ".golangci", ".goreleaser", "gradle", "maven-wrapper"} {
		if strings.HasPrefix(base, tool) {
			return false
		}
	}
	switch path.Ext(base) {
	case ".env", ".json", ".yaml", ".yml", ".ini", ".conf", ".cfg", ".toml", ".properties", ".html", ".tmpl", ".gohtml", ".pem", ".crt", ".key", ".csv", ".sql", ".db", ".sqlite":
		return true
	}
	return false
}

// dataDirectory tells whether a directory holds, by its name, what programs
// read while they run.
func dataDirectory(base string) bool {
	switch base {
	case "templates", "template", "static", "public", "assets", "config", "configs", "conf", "migrations", "migration", "locales", "locale", "i18n", "views", "certs", "certificates", "swagger":
		return true
	}
	return false
}

// touched tells whether a later RUN names a file: it may move or remove it.
func touched(steps []*assess.Step, base string) bool {
	for _, st := range steps {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, c := range st.Run.Script.Commands {
			if c.Name != "rm" && c.Name != "mv" {
				continue
			}
			for _, a := range c.Args {
				if strings.Contains(a.Text, base) || strings.ContainsAny(a.Text, "*?") {
					return true
				}
			}
		}
	}
	return false
}

// dotenv looks for the file that godotenv reads without naming it.
func (in *Input) dotenv(f *assess.Stage, r *recipe) {
	g := in.goModule()
	if g == nil {
		return
	}
	at, ok := g.Requires("github.com/joho/godotenv")
	env := path.Join(f.End.WorkDir, ".env")
	if !ok || slices.ContainsFunc(r.artifacts, func(a artifact) bool { return a.path == env }) {
		return
	}
	r.notes = append(r.notes, Note{Rule: "multi-stage", Path: at.Path, Line: at.Line,
		Text: "godotenv reads .env in the working directory while the program runs. The file is not copied into the final image: set the variables where the container is started, or copy it."})
}

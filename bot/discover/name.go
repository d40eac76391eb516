package discover

import (
	"slices"
	"strings"
)

// Code is the reason for passing a file over, for programs.
type Code string

// The codes. Taken is the only one without a sentence in Found.Skip.
const (
	Taken     Code = ""
	Template  Code = "template"
	Backup    Code = "backup"
	Document  Code = "document"
	Source    Code = "source"
	Ignore    Code = "dockerignore"
	Vendored  Code = "vendored"
	Fixture   Code = "fixture"
	Link      Code = "link"
	BadLink   Code = "bad-link"
	LFS       Code = "lfs"
	NotFile   Code = "not-a-file"
	Settings  Code = "settings"
	TooMany   Code = "too-many"
	TooDeep   Code = "too-deep"
	Unread    Code = "unreadable"
	Submodule Code = "submodule"
)

// Classify judges a file by its base name alone. candidate tells whether the
// name has the form of a Dockerfile's: `Dockerfile` or `Containerfile` in any
// case, alone or followed by `.`, `-` or `_` and more, or as the extension. Of a
// candidate, code and why say what it is instead, "" when nothing speaks
// against it.
func Classify(base string) (candidate bool, code Code, why string) {
	name := strings.ToLower(base)
	// Emacs' and vi's names for what they are editing are around the name.
	inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "."), "#"), "#")
	inner = strings.TrimSuffix(inner, "~")
	if inner != name && !strings.HasSuffix(name, ".dockerfile") && !strings.HasSuffix(name, ".containerfile") {
		if ok, _, _, _ := form(inner); !ok {
			return false, Taken, ""
		}
		if edited(name) {
			return true, Backup, "an editor's copy"
		}
		return false, Taken, "" // a hidden file such as .dockerfile-lint.yml
	}
	ok, sep, rest, last := form(name)
	if !ok {
		return false, Taken, ""
	}
	code, why = judge(base, sep, rest, last)
	return true, code, why
}

func edited(name string) bool {
	return strings.HasSuffix(name, "~") || strings.HasPrefix(name, "#") || strings.HasPrefix(name, ".#") ||
		strings.HasSuffix(name, ".swp") || strings.HasSuffix(name, ".swo") || strings.HasSuffix(name, ".swn")
}

// form takes a lower-case name apart: the separator behind the word, 0 when
// there is none, what follows it, and the last extension of all.
func form(name string) (ok bool, sep byte, rest, last string) {
	for _, word := range []string{"dockerfile", "containerfile"} {
		if name == word {
			return true, 0, "", ""
		}
		if stem, is := strings.CutSuffix(name, "."+word); is {
			// The extension before it, as in web.tmpl.dockerfile.
			return true, 0, stem, extension(stem)
		}
		if after, is := strings.CutPrefix(name, word); is && strings.IndexByte(".-_", after[0]) >= 0 && len(after) > 1 {
			return true, after[0], after[1:], extension(after)
		}
	}
	return false, 0, "", ""
}

// extension is what follows the last dot, "" without one.
func extension(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i+1:]
	}
	return ""
}

func judge(base string, sep byte, rest, last string) (Code, string) {
	switch {
	case last == "dockerignore" || last == "containerignore":
		return Ignore, "an ignore file"
	case slices.Contains(templates(), last) || sep != 0 && (rest == "template" || rest == "tmpl" || rest == "tpl"):
		return Template, "a template"
	case slices.Contains(backups(), last):
		return Backup, "a copy that somebody kept"
	case slices.Contains(documents(), last):
		return Document, "a document, not a Dockerfile"
	case sep == 0:
		return Taken, "" // app.py.dockerfile builds app.py
	case slices.Contains(scripts(), last):
		return Source, "a script, not a Dockerfile"
	case slices.Contains(sources(), last):
		// Dockerfile.go is the Dockerfile of the Go part; dockerfile.go and
		// Dockerfile_test.go are Go.
		if rest == last && (base[0] == 'D' || base[0] == 'C') {
			return Taken, ""
		}
		return Source, "source code, not a Dockerfile"
	}
	return Taken, ""
}

func templates() []string {
	return []string{
		"j2", "jinja", "jinja2", "tmpl", "tpl", "template", "gotmpl", "gotpl", "erb", "in", "m4", "mustache", "hbs", "handlebars",
		"ejs", "liquid", "epp", "mako", "mak", "twig", "eex", "haml", "ytt", "jsonnet", "ftl", "vm", "scriban", "cookiecutter",
	}
}

func backups() []string {
	return []string{"bak", "backup", "orig", "rej", "old", "save", "tmp", "temp", "swp", "swo", "swn", "copy", "mine", "deleted"}
}

func documents() []string {
	return []string{
		"md", "mdx", "markdown", "rst", "txt", "adoc", "asciidoc", "html", "htm", "pdf", "svg", "png", "jpg", "jpeg", "gif", "json", "jsonc",
		"json5", "yaml", "yml", "toml", "xml", "csv", "log", "diff", "patch", "license", "sha256", "sha512", "md5", "sig", "asc", "sarif",
		"lock", "zip", "gz", "tgz", "tar", "tmlanguage", "snap", "golden", "expected",
	}
}

func scripts() []string {
	return []string{"sh", "bash", "zsh", "fish", "ps1", "psm1", "bat", "cmd", "mk"}
}

func sources() []string {
	return []string{
		"go", "py", "js", "mjs", "cjs", "ts", "tsx", "jsx", "rs", "java", "kt", "scala", "rb", "php", "c", "h", "cc", "cpp", "hpp", "cs",
		"fs", "swift", "lua", "pl", "ex", "exs", "erl", "hs", "clj", "dart", "vim", "el", "css", "scss", "vue", "sql", "proto", "nix", "bzl",
	}
}

// Folder tells whether a path lies in a folder that holds other people's code
// or test data, and says so. Folders named example or examples are not among
// them: people copy from those.
func Folder(path string) (code Code, why string) {
	for rest := path; ; {
		dir, after, more := strings.Cut(rest, "/")
		if !more {
			return Taken, ""
		}
		switch dir {
		case "vendor", "node_modules", "third_party", "third-party", "bower_components", "Godeps", "site-packages", ".git":
			return Vendored, "somebody else's code, in a folder named " + dir
		case "testdata", "fixtures", "__fixtures__", "test-fixtures", "test_fixtures", "__snapshots__":
			return Fixture, "test data, in a folder named " + dir
		}
		rest = after
	}
}

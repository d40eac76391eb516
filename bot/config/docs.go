package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Docs is docs/configuration.md.
func Docs() string {
	var b strings.Builder
	b.WriteString("<!-- Written by go generate ./bot/config; do not edit. -->\n# Configuration\n\n" +
		"The App reads `" + Path + "` on the default branch of a repository. The same file in the organisation's `" +
		OrganisationRepository + "` repository holds the defaults for all repositories; a key of the repository replaces the " +
		"organisation's key as a whole. Without any file the defaults below apply.\n\n" +
		"A file named `" + Misnamed + "` is not read. Because whoever wrote it wants something, it is a mistake: as long as it is " +
		"there, alone or beside `" + Path + "`, the App does nothing and says so, and so does `dhibot migrate`, unless `--config` " +
		"names the file to go by.\n\n" +
		"The files are read strictly. An unknown key or an impossible value is an error; the App names all errors with line and " +
		"column, in a check run and in its answers. Until they are mended the last good version of the file stays in force, " +
		"which is looked for in the last 10 commits that changed it; `mode`, `ignore` and `ignore_images` of the broken version " +
		"count as well where they want less. When no good version is known, the App does nothing.\n\n" +
		"[dhi.schema.json](dhi.schema.json) is the JSON schema of the file; editors complete and check with it.\n\n" +
		"| Key | Default | In short |\n|---|---|---|\n")
	for _, k := range keys() {
		short, _, _ := strings.Cut(k.doc, ". ")
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s. |\n", k.name, k.name, k.defaultText(), strings.TrimSuffix(short, "."))
	}
	for _, k := range keys() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\nDefault: %s.", k.name, k.doc, k.defaultText())
		if len(k.choices) > 0 {
			fmt.Fprintf(&b, " Choices: `%s`.", strings.Join(k.choices, "`, `"))
		}
		if k.bounds[1] > 0 {
			fmt.Fprintf(&b, " From %d to %d.", k.bounds[0], k.bounds[1])
		}
		if k.orgOnly {
			b.WriteString(" Only in the organisation's file.")
		}
		fmt.Fprintf(&b, "\n\n```yaml\n%s\n```\n", k.line())
	}
	return b.String()
}

// line is the example as it stands in a file.
func (k key) line() string { return k.name + ": " + k.example }

// defaultText is the value in a file that says nothing.
func (k key) defaultText() string {
	if k.byHand != "" {
		return k.byHand
	}
	// The defaults are in one place; the documentation reads them there.
	raw, err := yaml.Dump(Default())
	if err != nil {
		return "(unreadable)"
	}
	values := map[string]any{}
	if err := yaml.Load(raw, &values); err != nil {
		return "(unreadable)"
	}
	return fmt.Sprintf("`%v`", values[k.name])
}

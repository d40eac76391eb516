package command

import (
	"fmt"
	"strings"
)

// Help asks what the commands are.
type Help struct{}

// Command names it.
func (Help) Command() string { return help.Name }

var help = Command{
	Name:     "help",
	Summary:  "Show the commands.",
	Examples: []string{"/dhi help"},
	Access:   Anyone,
	OnPull:   "/dhi help",
	read: func(a *args) Request {
		a.words() // "help migrate" means help as well
		return Help{}
	},
}

// HelpText is the answer to help: Markdown, written from the table.
func HelpText() string {
	var b strings.Builder
	b.WriteString("| Command | What it does | Who |\n|---|---|---|\n")
	for _, c := range Table() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell("`"+strings.TrimSpace(Prefix+" "+c.Name+" "+c.Usage)+"`"), cell(c.Summary), who(c.Access))
	}
	b.WriteString("\nA command stands at the beginning of a line; one comment can hold several. In code blocks and quotes it is just text, and an edited comment is not read again.\n")
	return b.String()
}

// Docs is docs/commands.md.
func Docs() string {
	var b strings.Builder
	b.WriteString("<!-- Written by go generate ./bot/command; do not edit. -->\n# Commands\n\nWrite them as a comment on an issue or a pull request of the repository.\n\n")
	b.WriteString(HelpText())
	for _, c := range Table() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```\n%s\n```\n", c.Name, c.Summary, strings.Join(c.Examples, "\n"))
	}
	return b.String()
}

func who(a Access) string {
	if a == Writer {
		return "people with write access"
	}
	return "everybody"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

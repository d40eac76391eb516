// Package command reads the commands that people write in comments. Each
// command is one file: its name, usage, examples, who may use it, and how its
// arguments are read. The help text and docs/commands.md come from the same
// table. What a command does is not here: package bot does it.
package command

//go:generate go test . -run TestDocs -update

package project

import (
	"fmt"
	"maps"
	"path"
	"strings"

	"dhibot/rewrite/shell"
)

// Resolved is a command that was found behind another one.
type Resolved struct {
	// Argv starts the program without a package manager or a shell.
	Argv []string
	// Env are variables that the script set.
	Env map[string]string
	// Dir is the directory of package.json below the working directory, where
	// the program has to start; "" for the working directory itself.
	Dir string
	// At is where it is defined.
	At Evidence
}

// Command resolves the ways of package managers to run a script (`npm start`,
// `npm run x -- args`, `yarn x`, `pnpm run x`, `npx x`) to the one program
// that they start. reason says why it could not be.
func (n *Node) Command(argv []string) (Resolved, string) { return settled(n.command(argv)) }

// settled drops the words of a command that was refused.
func settled(r Resolved, reason string) (Resolved, string) {
	if reason != "" {
		r.Argv = nil
	}
	return r, reason
}

func (n *Node) command(argv []string) (r Resolved, reason string) {
	if len(argv) == 0 {
		return r, "the command is empty"
	}
	tool, args := path.Base(argv[0]), argv[1:]
	switch tool {
	case "npm", "yarn", "pnpm", "bun":
	case "npx", "bunx", "pnpx":
		for len(args) > 0 && strings.HasPrefix(args[0], "-") {
			if args[0] != "--no-install" && args[0] != "--no" && args[0] != "-y" && args[0] != "--yes" && args[0] != "--" {
				return r, fmt.Sprintf("the option %s of %s is not understood", args[0], tool)
			}
			args = args[1:]
		}
		if len(args) == 0 {
			return r, tool + " names no program"
		}
		return n.Bin(args[0], args[1:])
	default:
		return r, tool + " is no package manager of Node.js"
	}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "--silent", "-s", "--quiet", "-q", "--no-update-notifier", "--loglevel=error", "--loglevel=silent":
			args = args[1:]
		default:
			return r, fmt.Sprintf("the option %s of %s is not understood", args[0], tool)
		}
	}
	if len(args) == 0 {
		return r, tool + " names no script"
	}
	script := args[0]
	switch script {
	case "run", "run-script":
		args = args[1:]
		for len(args) > 0 && (args[0] == "--silent" || args[0] == "-s") {
			args = args[1:]
		}
		if len(args) == 0 {
			return r, tool + " run names no script"
		}
		script = args[0]
	case "exec", "dlx", "x":
		rest := args[1:]
		if len(rest) > 0 && rest[0] == "--" {
			rest = rest[1:]
		}
		if script != "exec" || len(rest) == 0 {
			return r, fmt.Sprintf("%s %s may download the program", tool, script)
		}
		return n.Bin(rest[0], rest[1:])
	case "start", "test", "stop", "restart":
	default:
		if tool == "npm" {
			return r, fmt.Sprintf("npm %s runs no script", script)
		}
		if _, ok := n.Scripts[script]; !ok && tool != "bun" {
			// yarn and pnpm look among the installed programs then.
			return n.Bin(script, args[1:])
		}
	}
	extra := args[1:]
	if len(extra) > 0 {
		if extra[0] == "--" {
			extra = extra[1:]
		} else if tool == "npm" {
			return r, fmt.Sprintf("npm takes %s as an option of its own", extra[0])
		}
	}
	r, reason = n.Start(script)
	if reason == "" {
		r.Argv = append(r.Argv, extra...)
	}
	return r, reason
}

// Start resolves a script of package.json to the program it starts.
func (n *Node) Start(script string) (Resolved, string) { return settled(n.start(script, 0)) }

func (n *Node) start(script string, depth int) (r Resolved, reason string) {
	r.At = n.Line("scripts", script)
	text, ok := n.Scripts[script]
	if !ok {
		if script == "start" && n.has("server.js") {
			// npm's documented default.
			r.Argv, r.At = []string{"node", "server.js"}, Evidence{Path: n.File}
			return r, ""
		}
		return r, fmt.Sprintf("package.json has no script %q", script)
	}
	if depth > 4 {
		return r, "the scripts call each other"
	}
	for _, hook := range []string{"pre" + script, "post" + script} {
		if _, ok := n.Scripts[hook]; ok {
			r.At = n.Line("scripts", hook)
			return r, fmt.Sprintf("the script %q runs around %q", hook, script)
		}
	}
	if len(text) > 4096 {
		return r, "the script is too long"
	}
	s, err := shell.Parse(text, shell.Sh)
	if err != nil {
		return r, "the script is no valid shell"
	}
	argv, env, ok := s.Simple()
	if !ok {
		return r, fmt.Sprintf("the script %q needs a shell: %s", script, shorten(text))
	}
	return n.argv(argv, env, r.At, depth)
}

// argv resolves the words of a script.
func (n *Node) argv(argv []string, env map[string]string, at Evidence, depth int) (r Resolved, reason string) {
	r.At, r.Env = at, maps.Clone(env)
	if r.Env == nil {
		r.Env = map[string]string{}
	}
	if base := path.Base(argv[0]); base == "cross-env" || base == "env" {
		argv = argv[1:]
		for len(argv) > 0 {
			k, v, ok := strings.Cut(argv[0], "=")
			if !ok || k == "" || strings.ContainsAny(k, "-/ ") {
				break
			}
			r.Env[k] = v
			argv = argv[1:]
		}
		if len(argv) == 0 {
			return r, "the script starts no program"
		}
	}
	for k := range r.Env {
		if strings.HasPrefix(k, "npm_") {
			return r, "the script sets variables of npm"
		}
	}
	for _, a := range argv {
		if strings.Contains(a, "npm_") && strings.Contains(a, "$") {
			return r, "the script uses variables of npm"
		}
	}
	switch name := path.Base(argv[0]); name {
	case "node", "nodejs":
		r.Argv = append([]string{"node"}, argv[1:]...)
		return r, n.checkNode(argv[1:])
	case "npm", "yarn", "pnpm":
		if depth > 4 {
			return r, "the scripts call each other"
		}
		args := argv[1:]
		if len(args) > 0 && (args[0] == "run" || args[0] == "run-script") {
			args = args[1:]
		}
		if len(args) != 1 || strings.HasPrefix(args[0], "-") {
			return r, "the script calls " + name + " again"
		}
		inner, why := n.start(args[0], depth+1)
		if why != "" {
			return inner, why
		}
		for k, v := range r.Env {
			if _, ok := inner.Env[k]; !ok {
				inner.Env[k] = v
			}
		}
		return inner, ""
	case "npx":
		if len(argv) < 2 || strings.HasPrefix(argv[1], "-") {
			return r, "the script calls npx with options"
		}
		argv = argv[1:]
	}
	b, why := n.Bin(argv[0], argv[1:])
	if why != "" {
		b.At = at
		return b, why
	}
	b.At = at
	maps.Copy(b.Env, r.Env)
	return b, ""
}

// checkNode refuses options of node that only make sense in development.
func (n *Node) checkNode(args []string) string {
	for _, a := range args {
		if a == "--watch" || strings.HasPrefix(a, "--watch-path") || strings.HasPrefix(a, "--inspect") {
			return "the script starts node with " + a + ", which is for development"
		}
		if !strings.HasPrefix(a, "-") {
			return ""
		}
	}
	return "the script names no file for node"
}

// Bin resolves a program of node_modules/.bin to node and its script.
func (n *Node) Bin(name string, args []string) (r Resolved, reason string) {
	r.Env = map[string]string{}
	r.At = Evidence{Path: n.File}
	if strings.Contains(name, "/") {
		// Only files of the project and of node_modules/.bin are understood.
		rest, ok := strings.CutPrefix(strings.TrimPrefix(name, "./"), "node_modules/.bin/")
		if !ok {
			return r, fmt.Sprintf("%s is not known to be a program of Node.js", shorten(name))
		}
		name = rest
	}
	if name == "nest" {
		return n.nest(args)
	}
	b, ok := nodeBins[name]
	switch {
	case !ok:
		return r, fmt.Sprintf("it is not known which file the program %s is", shorten(name))
	case b.refuse != "":
		if _, dep := n.Dependencies[b.pkg]; dep {
			r.At = n.Line("dependencies", b.pkg)
		}
		return r, b.refuse
	}
	if _, dep := n.Dependencies[b.pkg]; !dep {
		if _, dev := n.DevDependencies[b.pkg]; dev {
			r.At = n.Line("devDependencies", b.pkg)
			return r, fmt.Sprintf("%s is a development dependency", b.pkg)
		}
		return r, fmt.Sprintf("package.json does not list %s, which has the program %s", b.pkg, name)
	}
	r.At = n.Line("dependencies", b.pkg)
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	switch name {
	case "next", "nuxt", "strapi", "astro", "vite", "gatsby", "docusaurus":
		if verb == "dev" || verb == "develop" || verb == "" || name == "vite" && verb != "preview" {
			return r, fmt.Sprintf("%s %s starts a development server", name, verb)
		}
	}
	if name == "nuxt" && verb == "start" {
		// nuxt start of Nuxt 3 and later is the preview of the built server.
		if v := strings.TrimLeft(n.Dependencies["nuxt"], "^~>=v "); len(v) > 0 && v[0] >= '3' && v[0] <= '9' {
			r.Argv = []string{"node", ".output/server/index.mjs"}
			return r, ""
		}
	}
	r.Argv = append([]string{"node", "node_modules/" + b.file}, args...)
	return r, ""
}

// nest resolves `nest start`: without --watch it runs what was built to
// dist/main.
func (n *Node) nest(args []string) (r Resolved, reason string) {
	r.Env, r.At = map[string]string{}, Evidence{Path: n.File}
	if len(args) != 1 || args[0] != "start" {
		return r, "nest with options compiles and watches"
	}
	if n.has("nest-cli.json") {
		f := path.Join(n.p.at(n.dir), "nest-cli.json")
		c, _ := n.p.repo.text(f)
		for _, key := range []string{"entryFile", "monorepo", "outDir"} {
			if strings.Contains(c, `"`+key+`"`) {
				r.At = Evidence{f, lineOf(c, `"`+key+`"`)}
				return r, "nest-cli.json changes what nest start runs"
			}
		}
	}
	// The template's start:prod names the same file; a project that changed
	// the layout changed it too.
	if text, ok := n.Scripts["start:prod"]; ok {
		if s, err := shell.Parse(text, shell.Sh); err == nil {
			if argv, env, ok := s.Simple(); ok && len(env) == 0 && len(argv) == 2 && argv[0] == "node" && strings.HasPrefix(argv[1], "dist/") {
				r.Argv, r.At = argv, n.Line("scripts", "start:prod")
				return r, ""
			}
		}
	}
	r.Argv = []string{"node", "dist/main"}
	return r, ""
}

// has tells whether a file stands beside package.json.
func (n *Node) has(name string) bool { return n.p.repo.exists(path.Join(n.p.at(n.dir), name)) }

func shorten(s string) string {
	if len(s) <= 80 {
		return s
	}
	return strings.ToValidUTF8(s[:80], "") + "…"
}

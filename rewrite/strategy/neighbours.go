package strategy

import "dhibot/rewrite/assess"

// The questions that are put to the repository around the Dockerfile. Without
// one every answer is "not known".

type scriptInfo struct {
	interpreter string // "" when it is no script or not known
	env         bool   // through /usr/bin/env
	guess       string
	path        string // in the repository
}

type resolved struct {
	argv   []string
	reason string
	path   string
	line   int
}

func (in *Input) goVersion() (string, bool) { return "", false }
func (in *Input) nodeVersion() string       { return "" }
func (in *Input) pythonVersion() string     { return "" }

// nodeNative names a dependency with native code and where it stands.
func (in *Input) nodeNative() (name, where string) { return "", "" }

// pythonCompiles names a dependency that is usually compiled.
func (in *Input) pythonCompiles() string { return "" }

// nodeCommand resolves `npm start` and its like to the program they start.
func (in *Input) nodeCommand(argv []string) resolved {
	return resolved{reason: "package.json is not at hand"}
}

// nodeBin resolves a program of node_modules/.bin.
func (in *Input) nodeBin(name string, args []string) resolved { return resolved{} }

// consoleScript tells whether a program comes with a Python package.
func (in *Input) consoleScript(name string) bool { return true }

// scriptOf looks at the file that becomes abs in the image.
func (in *Input) scriptOf(final *assess.Stage, abs string) scriptInfo { return scriptInfo{} }

// sourceFilesRead finds files and directories of the build context that the
// sources name; known tells whether the sources were at hand.
func (in *Input) sourceFilesRead(f *assess.Stage) (files []readFile, known bool) { return nil, false }

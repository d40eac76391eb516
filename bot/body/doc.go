// Package body writes what people read on GitHub: the title and the text of a
// pull request, and the marker by which the App knows its own pull requests
// again.
//
// Image names, stage names, paths, labels, comments and parser errors come out
// of repositories and are hostile until shown harmless. All of them pass
// through the few functions of text.go; nothing else may put a string that was
// not written in this package into a body.
package body

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// VersionCmd is dhibot version.
type VersionCmd struct{}

// Run prints the version, the commit it was built from and the Go version.
func (VersionCmd) Run(p *Program) error {
	_, err := fmt.Fprintf(p.Stdout, "dhibot %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// release is set by the linker (-X main.release=1.2.3) where the Go tool
// records nothing, as in the build of an image without its git directory.
var release string

// version is that release, or what the Go tool recorded: a module version for
// go install, a commit for a build in a checkout.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			revision = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	if revision == "" {
		return "unknown"
	}
	return revision + dirty
}

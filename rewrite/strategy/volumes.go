package strategy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// makeVolumes puts a WORKDIR in front of a VOLUME whose directory nothing in
// the image makes: a new volume takes its owner from that directory, and
// without one it belongs to root. WORKDIR makes it for the image's user.
// Source: BuildKit, dispatchWorkdir.
func (d *decider) makeVolumes(def *catalog.Definition) {
	f := d.Final.Stage
	for _, st := range f.Steps {
		if d.New != nil && (d.New.At == nil || st.Lines[0] <= d.New.At.Lines[0]) && d.Shape == ShapeSplit {
			continue // it is in the lines of the new stage, see composer.metadata
		}
		text := d.volumeDirs(st, def)
		if text == "" {
			continue
		}
		line := Line{Rule: "nonroot-user", Text: text, Why: volumeWhy}
		if d.startsBelowNew(st) {
			d.New.Lines = append(d.New.Lines, line)
			continue
		}
		d.Inserts = append(d.Inserts, Insert{Stage: f, Before: st, Line: line})
	}
}

// startsBelowNew tells whether an instruction follows the lines of the new
// stage without a line between: what is put in front of it would stand at the
// end of the stage that stays behind.
func (d *decider) startsBelowNew(st *assess.Step) bool {
	if d.New == nil || d.Shape != ShapeSplit {
		return false
	}
	return d.New.At != nil && st.Block().Start == d.New.At.FullLines.End
}

const volumeWhy = "nothing else makes the directory of the volume; WORKDIR makes it for the user of the image, and a new volume takes its owner from it"

// volumeDirs are the lines that make the directories of a VOLUME and return to
// the working directory; "" when none is missing, or when they would belong to
// somebody else than the user that the container runs as.
func (d *decider) volumeDirs(st *assess.Step, def *catalog.Definition) string {
	v, ok := st.Command.(*instructions.VolumeCommand)
	u := def.RunUser()
	if !ok || u.UID == 0 || d.RunUser.Root || d.RunUser.Spec != fmt.Sprintf("%d:%d", u.UID, u.GID) || strings.Contains(st.Before.WorkDir, "$") ||
		st.Before.User != "" && st.Before.User != d.Final.End.User {
		return ""
	}
	var lines []string
	for _, word := range v.Volumes {
		if strings.Contains(word, "$") {
			continue
		}
		dir, _, err := d.File.Expand(word, nil) // takes its quotes off
		if dir = path.Clean(dir); err != nil || !path.IsAbs(dir) || strings.ContainsAny(dir, " '\"\\") || d.isMade(dir, def) {
			continue
		}
		lines = append(lines, "WORKDIR "+dir)
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(append(lines, "WORKDIR "+st.Before.WorkDir), "\n")
}

// isMade tells whether a directory is in the image, or may be made by an
// instruction of the file.
func (d *decider) isMade(dir string, def *catalog.Definition) bool {
	if dir == "/tmp" {
		return hasTmp(def)
	}
	if systemDir(dir) || commonDirectory(def.Image, dir) || under(dir, "/etc") || slices.ContainsFunc(def.Directories, func(p catalog.Directory) bool { return path.Clean(p.Path) == dir }) {
		return true
	}
	for _, st := range d.Final.ChainSteps() {
		switch {
		case st.Copy != nil:
			if dest := path.Clean(st.Copy.Dest); dest == dir || under(dir, dest) || under(dest, dir) {
				return true
			}
		case st.Keyword == "WORKDIR":
			if strings.Contains(st.Text, dir) || under(st.Before.WorkDir, dir) {
				return true
			}
		case st.Run != nil && (st.Run.Script == nil || strings.Contains(st.Text, dir)):
			return true
		}
	}
	end := d.Final.End.WorkDir
	return end == dir || under(end, dir)
}

// hasTmp tells whether an image surely has /tmp: Debian's base-files brings it,
// on Alpine it has to be declared. Source: docker-hardened-images/catalog issue
// 225.
func hasTmp(def *catalog.Definition) bool {
	return def.Distro == catalog.Debian || slices.ContainsFunc(def.Directories, func(p catalog.Directory) bool { return path.Clean(p.Path) == "/tmp" })
}

// ServerDirectory tells whether a directory surely comes with the image of a
// server.
func ServerDirectory(image, dir string) bool { return service(image) && commonDirectory(image, dir) }

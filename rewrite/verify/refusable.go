package verify

import (
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/dockerfile"
)

// refusable tells whether the converter could refuse anything in the result once
// BuildKit's parser has read it, but for what it would refuse in the original as
// well. Most instructions it cannot: it expands their words and notes them.
// toDispatchState and dispatch of dockerfile2llb, v0.34.2, say which;
// TestNothingRefused and FuzzRefusable ask the converter itself.
func (c *check) refusable() bool {
	f := c.after.file
	for _, d := range f.Directives {
		if d.Name != "syntax" {
			return true
		}
	}
	var known map[string]bool
	found := false
	each(f, func(ins *dockerfile.Instruction) {
		if found || c.certain(ins) || c.binds(ins) {
			return
		}
		if known == nil {
			known = c.known()
		}
		found = !alone(ins) || !known[f.Text(ins.Span)]
	})
	return found
}

// known are the texts of the original's instructions that the converter refuses
// by their own words alone or not at all.
func (c *check) known() map[string]bool {
	old := c.in.File
	known := map[string]bool{}
	if c.after.file.Escape == old.Escape {
		each(old, func(ins *dockerfile.Instruction) {
			if settles(ins) || alone(ins) {
				known[old.Text(ins.Span)] = true
			}
		})
	}
	return known
}

// certain tells whether the converter takes an instruction of the result
// whatever stands around it, and gives nothing of it to the verdict on others.
// Words are expanded and noted; paths are those of Linux, where none is refused.
func (c *check) certain(ins *dockerfile.Instruction) bool {
	if len(ins.Heredocs) > 0 {
		return false
	}
	switch cmd := ins.Command.(type) {
	case *instructions.CmdCommand, *instructions.EntrypointCommand, *instructions.HealthCheckCommand, *instructions.ShellCommand:
		return true
	case *instructions.RunCommand: // its words go to a shell as they are
		return len(ins.Flags) == 0
	case *instructions.UserCommand:
		return c.expands(cmd.User)
	case *instructions.LabelCommand:
		return c.expandPairs(cmd.Labels)
	case *instructions.VolumeCommand:
		return !slices.ContainsFunc(cmd.Volumes, func(v string) bool { return v == "" || strings.ContainsAny(v, `$"`) || !c.expands(v) })
	case *instructions.ExposeCommand:
		return !slices.ContainsFunc(cmd.Ports, func(p string) bool { return !onePort(p) })
	case *instructions.CopyCommand:
		return c.copies(ins, cmd)
	}
	return false
}

// binds tells whether the converter takes an instruction of the result that
// variables, mounts or later stages are read with.
func (c *check) binds(ins *dockerfile.Instruction) bool {
	if len(ins.Heredocs) > 0 {
		return false
	}
	switch cmd := ins.Command.(type) {
	case nil:
		return c.starts(ins)
	case *instructions.WorkdirCommand:
		return c.expands(cmd.Path)
	case *instructions.EnvCommand:
		return c.expandPairs(cmd.Env)
	case *instructions.ArgCommand:
		// The epoch is read as a time.
		return !slices.ContainsFunc(cmd.Args, func(a instructions.KeyValuePairOptional) bool {
			return a.Key == "SOURCE_DATE_EPOCH" || a.Value != nil && !c.expands(*a.Value)
		})
	}
	return false
}

// starts tells it of a FROM: of an image with a valid name, scratch or an
// earlier stage, for a platform that is one.
func (c *check) starts(from *dockerfile.Instruction) bool {
	base := from.Stage.Base
	if base.Err != nil || base.Resolved == "" {
		return false
	}
	switch base.Platform {
	case "":
		return len(from.Flags) == 0
	case "linux/amd64", "linux/arm64":
		return len(from.Flags) == 1
	case "$BUILDPLATFORM", "${BUILDPLATFORM}", "$TARGETPLATFORM", "${TARGETPLATFORM}":
		return len(from.Flags) == 1 && !slices.ContainsFunc(c.after.file.GlobalArgs, func(ins *dockerfile.Instruction) bool {
			return strings.Contains(ins.Text, "PLATFORM")
		})
	}
	return false
}

// copies tells it of a COPY from the build context, an earlier stage or an image
// with a valid name. A source with a colon or at GitHub may be a repository.
func (c *check) copies(ins *dockerfile.Instruction, cmd *instructions.CopyCommand) bool {
	for _, flag := range ins.Flags {
		switch flag.Name {
		case "from", "chown", "chmod":
		default:
			return false
		}
	}
	if cmd.From != "" && !slices.ContainsFunc(c.after.file.References(), func(r *dockerfile.Reference) bool {
		return r.Instruction == ins && r.Err == nil && !r.Scratch
	}) {
		return false
	}
	if cmd.Chmod != "" && (len(cmd.Chmod) > 4 || strings.Trim(cmd.Chmod, "01234567") != "") {
		return false
	}
	for _, source := range cmd.SourcePaths {
		if strings.ContainsAny(source, `$:"`) || strings.HasPrefix(source, "github.com/") || !c.expands(source) {
			return false
		}
	}
	return c.expands(cmd.From) && c.expands(cmd.Chown) && c.expands(cmd.DestPath)
}

func (c *check) expandPairs(pairs instructions.KeyValuePairs) bool {
	return !slices.ContainsFunc(pairs, func(p instructions.KeyValuePair) bool { return !c.expands(p.Key) || !c.expands(p.Value) })
}

func (c *check) expands(word string) bool { return c.after.file.AlwaysExpands(word) }

// onePort tells whether a word of EXPOSE is a number with or without a protocol.
func onePort(word string) bool {
	number, protocol, _ := strings.Cut(word, "/")
	n, err := strconv.ParseUint(number, 10, 16)
	return err == nil && n > 0 && (protocol == "" || protocol == "tcp" || protocol == "udp")
}

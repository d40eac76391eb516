// Package verify proves a migration before anyone sees it. It reads the result
// with other means than the engine that made it: BuildKit's own converter, a
// shell parser, and one small function per invariant of the guide.
//
// It opens no connection: the configs of images come from the catalog.
package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
)

// Internal is the rule of a violation that belongs to no rule of the guide: the
// engine edited something it did not plan to, or the result does not build.
const Internal = "internal"

// In is a migration.
type In struct {
	// Before and After are the Dockerfile's bytes.
	Before, After []byte
	// File is Before, parsed; nil parses it again.
	File *dockerfile.File
	// Edits are those that were planned on Before.
	Edits []dockerfile.Edit
	// Result is After as dockerfile.ParseWithBuildKit reads it; nil has Check read
	// it.
	Result *dockerfile.File
	// Catalog holds the facts; nil is the embedded one.
	Catalog *catalog.Catalog
	// Naming tells which references are Docker Hardened Images.
	Naming catalog.Naming
	// Extra maps further repositories to upstream ones, as in the configuration.
	Extra map[string]string
	// Origin gives what the catalog is known to say of a reference, nil for one
	// that it was not asked for; a nil Origin has Check ask for all.
	Origin func(reference string) *catalog.Origin
	// Final is what the result claims about its final stage.
	Final Final
	// Told are the ids of rules for which a checklist item tells the reader that
	// something is left to do. Only the ports rule takes note of it: a
	// privileged port can be left when nobody knows the server's configuration,
	// but not in silence.
	Told []string
}

// Final is a claim about the final stage.
type Final int

// The claims.
const (
	AnyFinal     Final = iota // none
	RuntimeFinal              // on a DHI runtime image: the outcome "hardened"
	DevFinal                  // on a DHI image to build in: the outcome "dev"
)

// Violation is something that is wrong with a result and was not wrong before.
type Violation struct {
	// Rule is the id of the rule of the guide that is broken, or Internal.
	Rule string
	// Line is the line of the result, 1-based; 0 when it concerns all of it.
	Line int
	Msg  string

	// key is the same for the same fault before and after the migration; the
	// lines may differ.
	key string
}

func (v Violation) String() string {
	if v.Line == 0 {
		return fmt.Sprintf("%s: %s", v.Rule, v.Msg)
	}
	return fmt.Sprintf("%s, line %d: %s", v.Rule, v.Line, v.Msg)
}

func internal(line int, format string, args ...any) Violation {
	return Violation{Rule: Internal, Line: line, Msg: fmt.Sprintf(format, args...)}
}

// Check proves a result. It returns what the result violates and the original,
// judged with the configs of the upstream images, does not; none is the proof.
// A context that ends makes the proof fail. The order is by line.
func Check(ctx context.Context, in In) []Violation {
	c, violations := newCheck(in)
	if c == nil {
		return violations
	}
	violations = append(violations, c.shellText()...)
	violations = append(violations, c.converts(ctx)...)
	violations = append(violations, c.invariants()...)
	slices.SortStableFunc(violations, func(a, b Violation) int { return cmp.Compare(a.Line, b.Line) })
	return violations
}

// check is one proof: both files read, with what is known of their images.
type check struct {
	in            In
	before, after *model
}

// newCheck reads both files, the result with BuildKit's parser, and compares
// their bytes. The check is nil when that fails already.
func newCheck(in In) (*check, []Violation) {
	if in.Catalog == nil {
		c, err := catalog.Default()
		if err != nil {
			return nil, []Violation{internal(0, "reading the embedded catalog: %v", err)}
		}
		in.Catalog = c
	}
	if in.File == nil {
		f, err := dockerfile.Parse(in.Before)
		if err != nil {
			return nil, []Violation{internal(0, "the original does not parse: %v", err)}
		}
		in.File = f
	}
	if in.Result == nil {
		f, err := dockerfile.ParseWithBuildKit(in.After)
		if err != nil {
			return nil, []Violation{internal(0, "the result does not parse: %v", err)}
		}
		in.Result = f
	}
	c := &check{in: in, before: newModel(&in, in.File), after: newModel(&in, in.Result)}
	if err := in.File.Verify(in.After, in.Edits); err != nil {
		return c, []Violation{internal(0, "%v", err)}
	}
	return c, nil
}

// invariants runs every invariant on the result, and on the original when the
// result violates one.
func (c *check) invariants() []Violation {
	found := c.run(c.after)
	if len(found) == 0 {
		return c.compare(nil)
	}
	old := map[string]int{}
	for _, v := range c.run(c.before) {
		old[v.key]++
	}
	return c.compare(slices.DeleteFunc(found, func(v Violation) bool {
		old[v.key]--
		return old[v.key] >= 0
	}))
}

// run collects what a file violates by itself.
func (c *check) run(m *model) []Violation {
	var found []Violation
	for _, invariant := range []func(*model) []Violation{
		listedTags, runsWithoutShell, triggersWithoutShell, packageManagers, knownUsers, privilegedPorts,
		startable, doubledCommand, healthChecks, existingSources,
	} {
		found = append(found, invariant(m)...)
	}
	return found
}

// compare adds what only shows when both files are seen.
func (c *check) compare(found []Violation) []Violation {
	for _, invariant := range []func(*check) []Violation{
		finalClaim, rootAgain, rootWork, keptConfig, keptWorkDir, keptStages, knownImages, lostVariables, indexedStages,
	} {
		found = append(found, invariant(c)...)
	}
	return slices.DeleteFunc(found, func(v Violation) bool {
		return v.Rule == "ports" && slices.Contains(c.in.Told, v.Rule)
	})
}

package strategy

import (
	"fmt"
	"strconv"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// javaBuild refuses to move a Maven or Gradle stage to a version with which it
// would build another thing, or nothing: a newer Gradle does not read the build
// scripts of an older major version, and a newer JDK compiles for itself unless
// the build file says otherwise, which the Java of the final image cannot run.
func (d *decider) javaBuild(s *assess.Stage, ch *catalog.Choice) *Block {
	if ch.Image != "maven" && ch.Image != "gradle" || ch.Dev == nil {
		return nil
	}
	line := s.From.Lines[0]
	was, now := majorOf(s.Origin.Version), majorOf(ch.Dev.Version)
	if ch.Image == "gradle" && was != 0 && now != 0 && was != now {
		return &Block{Rule: "base-image", Code: "version-not-offered", Line: line,
			Text: fmt.Sprintf("DHI offers no Gradle %d, and Gradle %d need not read its build scripts", was, now)}
	}
	built := majorOf(javaVersion(ch))
	runs := d.finalJava()
	if built == 0 || runs == 0 || built <= runs {
		return nil
	}
	if d.known() {
		if j := d.Project.Java("."); j != nil && j.Version != "" && majorOf(j.Version) != 0 && majorOf(j.Version) <= runs {
			return nil
		}
	}
	return &Block{Rule: "base-image", Code: "version-not-offered", Line: line,
		Text: fmt.Sprintf("dhi %s has no JDK older than %d, and what that compiles need not start on Java %d of the final image", ch.Image, built, runs)}
}

// finalJava is the major version of Java in the final image, 0 when it has none
// or that is not known.
func (d *decider) finalJava() int {
	root := d.root(d.Final.Stage)
	pick := root.Pick
	if d.New != nil {
		pick = d.New.Pick
	}
	switch {
	case pick != nil && jvm(pick.Def.Image):
		return majorOf(pick.Version)
	case pick == nil && root.Origin != nil && jvm(root.Origin.Image):
		return majorOf(root.Origin.Version)
	}
	return 0
}

// majorOf is the first number of a version, 0 without one: 8 of 8u402.
func majorOf(v string) int {
	v = strings.TrimPrefix(v, "1.") // Java 8 was once called 1.8
	end := 0
	for end < len(v) && '0' <= v[end] && v[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(v[:end])
	if err != nil {
		return 0
	}
	return n
}

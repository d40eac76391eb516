package bot_test

import (
	"testing"

	"dhibot/rewrite/goldentest"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestStories tells each story of testdata/stories against a GitHub of its own;
// the commands are in world_test.go.
func TestStories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/stories",
		Setup:               setup,
		Cmds:                storyCommands(),
		UpdateScripts:       goldentest.Update(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

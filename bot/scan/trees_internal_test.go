package scan

import (
	"slices"
	"testing"

	"dhibot/bot/githubapi"
)

// TestPacked: a tree comes back as it was, and nothing else does.
func TestPacked(t *testing.T) {
	t.Parallel()
	tree := &githubapi.Tree{SHA: "a", Entries: []githubapi.Entry{
		{Path: "Dockerfile", Mode: githubapi.ModeExec, Type: "blob", SHA: "b", Size: 7},
		{Path: "d\u202e\n", Mode: githubapi.ModeLink, Type: "blob", SHA: "c"},
		{Path: "sub", Mode: githubapi.ModeSubmodule, Type: "commit", SHA: "d"},
	}}
	raw := pack(tree, "a")
	if back := unpack(raw, "a"); back == nil || !slices.Equal(back.Entries, tree.Entries) || back.Incomplete() {
		t.Errorf("%+v", back)
	}
	for name, wrong := range map[string][]byte{"nothing": nil, "cut": raw[:len(raw)-9], "text": []byte("{}")} {
		if back := unpack(wrong, "a"); back != nil {
			t.Errorf("%s: %+v", name, back)
		}
	}
	if unpack(raw, "b") != nil {
		t.Error("another tree")
	}
	tree.Unread = []string{"big"}
	if pack(tree, "a") != nil {
		t.Error("a tree of which a part was not read is taken for the whole")
	}
}

package verify

import (
	"context"
	"testing"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/goldentest"
)

// FuzzCheck: no pair of files makes the proof panic, and a file is never worse
// than itself.
func FuzzCheck(f *testing.F) {
	dev, run := pick(f, "node", catalog.NeedDev), pick(f, "nginx", catalog.NeedRuntime)
	for _, content := range goldentest.Hard(f, "../..") {
		if len(content) < 2048 {
			f.Add(string(content), "FROM "+dev+"\nRUN x\n")
			f.Add("FROM node:22\n", string(content))
		}
	}
	f.Add("FROM nginx:1\nEXPOSE 80\n", "FROM "+run+"\nSHELL [\"\"]\nRUN x\nCMD [\"\"]\nENTRYPOINT []\nHEALTHCHECK CMD [\"\"]\nUSER :\nEXPOSE a-b\n")
	f.Add("FROM a\n", "FROM "+run+"\nCOPY --chown=: <<A <<B /\nx\nA\nB\nONBUILD RUN [\"\"]\nSTOPSIGNAL x\nVOLUME [\"$A\"]\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		if len(before)+len(after) > 1<<13 {
			return
		}
		file, err := dockerfile.Parse([]byte(before))
		if err != nil {
			return
		}
		in := In{Before: []byte(before), After: []byte(after), File: file, Edits: []dockerfile.Edit{{Span: dockerfile.Span{End: len(before)}, New: after}}}
		Check(context.Background(), in)
		in.After, in.Edits = in.Before, nil
		if got := Check(context.Background(), in); len(got) > 0 {
			t.Fatalf("not as good as itself: %s", texts(got))
		}
	})
}

package verify

import (
	"bytes"
	"context"
	"testing"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/goldentest"
)

// TestChanged shows what the converter is given.
func TestChanged(t *testing.T) {
	t.Parallel()
	const before = "# escape=\\\n# a\nARG V=1\nFROM node:$V AS a\nWORKDIR /a\nADD x y\nRUN b \\\n $c\nUSER '$u'\nCOPY --from=a /x /y\nSTOPSIGNAL 9\nCMD [\"d\"]\n"
	tests := []struct{ name, after, want string }{
		{"more", before + "# e\nADD f g\n", "# escape=\\\nARG V=1\nFROM node:$V AS a\nWORKDIR /a\nUSER '$u'\nCOPY --from=a /x /y\nADD f g\n"},
		{"other", "ARG V=2\nFROM node:$V AS a\nADD x $c\nCMD [\"d\"]\nSTOPSIGNAL 9\\\n\n", "ARG V=2\nFROM node:$V AS a\nADD x $c\nSTOPSIGNAL 9\\\n\n"},
		{"no variable", "FROM node AS a\nWORKDIR /a\n\nADD x y\nADD f g", "FROM node AS a\nADD f g"},
		{"certain", "FROM node AS a\nUSER 1:$u\nUSER '2'\nHEALTHCHECK --interval=1s CMD b\nENTRYPOINT [\"c\"]\nRUN f\nFROM scratch\nCOPY --from=a f g\n", "FROM node AS a\nUSER '2'\nFROM scratch\n"},
		{"a mount", "FROM node AS a\nWORKDIR /a\nRUN --mount=target=b f\n", "FROM node AS a\nWORKDIR /a\nRUN --mount=target=b f\n"},
		{"platform", "FROM --platform=x a\nCMD [\"d\"]\n", "FROM --platform=x a\nCMD [\"d\"]\n"},
		{"another mark", "# escape=`\nFROM a\nADD x y\n", "# escape=`\nFROM a\nADD x y\n"},
	}
	for _, tt := range tests {
		c := compared(t, before, tt.after)
		if got := string(c.changed()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzChanged: the converter's verdict on what changed is that on all of the
// result, when it accepts the original, and it accepts all of a result that is
// said to hold nothing to refuse.
func FuzzChanged(f *testing.F) {
	dev := pick(f, "node", catalog.NeedDev)
	for _, content := range goldentest.Hard(f, "../..") {
		if in, ok := migrated(f, content); ok && len(content) < 2048 {
			f.Add(string(content), string(in.After)+"RUN x\n")
			f.Add(string(content), string(in.After)+"FROM "+dev+"\nCOPY --from=0 /x /y\n"+string(content))
		}
	}
	const all = "FROM node:22 AS a\nADD a b\nCOPY c /d\nEXPOSE 80/tcp\nLABEL e=f\nSTOPSIGNAL 9\nUSER g\nVOLUME /h\nWORKDIR i\nRUN [\"j\"]\nCMD k\nENTRYPOINT [\"l\"]\nSHELL [\"m\",\"-c\"]\n"
	f.Add(all, all+all)
	f.Add("FROM a\nWORKDIR /b\nRUN --mount=target=. c\n", "FROM a\nWORKDIR /b\nRUN --mount=target=. c\nRUN d\n")
	f.Add(all, "FROM scratch\nSHELL [\"m\",\"-c\"]\nRUN [\"j\"]\nWORKDIR i\nCOPY c /d\nADD a b\nFROM 0\n")
	f.Add("FROM a\nENV B=/ C=d\nARG D\nWORKDIR /\nHEALTHCHECK --interval=1s CMD e\nCOPY --chown=1 f g\n", "FROM a\nENV B=/ C=d\nARG D\nWORKDIR /\nHEALTHCHECK --interval=1s CMD e\nCOPY --chown=1 f g\nRUN --mount=type=tmpfs,target=. h\nFROM 0\n")
	f.Add("FROM a\n", "FROM a\nUSER 1:1\nUSER $A\nHEALTHCHECK --retries=2 CMD $A\nCMD\nENTRYPOINT []\nCMD [\"a\"]\nWORKDIR b\nRUN c\n")
	f.Add("FROM a\nADD http://x/y z\nADD --checksum=sha256:0 u v\n", "FROM b\nADD http://x/y z\nCOPY http://x/y z\n")
	f.Add("FROM a\n", "ARG A=b C=\"$A\" BUILDPLATFORM\nFROM --platform=$BUILDPLATFORM $A:${C} AS d\nWORKDIR ${C}e\nENV F=\"g:$H\" I=\nARG J=$F K\nEXPOSE 65535/udp 0\nLABEL l=\"m $n\" o=p\nVOLUME [\"/q\", \"\"]\nUSER $r:s\nFROM d\nCOPY --from=d --chown=$t:u --chmod=0755 v w* \"x y\" /z/\nCOPY --from=1 a b\nRUN <<E\na\nE\n")
	f.Add("FROM a\n", "#syntax=docker/dockerfile:1\nFROM --platform=linux/arm64 a AS b\nFROM b AS c\nCOPY --from=b git@x.y:z https://a/b.git /c\nCOPY --from=d/e:f github.com/a b\nCOPY --link --chown=1 a b\nCOPY --chmod=9 a b\nARG SOURCE_DATE_EPOCH=a\nADD a b\nSTOPSIGNAL 0\nMAINTAINER $A\n")
	f.Add("FROM a\n", "#check=error=true\nARG SOURCE_DATE_EPOCH=a\nFROM a\nFROM b as A\nCOPY --from=A a b\nCOPY --from=0 a b\nCOPY --from=2 a b\nONBUILD COPY --from=9 a b\nFROM a\nSHELL []\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		if len(before)+len(after) > 1<<13 {
			return
		}
		file, err := dockerfile.Parse([]byte(before))
		if err != nil {
			return
		}
		c, _ := newCheck(In{Before: []byte(before), After: []byte(after), File: file, Edits: []dockerfile.Edit{{Span: dockerfile.Span{End: len(before)}, New: after}}})
		if c == nil || c.before.grows() != nil || c.after.grows() != nil {
			return
		}
		ctx := context.Background()
		if _, err := c.before.convert(ctx, c.before.file.Content, full); err != nil {
			return
		}
		part := c.changed()
		if bytes.Count(part, []byte{'\n'}) > bytes.Count(c.after.file.Content, []byte{'\n'}) {
			t.Fatalf("%q grows to %q", after, part)
		}
		_, whole := c.after.convert(ctx, c.after.file.Content, full)
		if whole != nil && !c.refusable() {
			t.Fatalf("%q was taken for one that cannot be refused: %v", after, whole)
		}
		some := c.after.accepted(ctx, part)
		if (whole == nil) != (some == nil) {
			t.Fatalf("all of %q: %v\nof %q: %v", after, whole, part, some)
		}
	})
}

package verify

import (
	"context"
	"strings"
	"testing"
)

// TestRefusable shows results that the converter need not be asked about, and
// such that it must.
func TestRefusable(t *testing.T) {
	t.Parallel()
	const before = "FROM node:22 AS a\nADD x y\nADD --checksum=sha256:0 u v\nLABEL e='f'\n"
	tests := []struct {
		after string
		want  bool
	}{
		{"FROM node:22-slim AS a\nRUN --mount=target=/x c\n", true},
		{"#syntax=docker/dockerfile:1\nARG V=1\nFROM --platform=$BUILDPLATFORM node:$V AS a\nENV P=\"/x:$P\"\nWORKDIR $P\nFROM a\nCOPY --from=a --chown=1:1 /x $P\nRUN b \"$c\nCMD d '\n", false},
		{"FROM node AS a\nADD x y\nLABEL e='f'\n", false},
		{"FROM node AS a\nADD x z\n", true},
		{"FROM node AS a\nADD --checksum=sha256:0 u v\n", true},
		{"ARG BUILDPLATFORM=x\nFROM --platform=$BUILDPLATFORM node\n", true},
		{"FROM --platform=windows/amd64 node\n", true},
		{"FROM node:$V\n", true},
		{"FROM node\nENV A=${B:?c}\n", true},
		{"FROM node\nCOPY git@x:y /z\n", true},
		{"FROM node\nCOPY $X /z\n", true},
		{"FROM node\nCOPY --chmod=9 a b\n", true},
		{"FROM node\nCOPY --from=x:y:z a b\n", true},
		{"FROM node\nCOPY <<E /z\nE\n", true},
		{"FROM node\nEXPOSE 65536\n", true},
		{"FROM node\nONBUILD RUN x\n", true},
		{"#check=error=true\nFROM node\n", true},
	}
	for _, tt := range tests {
		c := compared(t, before, tt.after)
		if got := c.refusable(); got != tt.want {
			t.Errorf("%q: %v", tt.after, got)
		}
	}
}

// pieces are instructions with a hole, and what to put there.
func pieces() (instructions, words []string) {
	return []string{
			"FROM %\n", "FROM % AS a\n", "FROM a AS %\n", "FROM --platform=% a\n", "FROM --platform=$BUILDPLATFORM % AS b\n",
			"ARG %\n", "ARG A=%\n", "ARG A=b B=% TARGETPLATFORM\n", "ARG BUILDPLATFORM=%\nFROM --platform=$BUILDPLATFORM a\n", "ARG SOURCE_DATE_EPOCH=%\n",
			"ENV A=%\n", "ENV A %\n", "ENV %=a B=$A\n", "ENV A=\"x:%\"\n", "LABEL a=%\n", "LABEL % b\n",
			"WORKDIR %\n", "USER %\n", "USER %:%\n", "VOLUME %\n", "VOLUME [\"/a\", \"%\"]\n", "EXPOSE %\n", "EXPOSE 1 %/tcp\n",
			"COPY % /a\n", "COPY a %\n", "COPY a b %/\n", "COPY [\"a b\", \"%\"]\n", "COPY --from=% a b\n", "COPY --from=a % b\n",
			"COPY --chown=% a b\n", "COPY --chown=%:1 --chmod=0755 a b\n", "COPY --chmod=% a b\n", "COPY --link --chown=% a b\n", "COPY <<% /a\n%\n", "COPY <<E /a\n%\nE\n", "RUN <<E\n%\nE\n",
			"ADD % a\n", "ADD --checksum=% a b\n", "STOPSIGNAL %\n", "SHELL [\"%\"]\n", "RUN %\n", "RUN [\"%\"]\n", "RUN --mount=target=% a\n", "RUN --mount=from=a,target=a %\n",
			"CMD %\n", "CMD [\"%\"]\n", "ENTRYPOINT %\n", "HEALTHCHECK CMD %\n", "HEALTHCHECK --interval=1s CMD [\"%\"]\n", "ONBUILD RUN %\n", "ONBUILD COPY --from=% a b\n", "MAINTAINER %\n",
			"#%\n", "# escape=`\n", "# syntax=%\n", "# check=error=true\n",
		}, []string{
			"a", "A", "b", "c", "0", "1", "2", "-1", "9", "80", "65535", "65536", "80-81", "0755", "77777", "u+x", "scratch", "node:22", "dhi.io/node:22-debian13", "a@b", "a:b:c", "x@sha256:0",
			"/a", "/a/", ".", "..", "a b", "$A", "${A}", "$A$B", "${A}b", "$1", "$", "${", "${A", "${A:-b}", "${A:?b}", "${A?}", "${A%b}", "${A/b/c}", "\\", "\\$A", "`", "'a'", "\"a\"", "\"$A\"", "'", "\"", "\"a\"b", "\"a\"$A\"b\"", "<<E", "<",
			"https://a/b", "https://a/b.git", "http:/", "git@a.b:c", "a@b:c?d=e", "github.com/a/b", "github.com/a?b=c", "linux/amd64", "linux/x", "windows/amd64", "$TARGETPLATFORM", "Ä", "\xff", "a=b", "a=$B c='d'", "\t", "\\\n a", "[\"a\"]", "<<",
		}
}

// TestNothingRefused puts every word into every instruction, in some stages.
func TestNothingRefused(t *testing.T) {
	t.Parallel()
	instructions, words := pieces()
	for _, before := range []string{"", "FROM a\n", "FROM scratch AS a\nENV A=/c\nFROM a\nARG B=d\nENV C=git@a.b:c\n", "ARG A=b\nFROM node:$A AS a\nENV A=git@a.b:c\n"} {
		for _, i := range instructions {
			for _, w := range words {
				after := before + strings.ReplaceAll(i, "%", w)
				if !strings.Contains(after, "FROM") {
					after += "FROM a\nRUN x\n"
				}
				unrefused(t, after)
			}
		}
	}
}

// FuzzRefusable is FuzzChanged with files put together from pieces: every two
// bytes are an instruction and a word. What is said to hold nothing to refuse is
// not refused.
func FuzzRefusable(f *testing.F) {
	instructions, words := pieces()
	for i := range instructions {
		f.Add([]byte{0, 0, byte(i), byte(i)})
		f.Add([]byte{1, 17, byte(i), 27, 0, 1, byte(i), 3})
	}
	for i := range words {
		f.Add([]byte{6, byte(i), 0, 27, 9, byte(i), 15, 28, 22, byte(i), 28, byte(i)})
	}
	f.Fuzz(func(t *testing.T, picks []byte) {
		if len(picks) > 32 {
			return
		}
		var b strings.Builder
		for i := 0; i+1 < len(picks); i += 2 {
			word := words[int(picks[i+1])%len(words)]
			b.WriteString(strings.ReplaceAll(instructions[int(picks[i])%len(instructions)], "%", word))
		}
		unrefused(t, b.String())
	})
}

// unrefused holds that the converter accepts a result that is said to hold
// nothing to refuse.
func unrefused(t *testing.T, after string) {
	t.Helper()
	const before = "FROM a\n"
	c, _ := newCheck(whole(t, before, after))
	if c == nil || c.after.grows() != nil || c.refusable() {
		return
	}
	if _, err := c.after.convert(context.Background(), c.after.file.Content, full); err != nil {
		t.Fatalf("%q was taken for one that cannot be refused: %v", after, err)
	}
}

// Package dockerfile is a lossless view of a Dockerfile: BuildKit's reading of
// it, tied to byte spans of the source, and edits on those spans.
package dockerfile

import (
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// Span is a half-open range of bytes of the source.
type Span struct{ Start, End int }

// Word is a word as it stands in the source, quotes and variables included. A
// word over several physical lines keeps its continuation in Text.
type Word struct {
	Text string
	Span Span
}

// Flag is a --name=value of an instruction. Value is as written; Span covers
// the whole flag, ValueSpan the value only.
type Flag struct {
	Name, Value     string
	Span, ValueSpan Span
}

// Heredoc is a here-document of an instruction.
type Heredoc struct {
	Name    string
	Content string // as in the source, line endings included
	Expand  bool   // variables are expanded: the delimiter is not quoted
	Body    Span   // the lines between the opening line and the terminator
	Line    int    // first line of the body, 1-based
}

// Instruction is one instruction of the file.
type Instruction struct {
	Keyword string // upper case
	// Lines are the first and last physical line, 1-based and inclusive:
	// continuation lines, comments within them and heredocs included.
	Lines [2]int
	// Span runs from the keyword to the end of the last line, without its
	// line ending and without the indentation before the keyword.
	Span Span
	// FullLines runs from the start of the first line to the end of the last
	// line, line ending included.
	FullLines Span
	Flags     []Flag
	// Words are the words after the flags as they stand in the source. For
	// RUN, CMD, ENTRYPOINT, HEALTHCHECK and SHELL there is one word: the rest.
	Words    []Word
	Heredocs []Heredoc
	// JSON tells that the arguments are in exec form.
	JSON bool
	// Text is the logical text after the keyword and flags: continuations
	// joined, comments dropped, as BuildKit sees it. Never edit by it.
	Text string
	// Command is BuildKit's typed instruction (an *instructions.RunCommand and
	// so on, *instructions.ArgCommand for ARG); nil for FROM. Its methods Name,
	// String, Location and Comments may say nothing.
	Command instructions.Command
	// OnBuild is the instruction of an ONBUILD trigger.
	OnBuild *Instruction
	// Stage is the stage it belongs to; nil for an ARG before the first FROM.
	Stage *Stage
	// Comments are the comment lines directly above it, parser directives left
	// out; empty, at the start of the line, when there are none.
	Comments Span

	logical string // the joined line from the keyword's line on
	segs    []segment
	base    int // where logical starts within the joined line of segs
}

// Stage is one build stage.
type Stage struct {
	Index int
	// Name is the alias in lower case, "" when it has none; Alias is the word.
	Name  string
	Alias *Word
	From  *Instruction
	Base  *Reference
	// Instructions are those after FROM.
	Instructions []*Instruction
	file         *File
}

// RefKind is where an image is named.
type RefKind int

// The kinds of a Reference.
const (
	RefFrom     RefKind = iota // FROM image
	RefCopyFrom                // COPY --from=image
	RefMount                   // RUN --mount=...,from=image
)

// Reference is a place where an image or a stage is named.
type Reference struct {
	Kind        RefKind
	Instruction *Instruction
	Word        Word   // as written, for example ${BASE}-slim
	Resolved    string // with the defaults of the file's ARGs; "" when it cannot be known
	// Parent is the earlier stage that is meant; nil for an image.
	Parent  *Stage
	Scratch bool
	// Platform is the value of FROM --platform as written.
	Platform string
	// Args are the global ARGs that Resolved depends on.
	Args []ArgUse
	// Err says why Resolved is empty: an *UnknownArgError (it depends on what only
	// a build knows) or an *InvalidReferenceError (BuildKit refuses it).
	Err error

	trigger bool // it stands in an ONBUILD trigger
}

// ArgUse is a global ARG that a reference uses.
type ArgUse struct {
	Name    string
	Default string       // unquoted, expanded; "" when there is none
	Has     bool         // it has a default
	Arg     *Instruction // the ARG line
	Value   Word         // the default as written, quotes included
}

// Edit replaces Span by New. An empty span inserts.
type Edit struct {
	Span Span
	New  string
	// Tag is the caller's: which change the edit belongs to.
	Tag int
}

// File is a parsed Dockerfile. It does not change; edits give new bytes. It is
// safe for concurrent use.
type File struct {
	Content    []byte
	Stages     []*Stage
	GlobalArgs []*Instruction
	// Escape is the escape character of the file, \ or `.
	Escape rune
	// NL is the line ending of the file, "\n" or "\r\n" (the more frequent one).
	NL string
	// BOM tells that the file starts with a UTF-8 byte order mark.
	BOM bool
	// Directives are the parser directives at the top (syntax, escape, check).
	Directives []Directive

	source string // Content
	lines  []int  // offset of each physical line's start
	args   []*globalArg
	scope  map[string]*globalArg
	refs   []*Reference
	walk   envWalk
}

// Directive is a parser directive at the top of the file.
type Directive struct {
	Name, Value string
	Line        int
}

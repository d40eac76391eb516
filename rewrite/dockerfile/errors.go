package dockerfile

import "fmt"

// The codes of an *Error.
const (
	CodeTooLarge    = "too-large"          // more than MaxSize bytes, MaxInstructions or MaxStages, or an ARG grows without end
	CodeBinary      = "binary"             // holds NUL bytes: not text, or UTF-16
	CodeLineTooLong = "line-too-long"      // a physical line of more than MaxLine bytes
	CodeTemplate    = "template"           // Jinja, Go template, m4 ...: not a Dockerfile yet
	CodeSyntax      = "syntax"             // BuildKit refuses it; Msg has BuildKit's words
	CodeNoFrom      = "no-from"            // no stage, or an instruction before the first FROM
	CodeStageName   = "invalid-stage-name" // FROM ... AS with a name BuildKit refuses
	CodeInternal    = "internal"           // our view and BuildKit's differ; a bug
)

const (
	// MaxSize is the greatest size of a Dockerfile that Parse accepts, in bytes.
	MaxSize = 1 << 20
	// MaxInstructions is the greatest number of instructions. What comes after
	// parsing compares stages and instructions with each other; an image has
	// room for about 125 layers.
	MaxInstructions = 3000
	// MaxStages is the greatest number of stages.
	MaxStages = 500
	// MaxLine is the longest physical line, in bytes without its line feed, that
	// BuildKit's scanner accepts (bufio.MaxScanTokenSize-1).
	MaxLine = 65535
)

// Error says why a file cannot be parsed.
type Error struct {
	Line int // 1-based; 0 when it concerns the whole file
	Code string
	Msg  string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Msg
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Msg)
}

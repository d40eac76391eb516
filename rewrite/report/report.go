// Package report writes migration results for people and for programs: as
// text, as a unified diff, as JSON, as Markdown and as SARIF.
//
// It is pure: it writes to an io.Writer and looks at nothing else. Whether
// colours are wanted and how wide the terminal is, the caller says.
package report

import (
	"fmt"
	"io"
	"strings"

	"dhibot/rewrite"
)

// Format is a way to write results.
type Format string

// The formats; the words are those of --format.
const (
	Text     Format = "text"     // diff and explanations, with a summary at the end
	Diff     Format = "diff"     // unified diff, for patch and git apply
	JSON     Format = "json"     // one object a line
	Markdown Format = "markdown" // for a comment or a wiki page
	SARIF    Format = "sarif"    // SARIF 2.1.0, for code scanning
)

// Formats are all formats, in the order of the documentation.
func Formats() []Format { return []Format{Text, Diff, JSON, Markdown, SARIF} }

// ParseFormat finds a format by its word; the error names all of them.
func ParseFormat(word string) (Format, error) {
	var words []string
	for _, f := range Formats() {
		if string(f) == word {
			return f, nil
		}
		words = append(words, string(f))
	}
	return "", fmt.Errorf("unknown format %q: one of %s", word, strings.Join(words, ", "))
}

// Options say what the text is written for. The zero value is a file or a
// pipe: no colours, no wrapping, every byte of a diff as it is.
type Options struct {
	// Terminal tells that a person looks at a terminal: control and bidi
	// characters are shown as escapes, explanations stand at their hunks.
	// A diff written for a terminal is for reading and may not apply.
	Terminal bool
	// Color allows ANSI colours; it matters only with Terminal.
	Color bool
	// Width is the number of columns, 0 for unknown (80).
	Width int
	// Version is our own version, for SARIF.
	Version string
}

// Writer writes results one after another. It keeps no result, so that the
// memory stays flat over thousands of files. It is not safe for concurrent use.
type Writer struct {
	out     *errWriter
	opts    Options
	summary summary
	impl    formatter
}

// formatter writes one format.
type formatter interface {
	result(w *Writer, r *rewrite.Result)
	close(w *Writer)
}

// New makes a writer. Close must be called, it writes what stands at the end.
func New(w io.Writer, format Format, opts Options) (*Writer, error) {
	if opts.Width <= 0 {
		opts.Width = 80
	}
	out := &Writer{out: &errWriter{w: w}, opts: opts}
	switch format {
	case Text:
		out.impl = textFormat{}
	case Diff:
		out.impl = diffFormat{}
	case JSON:
		out.impl = jsonFormat{}
	case Markdown:
		out.impl = markdownFormat{}
	case SARIF:
		out.impl = &sarifFormat{}
	default:
		_, err := ParseFormat(string(format))
		return nil, err
	}
	return out, nil
}

// Add writes a result, or as much of it as the format allows before Close. The
// error is the first one of the underlying writer.
func (w *Writer) Add(r *rewrite.Result) error {
	w.summary.add(r)
	w.impl.result(w, r)
	return w.out.err
}

// Close writes the end of the report. It does not close the underlying writer.
func (w *Writer) Close() error {
	w.impl.close(w)
	return w.out.err
}

// errWriter remembers the first error, so that the formats need not ask after
// every line.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) WriteString(s string) {
	if e.err != nil {
		return
	}
	if _, err := io.WriteString(e.w, s); err != nil {
		e.err = fmt.Errorf("writing the report: %w", err)
	}
}

func (e *errWriter) printf(format string, args ...any) {
	e.WriteString(fmt.Sprintf(format, args...))
}

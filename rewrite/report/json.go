package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"dhibot/rewrite"
)

// jsonFormat writes one object a line. The keys up to diff are a contract with
// scripts; those after it may grow.
type jsonFormat struct{}

type jsonResult struct {
	Path      string          `json:"path"`
	Outcome   rewrite.Outcome `json:"outcome"`
	Reason    string          `json:"reason"`
	Stages    []jsonStage     `json:"stages"`
	Changes   []jsonChange    `json:"changes"`
	Checklist []jsonItem      `json:"checklist"`
	Diff      string          `json:"diff"`

	Code      rewrite.ReasonCode `json:"code,omitempty"`
	Line      int                `json:"line,omitempty"`
	LeftAlone []jsonLeft         `json:"leftAlone,omitempty"`
	Files     []jsonFile         `json:"files,omitempty"`
	Verified  bool               `json:"verified,omitempty"`
	Catalog   string             `json:"catalog,omitempty"`
}

type jsonStage struct {
	Name  string       `json:"name"`
	From  string       `json:"from"`
	To    string       `json:"to"`
	Role  rewrite.Role `json:"role"`
	Final bool         `json:"final,omitempty"`
	User  string       `json:"user,omitempty"`
}

type jsonChange struct {
	Rule     string  `json:"rule"`
	Lines    [2]int  `json:"lines"`
	Before   string  `json:"before"`
	After    string  `json:"after"`
	Why      string  `json:"why"`
	Docs     string  `json:"docs"`
	NewLines *[2]int `json:"newLines,omitempty"`
}

type jsonItem struct {
	Rule     string             `json:"rule"`
	Text     string             `json:"text"`
	Evidence []rewrite.Evidence `json:"evidence"`
	When     rewrite.When       `json:"when,omitempty"`
}

type jsonLeft struct {
	Rule  string `json:"rule"`
	Lines [2]int `json:"lines"`
	What  string `json:"what"`
	Why   string `json:"why"`
}

// jsonFile is another file that changes with the Dockerfile; its diff is part
// of the diff of the result.
type jsonFile struct {
	Path    string       `json:"path"`
	Changes []jsonChange `json:"changes"`
}

func (jsonFormat) result(w *Writer, r *rewrite.Result) {
	line, err := MarshalJSON(r)
	if err != nil && w.out.err == nil {
		w.out.err = err
		return
	}
	w.out.WriteString(string(line) + "\n")
}

func (jsonFormat) close(*Writer) {}

// MarshalJSON is a result as one JSON object on one line, without a line
// ending. Lists are never null. Bytes that are not UTF-8 become U+FFFD, as
// JSON has no place for them; --format diff keeps them.
func MarshalJSON(r *rewrite.Result) ([]byte, error) {
	out := jsonResult{
		Path: r.Path, Outcome: r.Outcome, Reason: r.Reason,
		Stages: []jsonStage{}, Changes: jsonChanges(r.Changes), Checklist: []jsonItem{},
		Diff: Unified(r),
		Code: r.Code, Line: r.Line, Verified: r.Verified, Catalog: r.Catalog,
	}
	for _, s := range r.Stages {
		out.Stages = append(out.Stages, jsonStage{s.Name, s.From, s.To, s.Role, s.Final, s.User})
	}
	for _, it := range r.Checklist {
		evidence := it.Evidence
		if evidence == nil {
			evidence = []rewrite.Evidence{}
		}
		out.Checklist = append(out.Checklist, jsonItem{it.Rule, it.Text, evidence, it.When})
	}
	for _, l := range r.LeftAlone {
		out.LeftAlone = append(out.LeftAlone, jsonLeft{l.Rule, l.Lines, l.What, l.Why})
	}
	for _, f := range r.Files {
		out.Files = append(out.Files, jsonFile{f.Path, jsonChanges(f.Changes)})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // diffs are full of < and &
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("encoding the result of %s: %w", r.Path, err)
	}
	return visibleJSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// visibleJSON writes invisible characters of an encoded value as \u escapes,
// which mean the same: JSON is looked at on terminals too, and encoding/json
// escapes only the first 32.
func visibleJSON(encoded []byte) []byte {
	if !bytes.ContainsFunc(encoded, hidden) {
		return encoded
	}
	var out []byte
	for _, r := range string(encoded) {
		switch {
		case !hidden(r):
			out = utf8.AppendRune(out, r)
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		}
	}
	return out
}

func jsonChanges(changes []rewrite.Change) []jsonChange {
	out := []jsonChange{}
	for _, c := range changes {
		n := jsonChange{Rule: c.Rule, Lines: c.Lines, Before: c.Before, After: c.After, Why: c.Why, Docs: c.Docs}
		if c.NewLines[0] > 0 {
			n.NewLines = &c.NewLines
		}
		out = append(out, n)
	}
	return out
}

package report

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"

	"dhibot/rewrite"
)

// sarifFormat writes a SARIF 2.1.0 log with one run. Results are written as
// they come and the rules, which are only known at the end, after them; the
// order of properties has no meaning in SARIF, so memory stays flat.
//
// Levels: a change is a note, something a person must do a warning, a file that
// could not be processed an error. What was left alone is a note.
type sarifFormat struct {
	started bool
	comma   bool
	rules   []sarifRule
	index   map[string]int
}

const (
	sarifVersion = "2.1.0"
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	toolName     = "dhibot"
)

type sarifRule struct {
	ID      string `json:"id"`
	HelpURI string `json:"helpUri,omitempty"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifMessage    `json:"message"`
	Locations []sarifLocation `json:"locations"`
	Related   []sarifLocation `json:"relatedLocations,omitempty"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	Artifact struct {
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId"`
	} `json:"artifactLocation"`
	Region *sarifRegion `json:"region,omitempty"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
	EndLine   int `json:"endLine,omitempty"`
}

func (s *sarifFormat) result(w *Writer, r *rewrite.Result) {
	s.start(w)
	for _, c := range r.Changes {
		s.change(w, r.Path, c)
	}
	for _, f := range r.Files {
		for _, c := range f.Changes {
			s.change(w, f.Path, c)
		}
	}
	for _, it := range r.Checklist {
		res := sarifResult{RuleID: it.Rule, Level: "warning", Message: sarifMessage{it.Text}}
		for i, e := range it.Evidence {
			at := location(e.Path, [2]int{e.Line, e.Line})
			if i == 0 {
				res.Locations = append(res.Locations, at)
			} else {
				res.Related = append(res.Related, at)
			}
		}
		if len(res.Locations) == 0 {
			res.Locations = []sarifLocation{location(r.Path, [2]int{})}
		}
		s.write(w, res, "")
	}
	for _, l := range r.LeftAlone {
		text := "Left alone: " + l.Why
		if l.What != "" {
			text = "Left alone: " + l.What + ": " + l.Why
		}
		s.write(w, sarifResult{RuleID: l.Rule, Level: "note", Message: sarifMessage{text},
			Locations: []sarifLocation{location(r.Path, l.Lines)}}, "")
	}
	s.outcome(w, r)
}

// outcome is a result for the file itself where its reason is worth a line.
func (s *sarifFormat) outcome(w *Writer, r *rewrite.Result) {
	level := "note"
	switch r.Outcome {
	case rewrite.Failed:
		level = "error"
	case rewrite.Dev, rewrite.Partial:
		level = "warning"
	case rewrite.Hardened, rewrite.Already:
		return
	}
	id := string(r.Code)
	if id == "" {
		id = string(r.Outcome)
	}
	text := fmt.Sprintf("%s: %s", r.Outcome, r.Reason)
	s.write(w, sarifResult{RuleID: id, Level: level, Message: sarifMessage{text},
		Locations: []sarifLocation{location(r.Path, [2]int{r.Line, r.Line})}}, "")
}

func (s *sarifFormat) change(w *Writer, path string, c rewrite.Change) {
	s.write(w, sarifResult{RuleID: c.Rule, Level: "note", Message: sarifMessage{c.Why},
		Locations: []sarifLocation{location(path, c.Lines)}}, c.Docs)
}

func (s *sarifFormat) start(w *Writer) {
	if s.started {
		return
	}
	s.started = true
	s.index = map[string]int{}
	w.out.printf(`{"version":%q,"$schema":%q,"runs":[{"results":[`, sarifVersion, sarifSchema)
}

func (s *sarifFormat) write(w *Writer, r sarifResult, help string) {
	if r.RuleID == "" {
		r.RuleID = "general"
	}
	if strings.TrimSpace(r.Message.Text) == "" {
		r.Message.Text = r.RuleID // a message must not be empty
	}
	i, known := s.index[r.RuleID]
	if !known {
		i = len(s.rules)
		s.index[r.RuleID] = i
		s.rules = append(s.rules, sarifRule{ID: r.RuleID})
	}
	if s.rules[i].HelpURI == "" && strings.HasPrefix(help, "https://") {
		s.rules[i].HelpURI = help
	}
	r.RuleIndex = i
	if s.comma {
		w.out.WriteString(",")
	}
	s.comma = true
	w.out.WriteString("\n" + string(mustJSON(r)))
}

func (s *sarifFormat) close(w *Writer) {
	s.start(w)
	driver := struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}{toolName, w.opts.Version, "https://docs.docker.com/dhi/migration/", s.rules}
	if driver.Rules == nil {
		driver.Rules = []sarifRule{}
	}
	w.out.printf("\n],\"columnKind\":\"utf16CodeUnits\",\"tool\":{\"driver\":%s}}]}\n", mustJSON(driver))
}

// location is a place in the repository; lines of 0 mean the whole file.
func location(file string, lines [2]int) sarifLocation {
	var at sarifLocation
	// A relative URI: each segment escaped, so that a colon or a space in a
	// file name does not turn it into something else.
	segments := strings.Split(path.Clean(file), "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	uri := strings.Join(segments, "/")
	if strings.Contains(segments[0], ":") {
		uri = "./" + uri // RFC 3986 4.2: or it would be a scheme
	}
	at.Physical.Artifact.URI = uri
	at.Physical.Artifact.URIBaseID = "%SRCROOT%"
	if lines[0] > 0 {
		at.Physical.Region = &sarifRegion{StartLine: lines[0]}
		if lines[1] > lines[0] {
			at.Physical.Region.EndLine = lines[1]
		}
	}
	return at
}

// mustJSON encodes our own structs of strings and numbers, which cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encoding %T: %v", v, err))
	}
	return visibleJSON(b)
}

package gitdb

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Ident is an author, committer or tagger.
type Ident struct {
	Name, Email string
	When        time.Time
}

// Commit is a commit object. Signature is the content of its gpgsig header
// (several lines, no leading blanks), "" for an unsigned commit.
type Commit struct {
	Tree      OID
	Parents   []OID
	Author    Ident
	Committer Ident
	Message   string
	Signature string
}

// clean keeps an identity on its line: git refuses these characters in names.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '<' || r == '>' || r == '\n' || r == 0 {
			return -1
		}
		return r
	}, s))
}

func (i Ident) encode() string {
	return fmt.Sprintf("%s <%s> %d %s", clean(i.Name), clean(i.Email), i.When.Unix(), i.When.Format("-0700"))
}

// Payload is the commit's content without its signature: what was signed.
func (c Commit) Payload() []byte {
	c.Signature = ""
	return c.Encode()
}

// Encode returns the content of the commit object.
func (c Commit) Encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", c.Tree)
	for _, p := range c.Parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author %s\n", c.Author.encode())
	fmt.Fprintf(&b, "committer %s\n", c.Committer.encode())
	if c.Signature != "" {
		fmt.Fprintf(&b, "gpgsig %s\n", strings.ReplaceAll(strings.TrimRight(c.Signature, "\n"), "\n", "\n "))
	}
	b.WriteByte('\n')
	b.WriteString(c.Message)
	return b.Bytes()
}

// ParseCommit reads the content of a commit object.
func ParseCommit(data []byte) (Commit, error) {
	var c Commit
	head, message, ok := strings.Cut(string(data), "\n\n")
	if !ok {
		head = strings.TrimSuffix(string(data), "\n")
	}
	c.Message = message
	lines := strings.Split(head, "\n")
	for i := 0; i < len(lines); i++ {
		key, value, _ := strings.Cut(lines[i], " ")
		var err error
		switch key {
		case "tree":
			c.Tree = OID(value)
		case "parent":
			c.Parents = append(c.Parents, OID(value))
		case "author":
			c.Author, err = parseIdent(value)
		case "committer":
			c.Committer, err = parseIdent(value)
		case "gpgsig":
			sig := []string{value}
			for i+1 < len(lines) && strings.HasPrefix(lines[i+1], " ") {
				i++
				sig = append(sig, lines[i][1:])
			}
			c.Signature = strings.Join(sig, "\n")
		}
		if err != nil {
			return c, fmt.Errorf("commit %s: %w", key, err)
		}
	}
	if !Valid(string(c.Tree)) {
		return c, fmt.Errorf("commit without a tree")
	}
	return c, nil
}

func parseIdent(s string) (Ident, error) {
	lt, gt := strings.LastIndex(s, "<"), strings.LastIndex(s, ">")
	if lt < 0 || gt < lt {
		return Ident{}, fmt.Errorf("identity %.80q", s)
	}
	id := Ident{Name: strings.TrimSpace(s[:lt]), Email: s[lt+1 : gt]}
	fields := strings.Fields(s[gt+1:])
	if len(fields) == 0 {
		return id, nil
	}
	sec, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return id, fmt.Errorf("identity time: %w", err)
	}
	id.When = time.Unix(sec, 0).UTC()
	if len(fields) > 1 {
		if z, err := time.Parse("-0700", fields[1]); err == nil {
			id.When = id.When.In(z.Location())
		}
	}
	return id, nil
}

// Subject is the first line of the message.
func (c Commit) Subject() string {
	first, _, _ := strings.Cut(c.Message, "\n")
	return first
}

// Tag is an annotated tag object.
type Tag struct {
	Object  OID
	Type    string
	Name    string
	Tagger  Ident
	Message string
}

// Encode returns the content of the tag object.
func (t Tag) Encode() []byte {
	return fmt.Appendf(nil, "object %s\ntype %s\ntag %s\ntagger %s\n\n%s", t.Object, t.Type, clean(t.Name), t.Tagger.encode(), t.Message)
}

// ParseTag reads the content of a tag object.
func ParseTag(data []byte) (Tag, error) {
	var t Tag
	head, message, _ := strings.Cut(string(data), "\n\n")
	t.Message = message
	for line := range strings.SplitSeq(head, "\n") {
		key, value, _ := strings.Cut(line, " ")
		var err error
		switch key {
		case "object":
			t.Object = OID(value)
		case "type":
			t.Type = value
		case "tag":
			t.Name = value
		case "tagger":
			t.Tagger, err = parseIdent(value)
		}
		if err != nil {
			return t, fmt.Errorf("tag %s: %w", key, err)
		}
	}
	return t, nil
}

package project

import (
	"encoding/json"
	"strings"
)

// jsonLines maps the keys of a JSON document, as dotted paths of objects, to
// the line of their value. Arrays are not entered. A malformed document gives
// what stands before the error.
func jsonLines(content string) map[string]int {
	lines := map[string]int{}
	dec := json.NewDecoder(strings.NewReader(content))
	type level struct {
		prefix string
		object bool
		key    string
		isKey  bool
	}
	var stack []level
	line, counted := 1, 0
	for {
		tok, err := dec.Token()
		if err != nil {
			return lines
		}
		top := len(stack) - 1
		if d, ok := tok.(json.Delim); ok {
			switch d {
			case '{', '[':
				prefix := ""
				if top >= 0 {
					prefix = stack[top].prefix + stack[top].key + "\x00"
					stack[top].isKey = true
				}
				if len(stack) > 32 {
					return lines
				}
				stack = append(stack, level{prefix: prefix, object: d == '{', isKey: true})
			default:
				stack = stack[:top]
			}
			continue
		}
		if top < 0 || !stack[top].object {
			continue
		}
		if l := &stack[top]; l.isKey {
			l.key, _ = tok.(string)
			l.isKey = false
			if len(lines) < 20000 {
				at := int(dec.InputOffset())
				line += strings.Count(content[counted:at], "\n")
				counted = at
				lines[strings.TrimPrefix(l.prefix+l.key, "\x00")] = line
			}
		} else {
			l.isKey = true
		}
	}
}

// jsonKey is the key of jsonLines for a path of names.
func jsonKey(names ...string) string { return strings.Join(names, "\x00") }

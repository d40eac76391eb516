package strategy

import (
	"fmt"
	"path"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// proxyAccount refuses a configuration of HAProxy that names an account of the
// old image: HAProxy does not start when it finds none of that name.
func (in *Input) proxyAccount(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	if ch.Image != "haproxy" || def == nil {
		return nil
	}
	for _, st := range s.Steps {
		if st.Copy == nil {
			continue
		}
		for _, f := range copiedFiles(st.Copy) {
			if path.Ext(f) != ".cfg" {
				continue
			}
			name, content, ok := in.ContextFile(s, f)
			if !ok {
				continue
			}
			for i, line := range strings.Split(string(content), "\n") {
				words := strings.Fields(line)
				if len(words) != 2 || words[0] != "user" && words[0] != "group" || strings.ContainsAny(words[1], "$\"") {
					continue
				}
				if _, known := def.User(words[1]); known || words[1] == "root" {
					continue
				}
				return &Block{Rule: "nonroot-user", Code: "account-missing", Path: name, Line: i + 1,
					Text: fmt.Sprintf("%q names an account that dhi haproxy does not have; without that line HAProxy keeps the user that it runs as", strings.Join(words, " "))}
			}
		}
	}
	return nil
}

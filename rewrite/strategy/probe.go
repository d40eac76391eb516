package strategy

import (
	"path"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// Probe judges a health check that stands outside of the Dockerfile, in a
// compose file or a Kubernetes manifest: words is the command, or one text for a
// shell. missing names what it needs and the image of def has not, "" when
// nothing is known to be missing; instead is a list of words, lead in front, that
// asks the same address with the interpreter of the image, as JSON, "" when there
// is none.
func Probe(final *assess.Stage, def *catalog.Definition, words []string, shell bool, lead ...string) (missing, instead string) {
	if len(words) == 0 {
		return "", ""
	}
	run := assess.Command{Set: true, Shell: shell, Argv: words}.Script()
	name := path.Base(words[0])
	switch {
	case shell || shellDashC(words):
		if def.Shell() != "" {
			return "", ""
		}
		missing = "a shell"
	case !fetcher(name) || def.HasProgram(name) || bringsAlong(final, name):
		return "", ""
	default:
		missing = name
	}
	if url, ok := fetchedURL(run); ok && len(url) <= 200 && strings.Trim(url, urlBytes) == "" {
		if argv := probe(def, url); argv != nil {
			instead = jsonArray(append(lead, argv...))
		}
	}
	return missing, instead
}

// urlBytes are the bytes of addresses that mean nothing to compose, which takes
// $ for a variable, or to who reads the words.
const urlBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?&=[]"

// bringsAlong tells whether a file of that name may come into a stage, by a COPY
// or by a RUN that names its place.
func bringsAlong(s *assess.Stage, name string) bool {
	return mentionsRun(s, "/"+name) || slices.ContainsFunc(s.ChainSteps(), func(st *assess.Step) bool {
		return st.Copy != nil && slices.ContainsFunc(copiedFiles(st.Copy), func(f string) bool { return path.Base(f) == name })
	})
}

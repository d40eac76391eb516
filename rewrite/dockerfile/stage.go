package dockerfile

import (
	"slices"
	"strings"
)

// Final returns the last stage, the one that a build without a target makes.
func (f *File) Final() *Stage { return f.Stages[len(f.Stages)-1] }

// Stage returns the last stage of that name, case ignored as BuildKit does for
// COPY --from and --target; nil when there is none.
func (f *File) Stage(name string) *Stage {
	return f.StageBefore(name, len(f.Stages))
}

// StageBefore returns the last stage of that name among those with a smaller
// index.
func (f *File) StageBefore(name string, index int) *Stage {
	return f.named(strings.ToLower(name), min(index, len(f.Stages)))
}

// Parent returns the stage that the FROM names, nil for an image or scratch.
func (s *Stage) Parent() *Stage { return s.Base.Parent }

// Root returns the first stage of the chain: the one whose FROM names an image,
// or scratch.
func (s *Stage) Root() *Stage {
	for s.Base.Parent != nil {
		s = s.Base.Parent
	}
	return s
}

// Chain returns the stages from the root ancestor down to s.
func (s *Stage) Chain() []*Stage {
	var chain []*Stage
	for ; s != nil; s = s.Base.Parent {
		chain = append(chain, s)
	}
	slices.Reverse(chain)
	return chain
}

// Children returns the stages whose FROM names s.
func (s *Stage) Children() []*Stage {
	var children []*Stage
	for _, o := range s.file.Stages {
		if o.Base.Parent == s {
			children = append(children, o)
		}
	}
	return children
}

// UsedBy returns the COPY --from and mounts that read from s.
func (s *Stage) UsedBy() []*Reference {
	var refs []*Reference
	for _, r := range s.file.refs {
		if r.Kind != RefFrom && r.Parent == s {
			refs = append(refs, r)
		}
	}
	return refs
}

// FullLines runs from the FROM line to the end of the stage's last instruction;
// comments above the FROM and below the last instruction are not in it.
func (s *Stage) FullLines() Span {
	span := s.From.FullLines
	if n := len(s.Instructions); n > 0 {
		span.End = s.Instructions[n-1].FullLines.End
	}
	return span
}

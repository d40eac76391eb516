package rewrite

import (
	"context"
	"fmt"
	"strings"

	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/verify"
)

// prove checks a result before anyone sees it, with other means than those that
// made it. after is the result, as BuildKit's parser reads it.
func (m *migration) prove(ctx context.Context, edits []dockerfile.Edit, after *dockerfile.File) error {
	claim := verify.AnyFinal
	switch m.result.Outcome {
	case Hardened:
		claim = verify.RuntimeFinal
	case Dev:
		claim = verify.DevFinal
	}
	var told []string
	for _, i := range m.result.Checklist {
		told = append(told, i.Rule)
	}
	violations := verify.Check(ctx, verify.In{
		Before: m.result.Before, After: m.result.After, File: m.file, Result: after, Edits: edits,
		Catalog: m.catalog, Naming: m.in.Options.Naming, Extra: m.in.Options.Images,
		Final: claim, Told: told, Origin: m.stages.Origin,
	})
	if len(violations) == 0 {
		return nil
	}
	words := make([]string, len(violations))
	for i, v := range violations {
		words[i] = v.String()
	}
	return &violationError{words}
}

// violationError are the invariants that a result breaks.
type violationError struct{ words []string }

func (e *violationError) Error() string {
	return fmt.Sprintf("%d violated: %s", len(e.words), strings.Join(e.words, "; "))
}

package bot

import (
	"context"
	"fmt"

	"dhibot/bot/body"
	"dhibot/bot/command"
	"dhibot/bot/plan"
)

// doExplain runs the engine on the one Dockerfile as it is on the default
// branch, so the answer is about what a migration would do today.
func doExplain(ctx context.Context, j *job, _ *asked, req command.Request) (answer, error) {
	r := req.(command.Explain)
	v, err := j.look(ctx)
	if err != nil {
		return answer{}, err
	}
	if v.stuck() {
		return answer{refused: true, text: v.misconfigured()}, nil
	}
	if v.base == "" {
		return answer{refused: true, text: "This repository has no commit yet."}, nil
	}
	s, err := j.state(ctx, v, plan.GroupOf(v.config.Group, r.Path))
	if err != nil {
		return answer{}, err
	}
	scope := plan.ScopeOf(plan.Ask{Kind: plan.Rebase}, s.Pull, nil)
	scope.Paths = []string{"/" + r.Path} // this path, not a file of that name anywhere
	p, err := j.propose(ctx, v, through(scope))
	if err != nil {
		return answer{}, err
	}
	if err := j.confirm(ctx, v, &p, false); err != nil {
		return answer{}, err
	}
	in := body.Input{Files: j.repo.HTMLURL + "/blob/" + v.base}
	for _, result := range p.results {
		if result.Path != r.Path {
			continue
		}
		text, found := body.Explain(in, result, r.Line)
		head := "In " + code(r.Path) + ", as it is on the default branch:\n\n"
		switch {
		case !found:
			return answer{text: fmt.Sprintf("Nothing changes on line %d of %s, and nothing there was left alone for a reason. `/dhi explain` with the path alone shows all of it.", r.Line, code(r.Path))}, nil
		case text == "":
			return answer{text: "Nothing changes in " + code(r.Path) + "."}, nil
		}
		return answer{text: v.remark(head + text)}, nil
	}
	for _, passed := range p.passed {
		if passed.Path == r.Path {
			return answer{text: "I do not look at " + code(r.Path) + ": " + body.Prose(passed.Reason, 400) + "."}, nil
		}
	}
	return answer{refused: true, text: "I found no Dockerfile at " + code(r.Path) + ". Paths start at the root of the repository."}, nil
}

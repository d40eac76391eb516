package bot

import (
	"context"
	"fmt"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/command"
	"dhibot/bot/config"
	"dhibot/bot/plan"
)

// handler does what a command asks for.
type handler func(context.Context, *job, *asked, command.Request) (answer, error)

// handlers has one entry for every row of the command table.
func handlers() map[string]handler {
	return map[string]handler{
		command.Migrate{}.Command():  doMigrate,
		command.Plan{}.Command():     doPlan,
		command.Rebase{}.Command():   doRebase,
		command.Recreate{}.Command(): doRecreate,
		command.Ignore{}.Command():   doIgnore,
		command.Unignore{}.Command(): doUnignore,
		command.Explain{}.Command():  doExplain,
		command.Status{}.Command():   doStatus,
		command.Help{}.Command():     doHelp,
	}
}

// answer fulfils a request of a person.
func (j *job) answer(ctx context.Context, ask plan.Ask) (answer, error) {
	d, err := j.fulfil(ctx, ask)
	if err != nil {
		return answer{}, err
	}
	switch {
	case len(d.view.problems) > 0:
		return answer{refused: true, text: misconfigured(d.view.problems)}, nil
	case d.opened > 0:
		return answer{text: plan.ReplyOpened(d.opened, d.proposal.results)}, nil
	default:
		return answer{refused: d.plan.Refused, text: d.plan.Reply}, nil
	}
}

// misconfigured says that nothing was done because of the settings, and why.
func misconfigured(problems config.Problems) string {
	return "The settings have mistakes, so I did nothing:\n\n" + mistakes(problems) + "\nMend them on the default branch and ask again."
}

// mistakes lists what is wrong with the settings.
func mistakes(problems config.Problems) string {
	const rows = 30
	var b strings.Builder
	for i, p := range problems {
		if i == rows {
			fmt.Fprintf(&b, "- … and %d more\n", len(problems)-rows)
			break
		}
		where := p.File
		if p.Line > 0 {
			where = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
		}
		fmt.Fprintf(&b, "- %s: %s\n", code(where), body.Prose(p.Message, 400))
	}
	return b.String()
}

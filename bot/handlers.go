package bot

import (
	"context"

	"dhibot/bot/command"
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
	case d.view.stuck():
		return answer{refused: true, text: misconfigured(d.view.problems)}, nil
	case d.opened > 0:
		return answer{text: d.view.remark(plan.ReplyOpened(d.opened, d.proposal.results))}, nil
	default:
		return answer{refused: d.plan.Refused, text: d.view.remark(d.plan.Reply)}, nil
	}
}

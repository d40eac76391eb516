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

// answer fulfils a request of a person; see fulfil.
func (j *job) answer(ctx context.Context, ask plan.Ask, branch string) (answer, error) {
	d, err := j.fulfil(ctx, ask, branch)
	if err != nil {
		return answer{}, err
	}
	if d.view.stuck() {
		return answer{refused: true, text: d.view.misconfigured()}, nil
	}
	ans := d.answer()
	ans.text = d.view.remark(ans.text)
	return ans, nil
}

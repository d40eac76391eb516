package bot

import (
	"context"

	"dhibot/bot/command"
)

func doHelp(context.Context, *job, *asked, command.Request) (answer, error) {
	return answer{text: command.HelpText()}, nil
}

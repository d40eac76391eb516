package bot

import (
	"fmt"
	"slices"
	"strings"

	"dhibot/bot/config"
	"dhibot/bot/plan"
)

// answerRows bounds lists of groups in answers.
const answerRows = 20

// answer says what became of a request: one answer when there is one group, else
// a row for every group in which something was done or refused, and counts of
// the others.
func (d *decision) answer() answer {
	if len(d.parts) == 1 {
		return d.parts[0].answer(d.view.config.MaxOpen)
	}
	var rows []string
	refused := true
	quiet := 0
	for _, p := range d.parts {
		switch p.plan.Reason {
		case plan.Waits:
		case plan.NothingToDo:
			quiet++
			refused = false
		default:
			a := p.answer(d.view.config.MaxOpen)
			refused = refused && a.refused
			rows = append(rows, "- "+where(p.state.Group)+": "+a.text+"\n")
		}
	}
	if more := len(rows) - answerRows; more > 0 {
		rows = append(rows[:answerRows], fmt.Sprintf("- … and %d more\n", more))
	}
	text := strings.Join(rows, "")
	if n := d.waiting(); n > 0 {
		text += "\n" + d.queue(n)
	}
	if quiet > 0 {
		text += fmt.Sprintf("\nIn %s there is nothing to change; `/dhi plan PATH` says why.\n", parts(quiet))
	}
	return answer{refused: refused, text: text}
}

// queue says that groups wait, and for what.
func (d *decision) queue(n int) string {
	text := fmt.Sprintf("%s for one of the open pull requests to be merged or closed: the settings say `max_open: %d`.", waits(n), d.view.config.MaxOpen)
	if d.view.config.Mode != config.Open && !slices.ContainsFunc(d.parts, func(p *done) bool {
		return p.more || p.state.Pull != nil && p.state.Pull.Open && p.state.Pull.Marker.More
	}) {
		text += " `/dhi migrate` opens the next one then."
	}
	return text + "\n"
}

func waits(n int) string {
	if n == 1 {
		return "1 group waits"
	}
	return fmt.Sprintf("%d groups wait", n)
}

func parts(n int) string {
	if n == 1 {
		return "1 group"
	}
	return fmt.Sprintf("%d groups", n)
}

// answer says what became of a request in one group.
func (d *done) answer(most int) answer {
	switch {
	case d.opened > 0:
		return answer{text: plan.ReplyOpened(d.opened, d.proposal.results)}
	case d.plan.Reason == plan.Waits:
		return answer{refused: true, text: fmt.Sprintf("There are as many open pull requests of mine as the settings allow (`max_open: %d`). Merge or close one and ask again.", most)}
	default:
		return answer{refused: d.plan.Refused, text: d.plan.Reply}
	}
}

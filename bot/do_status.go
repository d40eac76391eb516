package bot

import (
	"context"
	"fmt"
	"strings"

	"dhibot/bot/command"
	"dhibot/bot/plan"
)

// doStatus says how things stand without running the engine.
func doStatus(ctx context.Context, j *job, _ *asked, _ command.Request) (answer, error) {
	v, err := j.look(ctx)
	if err != nil {
		return answer{}, err
	}
	s, err := j.state(ctx, v)
	if err != nil {
		return answer{}, err
	}
	var b strings.Builder
	b.WriteString("- Pull request: " + pullStatus(s) + "\n")
	if s.Pull != nil && s.Pull.Open {
		if s.Base == s.HeadBase {
			b.WriteString("- Made from: the newest commit of the default branch\n")
		} else {
			b.WriteString("- Made from: an older commit of the default branch; `/dhi rebase` makes it anew\n")
		}
	} else if s.Head != "" {
		whose := "which I wrote"
		if !s.HeadWritten {
			whose = "which I did not write and do not touch"
		}
		fmt.Fprintf(&b, "- Branch: %s is there, %s\n", code(plan.Branch), whose)
	}
	if s.Pull != nil {
		if m := s.Pull.Marker; len(m.Paths) > 0 {
			var paths []string
			for _, p := range m.Paths {
				paths = append(paths, code(p))
			}
			b.WriteString("- Only: " + strings.Join(paths, ", ") + "\n")
		}
		if len(s.Pull.Marker.Ignored) > 0 {
			b.WriteString("- Ignored by command: " + ignoredList(s.Pull.Marker.Ignored) + "\n")
		}
	}
	switch {
	case v.stuck():
		b.WriteString("- Settings: they have mistakes and there is no earlier version without, so I do nothing:\n\n" + mistakes(v.problems))
	case len(v.problems) > 0:
		fmt.Fprintf(&b, "- Settings: `mode: %s`, from the last good ones, %s. Those of today have mistakes:\n\n%s", v.config.Mode, v.origin(), mistakes(v.problems))
	default:
		fmt.Fprintf(&b, "- Settings: `mode: %s`\n", v.config.Mode)
	}
	return answer{text: b.String()}, nil
}

func pullStatus(s plan.State) string {
	switch p := s.Pull; {
	case s.Stranger != nil:
		return fmt.Sprintf("#%d comes from my branch and is not mine", s.Stranger.Number)
	case p == nil:
		return "none yet; `/dhi migrate` opens one"
	case p.Open && p.Queued:
		return fmt.Sprintf("#%d is open and waits in the merge queue", p.Number)
	case p.Open && s.Head != "" && !s.HeadWritten:
		return fmt.Sprintf("#%d is open, with commits that are not mine, so I do not touch it", p.Number)
	case p.Open:
		return fmt.Sprintf("#%d is open", p.Number)
	case p.Merged:
		return fmt.Sprintf("#%d was merged; `/dhi migrate` looks again", p.Number)
	case p.Marker.Closed:
		return fmt.Sprintf("#%d was closed by me, because nothing was left of it", p.Number)
	default:
		return fmt.Sprintf("#%d was closed without merging; `/dhi migrate --again` proposes it once more", p.Number)
	}
}

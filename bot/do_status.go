package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dhibot/bot/command"
	"dhibot/bot/config"
	"dhibot/bot/plan"
)

// doStatus says how things stand without running the engine.
func doStatus(ctx context.Context, j *job, _ *asked, _ command.Request) (answer, error) {
	v, err := j.look(ctx)
	if err != nil {
		return answer{}, err
	}
	pulls, err := j.ourPulls(ctx, v)
	if err != nil {
		return answer{}, err
	}
	var b strings.Builder
	groups := []plan.Group{{}}
	if v.config.Group != config.ByRepository || len(plan.Retired(pulls, v.config.Group)) > 0 {
		groups = groupsOf(pulls)
	}
	open := 0
	for i, g := range groups {
		if i == answerRows {
			fmt.Fprintf(&b, "- … and %d more groups with pull requests of mine\n", len(groups)-i)
			break
		}
		s, err := j.state(ctx, v, g)
		if err != nil {
			return answer{}, err
		}
		if s.Pull != nil && s.Pull.Open {
			open++
		}
		status(&b, s, len(groups) > 1 || !g.Whole())
	}
	if len(groups) == 0 {
		b.WriteString("- Pull requests: none yet; `/dhi migrate` opens the first\n")
	}
	mode := fmt.Sprintf("`mode: %s`", v.config.Mode)
	if v.config.Group != config.ByRepository {
		mode += fmt.Sprintf(", `group: %s`, `max_open: %d`, of which %d are open", v.config.Group, v.config.MaxOpen, open)
	}
	switch {
	case v.misnamed():
		b.WriteString("- Settings: they have mistakes, so I do nothing:\n\n" + mistakes(v.problems))
	case v.stuck():
		b.WriteString("- Settings: they have mistakes and there is no earlier version without, so I do nothing:\n\n" + mistakes(v.problems))
	case len(v.problems) > 0:
		fmt.Fprintf(&b, "- Settings: %s, from the last good ones, %s. Those of today have mistakes:\n\n%s", mode, v.origin(), mistakes(v.problems))
	default:
		fmt.Fprintf(&b, "- Settings: %s\n", mode)
	}
	return answer{text: b.String()}, nil
}

// groupsOf are the groups that had pull requests of ours, those with open ones
// first.
func groupsOf(pulls []plan.Pull) []plan.Group {
	var open, closed []plan.Group
	for _, p := range pulls {
		g, ok := plan.ParseGroup(p.Marker.Group)
		if !ok || g.Branch() != p.Branch || slices.Contains(open, g) || slices.Contains(closed, g) {
			continue
		}
		if n := plan.Newest(pulls, g); n.Open {
			open = append(open, g)
		} else {
			closed = append(closed, g)
		}
	}
	byName := func(a, b plan.Group) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(open, byName)
	slices.SortFunc(closed, byName)
	return append(open, closed...)
}

// status says how things stand in one group.
func status(b *strings.Builder, s plan.State, several bool) {
	if several {
		fmt.Fprintf(b, "- In %s: %s\n", where(s.Group), pullStatus(s))
	} else {
		b.WriteString("- Pull request: " + pullStatus(s) + "\n")
	}
	indent := ""
	if several {
		indent = "  "
	}
	if s.Pull != nil && s.Pull.Open {
		if s.Base == s.HeadBase {
			b.WriteString(indent + "- Made from: the newest commit of the default branch\n")
		} else {
			b.WriteString(indent + "- Made from: an older commit of the default branch; `/dhi rebase` makes it anew\n")
		}
	} else if s.Head != "" {
		whose := "which I wrote"
		if !s.HeadWritten {
			whose = "which I did not write and do not touch"
		}
		fmt.Fprintf(b, "%s- Branch: %s is there, %s\n", indent, code(s.Group.Branch()), whose)
	}
	if s.Pull == nil {
		return
	}
	if m := s.Pull.Marker; len(m.Paths) > 0 {
		var paths []string
		for _, p := range m.Paths {
			paths = append(paths, code(p))
		}
		b.WriteString(indent + "- Only: " + strings.Join(paths, ", ") + "\n")
	}
	if len(s.Pull.Marker.Ignored) > 0 {
		b.WriteString(indent + "- Ignored by command: " + ignoredList(s.Pull.Marker.Ignored) + "\n")
	}
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

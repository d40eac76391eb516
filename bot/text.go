package bot

import (
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/command"
	"dhibot/bot/config"
	"dhibot/bot/plan"
)

// says tells that the pull request says already what it would be made to say:
// only the base of its branch has moved. Its links to the base before stay good,
// and that the new head is ours is proved by the commit itself. So it need not
// be written, which makes three writes of four.
func (j *job) says(d *done) (bool, error) {
	p := d.state.Pull
	if p.Base != j.repo.DefaultBranch || p.Title != titleOf(d) || p.Marker.Base == "" || p.Marker.Previous == d.state.Head {
		return false, nil // the last of these: a run that was cut short has left a head that never was
	}
	m := j.marker(d, p.Marker.Head, p.Marker.Previous)
	m.Base = p.Marker.Base
	now, err := j.deps.Keys.Write(p.Marker)
	if err != nil {
		return false, err
	}
	next, err := j.deps.Keys.Write(m)
	if err != nil {
		return false, err
	}
	text := body.KeepTicks(p.Body, body.Render(j.input(d, m.Base)))
	return now == next && strings.TrimRight(text, "\n") == body.WithoutMarker(p.Body), nil
}

// input is what a text about the proposal is made of; links lead to the files as
// of base.
func (j *job) input(d *done, base string) body.Input {
	checked := j.deps.Checked
	if d.proposal.asked {
		checked = append(slices.Clone(checked), "every new image is in its registry, with the user, start command and directory that the catalog has")
	}
	var unchecked []string
	for _, host := range d.proposal.unasked {
		unchecked = append(unchecked, "whether `"+host+"` has the images as the catalog has them: it did not say")
	}
	return body.Input{
		Results: d.proposal.results, Unchecked: unchecked, Passed: d.proposal.passed, Registry: d.view.config.Login(),
		Checked: checked, Notes: append(d.view.notes(), about(d)...), Files: j.repo.HTMLURL + "/blob/" + base,
		Commands: examples(), Closing: closing, Boxes: boxes(), Brief: d.view.config.Explain == config.Inline,
	}
}

// text is title and body of the pull request for a head.
func (j *job) text(d *done, head, previous string) (title, text string, err error) {
	text = body.Render(j.input(d, d.view.base))
	if d.state.Pull != nil && d.state.Pull.Open {
		text = body.KeepTicks(d.state.Pull.Body, text)
	}
	text, err = j.deps.Keys.Sign(text, j.marker(d, head, previous))
	return titleOf(d), text, err
}

// marker is what the pull request remembers.
func (j *job) marker(d *done, head, previous string) body.Marker {
	return body.Marker{
		Repository: j.repo.ID, Branch: d.state.Group.Branch(), Group: d.state.Group.Key(), Base: d.view.base, Head: head, Previous: previous,
		Proposal: plan.Digest(d.proposal.results), Paths: d.scope.Paths, Distro: d.scope.Distro, Ignored: d.scope.Ignored,
		More: d.more || d.state.Pull != nil && d.state.Pull.Open && d.state.Pull.Marker.More,
	}
}

// titleOf is the title of the pull request.
func titleOf(d *done) string {
	text := body.Title(d.proposal.results)
	switch name := d.state.Group.Name; {
	case name == ".":
		text += " in the root folder"
	case body.PlainPath(name):
		text += " in " + name
	}
	return text
}

// about says what part of the repository a pull request is about.
func about(d *done) []string {
	if d.state.Group.Whole() {
		return nil
	}
	what := "the root folder"
	if name := d.state.Group.Name; name != "." {
		what = "`" + strings.ReplaceAll(name, "`", "'") + "`" // notes are rendered where they are shown
	}
	return []string{"This is about " + what + " only; the settings say `group: " + string(d.state.Group.By) + "`."}
}

// where names a group in Markdown.
func where(g plan.Group) string {
	switch {
	case g.Whole():
		return "the whole repository"
	case g.Name == ".":
		return "the root folder"
	default:
		return code(g.Name)
	}
}

// boxes are for people who do not like commands.
func boxes() []body.Box {
	return []body.Box{
		{ID: string(plan.Rebase), Text: "Tick this to have the pull request made anew from the newest commit of the default branch."},
		{ID: string(plan.Recreate), Text: "Tick this to have it written anew, throwing away what else was pushed to its branch."},
	}
}

const closing = "closing this pull request means no: it stays closed until somebody writes `/dhi migrate --again`."

// examples are the commands that a pull request shows.
func examples() []string {
	var list []string
	for _, c := range command.Table() {
		if c.OnPull != "" {
			list = append(list, c.OnPull)
		}
	}
	return list
}

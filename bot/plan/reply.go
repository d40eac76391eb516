package plan

import (
	"fmt"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/rewrite"
)

// Answers say what happened, why, and what to do, in that order.

const answerRows = 20

func replyArchived() string {
	return "This repository is archived, so nothing in it can be changed. Unarchive it and ask again."
}

func replyEmpty() string {
	return "This repository has no commit yet, so there is nothing to migrate. Push something and ask again."
}

// ReplyOff says that the settings switch the App off.
func ReplyOff() string {
	return "The settings say `mode: off`, so I do nothing here. `mode: commands` in `.github/dhi.yml` lets me answer commands."
}

func replyReport() string {
	return "The settings say `mode: report`, so I open and change no pull request here. `/dhi plan` shows what I would propose; `mode: commands` or `mode: open` in `.github/dhi.yml` lets me do it."
}

func replyTooMuch() string {
	return "That is more than I can remember in a pull request. Folders and globs are shorter than many paths, and `include` and `ignore` in `.github/dhi.yml` have room for more."
}

func replyNoPull() string {
	return "There is no open pull request of mine here. `/dhi migrate` opens one."
}

// replyNowhere is for what is to be remembered while there is no place for it.
func replyNowhere(a Ask) string {
	if len(a.Ignored) == 0 {
		return "Nothing is ignored by a command here. What the settings leave out is in `.github/dhi.yml`."
	}
	return "I remember such things in my pull request, and there is none yet. Write it into `.github/dhi.yml` instead, under `ignore` for paths or `ignore_images` for images."
}

func replyRemembers(p *Pull) string {
	return fmt.Sprintf("I remember that in #%d; its branch stays as it is.", p.Number)
}

func replyClosed(p *Pull) string {
	return fmt.Sprintf("#%d was closed without merging, and I take that for a no. `/dhi migrate --again` proposes it once more.", p.Number)
}

func replyNoDockerfile(paths []string) string {
	if len(paths) == 0 {
		return "I found no Dockerfile in this repository, so there is nothing to migrate. I look for `Dockerfile`, `Dockerfile.*`, `*.Dockerfile` and `Containerfile`, in every folder."
	}
	var list []string
	for i, p := range paths {
		if i == answerRows {
			list = append(list, fmt.Sprintf("%d more", len(paths)-i))
			break
		}
		list = append(list, body.Code(p, 160))
	}
	return "I found no Dockerfile at " + strings.Join(list, ", ") + ". Paths start at the root of the repository; a folder or a glob works too."
}

// replyNothing says for every Dockerfile why it stays as it is.
func replyNothing(s State, results []*rewrite.Result) string {
	var b strings.Builder
	b.WriteString("I changed nothing:\n\n")
	rows := 0
	row := func(path, word, reason string, line int) {
		if rows++; rows > answerRows {
			return
		}
		fmt.Fprintf(&b, "- %s: %s", body.Code(path, 160), word)
		if reason != "" {
			fmt.Fprintf(&b, "; %s", body.Prose(reason, 400))
		}
		if line > 0 && !strings.Contains(reason, fmt.Sprintf("line %d", line)) {
			fmt.Fprintf(&b, " (line %d)", line)
		}
		b.WriteString("\n")
	}
	for _, r := range results {
		switch r.Outcome {
		case rewrite.Already:
			row(r.Path, "on hardened images already", r.Reason, r.Line)
		case rewrite.Failed:
			row(r.Path, "failed", r.Reason, r.Line)
		default:
			row(r.Path, "left alone", r.Reason, r.Line)
		}
	}
	for _, p := range s.Passed {
		row(p.Path, "not looked at", p.Reason, 0)
	}
	if rows > answerRows {
		fmt.Fprintf(&b, "- … and %d more\n", rows-answerRows)
	}
	if s.Pull != nil && s.Pull.Open {
		fmt.Fprintf(&b, "\n#%d stays as it is.\n", s.Pull.Number)
	}
	return b.String()
}

func replyObsolete(results []*rewrite.Result) string {
	if len(results) == 0 {
		return "Nothing is left of this proposal: the Dockerfiles are gone or left out. I closed it."
	}
	return "Nothing is left of this proposal: the default branch has what it proposed, or the settings leave it out. I closed it."
}

func replyStranger(p *Pull) string {
	return fmt.Sprintf("#%d comes from the branch `%s`, which I use, and I did not open it. Rename that branch and ask again.", p.Number, p.Branch)
}

func replyTaken(g Group) string {
	return fmt.Sprintf("There is a branch `%s` that I did not write, and I do not touch other people's work. Rename or delete it and ask again.", g.Branch())
}

func replyDefaultBranch(g Group) string {
	return fmt.Sprintf("My branch `%s` is the default branch of this repository now, and I push to none without a pull request. Make another branch the default one and ask again.", g.Branch())
}

func replyQueued(p *Pull) string {
	return fmt.Sprintf("#%d waits in the merge queue, and a push would throw it out. Ask again when it is through.", p.Number)
}

func replyHuman(p *Pull) string {
	return fmt.Sprintf("Somebody has pushed to the branch of #%d, and I do not overwrite that. `/dhi recreate` throws those commits away and writes the proposal anew.", p.Number)
}

func tellMoved() string {
	return "The default branch has moved, and this branch has commits that are not mine, so I leave it to you to bring it up to date. `/dhi recreate` throws those commits away and writes the proposal anew."
}

func replyUpToDate(p *Pull) string {
	return fmt.Sprintf("#%d is up to date: the same files, from the newest commit of the default branch.", p.Number)
}

// ReplyOpened answers once the number of the pull request is known.
func ReplyOpened(number int, results []*rewrite.Result) string {
	changed, unfinished := body.Changed(results), 0
	for _, r := range changed {
		if r.Outcome != rewrite.Hardened {
			unfinished++
		}
	}
	text := fmt.Sprintf("I opened #%d, which moves %s to Docker Hardened Images.", number, dockerfiles(len(changed)))
	switch {
	case unfinished == 1 && len(changed) == 1:
		text += " It is not finished; the pull request says why."
	case unfinished == 1:
		text += " One of them is not finished; the pull request says why."
	case unfinished > 1:
		text += fmt.Sprintf(" %d of them are not finished; the pull request says why.", unfinished)
	}
	return text
}

// Brief says in a few words what executing a plan would do.
func Brief(s State, p Plan, results []*rewrite.Result) string {
	switch p.Reason {
	case Opens:
		return "opens a pull request: " + body.Title(results)
	case Obsolete, Regrouped:
		return "closes " + s.Pull.ref()
	case Remembers:
		return "remembers in " + s.Pull.ref() + " what is ignored"
	default:
		return "brings " + s.Pull.ref() + " up to date"
	}
}

// Describe says what executing a plan would do, in Markdown.
func Describe(s State, p Plan, results []*rewrite.Result) string {
	if len(p.Actions) == 0 {
		return p.Reply
	}
	var b strings.Builder
	b.WriteString("I would do this:\n\n")
	for i, a := range p.Actions {
		fmt.Fprintf(&b, "%d. ", i+1)
		switch a := a.(type) {
		case WriteBranch:
			fmt.Fprintf(&b, "write the branch `%s` with one commit that changes %s, on %s of %s", s.Group.Branch(), files(len(a.Files)), body.Code(short(a.Base), 12), body.Code(s.Repository.DefaultBranch, 100))
			if a.Old != "" {
				fmt.Fprintf(&b, ", in place of %s", body.Code(short(a.Old), 12))
			}
		case OpenPull:
			fmt.Fprintf(&b, "open a pull request: %s", body.Title(results))
		case EditPull:
			fmt.Fprintf(&b, "bring the text of #%d up to date", a.Number)
		case ClosePull:
			why := "nothing is left of it"
			if p.Reason == Regrouped {
				why = "the settings group Dockerfiles in another way now"
			}
			fmt.Fprintf(&b, "close #%d, because %s", a.Number, why)
		case Remember:
			fmt.Fprintf(&b, "remember in #%d what is ignored", a.Number)
		case Tell:
			fmt.Fprintf(&b, "say in #%d: %s", a.Number, a.Text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func short(commit string) string { return commit[:min(len(commit), 7)] }

func dockerfiles(n int) string {
	if n == 1 {
		return "1 Dockerfile"
	}
	return fmt.Sprintf("%d Dockerfiles", n)
}

func replyUpdates(p *Pull, results []*rewrite.Result) string {
	return fmt.Sprintf("I brought #%d up to date; it changes %s.", p.Number, files(len(Files(results))))
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// ref is how texts name a pull request.
func (p *Pull) ref() string { return fmt.Sprintf("#%d", p.Number) }

func replyRegrouped(p *Pull) string {
	return fmt.Sprintf("The settings group Dockerfiles in another way now, so I closed #%d.", p.Number)
}

func closeRegrouped(c config.Config) string {
	text := fmt.Sprintf("The settings say `group: %s` now, so I closed this; it is nobody's no. ", c.Group)
	if c.Mode == config.Open {
		return text + "What it proposed comes in pull requests of the new kind."
	}
	return text + "`/dhi migrate` proposes what was in it in pull requests of the new kind."
}

func replyKept(p *Pull) string {
	return fmt.Sprintf("The settings group Dockerfiles in another way now. #%d is not mine to close, so it keeps its Dockerfiles until it is merged or closed.", p.Number)
}

func tellRegrouped(c config.Config) string {
	return fmt.Sprintf("The settings say `group: %s` now. This pull request is of another kind; I would close it, and do not, because it has commits that are not mine or waits in the merge queue. I leave its Dockerfiles out of the others until it is merged or closed, and do not bring it up to date.", c.Group)
}

// ReplyGone answers in a closed pull request that nothing belongs to any more.
func ReplyGone() string {
	return "There is nothing that this pull request could be about: the settings group Dockerfiles in another way now, or its Dockerfiles are gone. In an issue, `/dhi migrate` is about the whole repository."
}

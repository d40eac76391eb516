package rules

import (
	"fmt"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

func nonrootUser() *Rule {
	return &Rule{
		ID:    "nonroot-user",
		Title: "Non-root user",
		Note: "Runtime images run as an unprivileged user. It is written as a number, so that Kubernetes can check it; files that the program writes belong to it; " +
			"accounts that a RUN made are replaced by it. A USER root that the file asks for stays and is reported.",
		Before: "RUN useradd -m app\nCOPY --chown=app:app . .\nUSER app",
		After:  "COPY --chown=65532:65532 . .\nUSER 65532:65532",
		URL:    "https://docs.docker.com/dhi/how-to/troubleshoot/#permissions",
		Run:    runNonrootUser,
	}
}

func runNonrootUser(p *Pass) {
	p.drops()
	p.inserts()
	p.renamedOwners()
	root := p.finalRoot()
	if root == nil || root.Pick == nil || p.Shape == strategy.ShapeNone {
		return
	}
	f := p.Final.Stage
	p.userNames()
	p.openFetched()
	if m := p.Move; m != nil {
		for _, e := range m.Edits {
			p.change(Finding{Edits: []dockerfile.Edit{e}, Before: m.From, After: m.To,
				Why: fmt.Sprintf("%s is root's home directory, which the unprivileged user may not enter; the files and the program move together", m.From)})
		}
	}
	if p.RunUser.Root {
		text := "The image still runs as root, because the Dockerfile says so."
		if p.Shape != strategy.ShapeDev {
			text += " Without that line it runs as an unprivileged user."
		}
		p.check(text, p.userLine())
	}
	switch {
	case p.RunUser.Add && p.New == nil && p.Shape == strategy.ShapeDev:
		p.addUser(fmt.Sprintf("the old image ran as %s; the dev image runs as root unless it is told otherwise", f.End.EffectiveUser()))
	case p.RunUser.Add && p.New == nil:
		p.addUser(fmt.Sprintf("the image runs as this user already (%s); written as a number Kubernetes can check runAsNonRoot", p.finalRoot().Pick.Def.RunUser().Name))
	}
	if p.Shape != strategy.ShapeDev && !p.RunUser.Root {
		old := f.End.EffectiveUser()
		switch o := root.Origin; {
		case old == "" && (o == nil || !o.Config.Known):
			p.after(fmt.Sprintf("Which user the old image ran as is not known here; the container runs as %s now. Paths that it writes to, mounted volumes above all, must be writable for that user.", p.RunUser.Spec), p.userLine())
		case old == "" || f.End.Root():
			p.after(fmt.Sprintf("The container ran as root and now runs as %s. Paths that it writes to, mounted volumes above all, must be writable for that user.", p.RunUser.Spec), p.userLine())
			p.rootsOwn(root.Pick, "it was root itself")
		case !p.sameAs(old):
			p.after(fmt.Sprintf("The container ran as %s and now runs as %s. Files on mounted volumes that belong to the old user must change hands.", old, p.RunUser.Spec), p.userLine())
		}
		if old != "" && !f.End.Root() && p.owned(f.End.WorkDir) {
			p.rootsOwn(root.Pick, "the directory was its own")
		}
	}
	if a := p.RunUser.Argument; a != "" {
		p.check(fmt.Sprintf("The number of the user was the build argument %s. It is written out now: setting %s in a build does not change the user any more.", a, a), p.userLine())
	}
	p.homeless()
	if w := p.mounts(); len(w) > 0 && p.Shape != strategy.ShapeDev && !p.RunUser.Root {
		p.Checks = append(p.Checks, Check{Rule: "nonroot-user", After: true, Where: w,
			Text: fmt.Sprintf("Volumes are mounted into the container here. The files on them must be readable, and where the program writes, writable for %s.", p.RunUser.Spec)})
	}
	p.volumes(root)
	p.notes()
}

// sameAs tells whether the container runs as the same user as before.
func (p *Pass) sameAs(old string) bool {
	return strings.HasPrefix(p.RunUser.Spec, userName(old)) || sameUser(p, old) || p.keepsNumber(old)
}

// userName is the user of user:group.
func userName(owner string) string {
	name, _, _ := strings.Cut(owner, ":")
	return name
}

func sameUser(p *Pass, old string) bool {
	root := p.finalRoot()
	u, ok := root.Pick.Def.User(userName(old))
	return ok && strings.HasPrefix(p.RunUser.Spec, fmt.Sprint(u.UID)+":")
}

// keepsNumber tells whether the container runs as a number that the file itself
// gave the account it ran as: files that belong to it stay its own.
func (p *Pass) keepsNumber(old string) bool {
	spec, named := p.RunUser.Names[old]
	return named && spec == p.RunUser.Spec && p.whose(spec) == fileNumber
}

// finalRoot is the stage whose image the final stage stands on.
func (p *Pass) finalRoot() *strategy.Stage {
	for _, s := range p.All {
		if s.Stage == p.Final.Stage.Root() {
			return s
		}
	}
	return nil
}

func (p *Pass) userLine() int {
	line := p.Final.From.Lines[0]
	for _, st := range p.Final.ChainSteps() {
		if st.Keyword == "USER" {
			line = st.Lines[0]
		}
	}
	return line
}

// userNames replaces accounts that the image does not have by numbers, in USER
// and in --chown, where the instruction stays in the final image.
func (p *Pass) userNames() {
	last := p.lastUser()
	for _, st := range p.Final.ChainSteps() {
		if p.Shape == strategy.ShapeSplit && p.staysBehind(st) {
			continue
		}
		if p.Shape == strategy.ShapeRebase && st.Stage != p.Final.Stage {
			continue
		}
		if p.Goes(st) {
			continue
		}
		if st.Keyword == "USER" {
			old := strings.Trim(strings.TrimSpace(st.Text), `"'`)
			if to, ok := p.RunUser.Names[old]; ok && len(st.Words) > 0 {
				p.change(Finding{Edits: []dockerfile.Edit{replace(st.Words[0].Span, to)}, Before: "USER " + old, After: "USER " + to,
					Why: fmt.Sprintf("the image has no account %s; %s is %s, and Kubernetes can check a number", old, to, p.whose(to))})
			} else if st == last && p.Shape != strategy.ShapeDev && accountName(old) {
				p.change(Finding{Edits: []dockerfile.Edit{replace(st.Words[0].Span, p.RunUser.Spec)}, Before: "USER " + old, After: "USER " + p.RunUser.Spec,
					Why: fmt.Sprintf("%s is %s in the image; Kubernetes can check runAsNonRoot with the number only", old, p.RunUser.Spec)})
			}
		}
		if dir, ok := p.RunUser.Owned[st]; ok {
			p.addFlag(st, "--chown="+p.RunUser.Spec, fmt.Sprintf("A RUN gave %s to the user of the program; COPY does that now.", dir))
		}
		if p.RunUser.Given[st] && p.RunUser.Owned[st] == "" {
			p.addFlag(st, "--chown="+p.RunUser.Spec, "As root the program could write beside its files; they belong to the user that it runs as now.")
		}
		if file, ok := p.RunUser.Private[st]; ok && !p.RunUser.Given[st] && p.RunUser.Owned[st] == "" {
			p.addFlag(st, "--chown="+p.RunUser.Spec, fmt.Sprintf("Only its owner can read %s, and the program does not run as root any more.", file))
		}
		if p.RunUser.Fetched[st] && !p.RunUser.Given[st] && p.RunUser.Owned[st] == "" {
			p.readable(st)
		}
		if st.Copy != nil {
			if to, ok := p.RunUser.Names[st.Copy.Chown]; ok && st.Copy.Chown != "" {
				for _, fl := range st.Flags {
					if fl.Name == "chown" {
						p.change(Finding{Edits: []dockerfile.Edit{replace(fl.ValueSpan, to)}, Before: "--chown=" + fl.Value, After: "--chown=" + to,
							Why: fmt.Sprintf("the image has no account %s: the build would stop here", st.Copy.Chown)})
					}
				}
			}
		}
	}
}

// lastUser is the USER that the final image runs as; nil when it has none of its
// own, or root.
func (p *Pass) lastUser() (last *assess.Step) {
	for _, st := range p.Final.ChainSteps() {
		if st.Keyword == "USER" {
			last = st
		}
	}
	if last == nil || len(last.Words) == 0 || p.RunUser.Root || p.RunUser.Add {
		return nil
	}
	return last
}

// accountName tells whether the text of a USER is the name of an account alone.
func accountName(s string) bool {
	return s != "" && s != "root" && !strings.ContainsAny(s, ":$") && strings.Trim(s, "0123456789") != ""
}

// openFetched lets the program read what a build stage fetched for it.
func (p *Pass) openFetched() {
	for _, s := range p.All {
		for _, st := range s.Steps {
			if p.Opened[st] {
				p.readable(st)
			}
		}
	}
}

// readable lets others than root read the file that an ADD fetches.
func (p *Pass) readable(st *assess.Step) {
	p.addFlag(st, strategy.Readable, "ADD makes what it fetches from a URL readable for root alone, and the program does not run as root any more.")
}

// addFlag gives an instruction a flag that it has not.
func (p *Pass) addFlag(st *assess.Step, flag, why string) {
	at := st.Span.Start + len(st.Keyword)
	p.change(Finding{Edits: []dockerfile.Edit{{Span: dockerfile.Span{Start: at, End: at}, New: " " + flag}}, Lines: st.Lines, After: flag, Why: why})
}

// renamedOwners replaces accounts that the image of a build stage does not have.
func (p *Pass) renamedOwners() {
	for _, s := range p.All {
		for _, st := range s.Steps {
			to, ok := p.Renamed[st]
			switch {
			case !ok:
			case st.Keyword == "USER" && len(st.Words) > 0:
				p.change(Finding{Edits: []dockerfile.Edit{replace(st.Words[0].Span, to)}, Lines: st.Lines, Before: "USER " + st.Words[0].Text, After: "USER " + to,
					Why: "The image of this build stage has no such account; nothing but the build runs as it."})
			case st.Copy != nil:
				for _, fl := range st.Flags {
					if fl.Name == "chown" {
						p.change(Finding{Edits: []dockerfile.Edit{replace(fl.ValueSpan, to)}, Lines: st.Lines, Before: "--chown=" + fl.Value, After: "--chown=" + to,
							Why: "The image of this build stage has no such account: the build would stop here."})
					}
				}
			}
		}
	}
}

// fileNumber says of a user that the file chose its number.
const fileNumber = "the number that the file gave that account"

// whose says where the number of a user is from.
func (p *Pass) whose(spec string) string {
	u := strategy.ProgramUser(p.finalRoot().Pick.Def)
	if p.New != nil {
		u = p.New.Pick.Def.RunUser()
	}
	if spec == fmt.Sprintf("%d:%d", u.UID, u.GID) {
		return "its unprivileged user"
	}
	return fileNumber
}

// staysBehind tells whether a step is in the build stage after a split.
func (p *Pass) staysBehind(st *assess.Step) bool {
	if st.Stage != p.Final.Stage {
		return true
	}
	if p.New == nil || p.New.At == nil {
		return false
	}
	return st.Lines[0] <= p.New.At.Lines[0]
}

// addUser writes the numeric user in front of the start command, with the
// reason for it.
func (p *Pass) addUser(why string) {
	f := p.Final.Stage
	var before *assess.Step
	for i := len(f.Steps) - 1; i >= 0; i-- {
		switch f.Steps[i].Keyword {
		case "CMD", "ENTRYPOINT", "HEALTHCHECK", "EXPOSE", "STOPSIGNAL":
			if !p.dropped(f.Steps[i]) {
				before = f.Steps[i]
			}
			continue
		}
		break
	}
	text := "USER " + p.RunUser.Spec
	var e dockerfile.Edit
	line := f.From.Lines[1]
	switch {
	case before != nil:
		e = p.File.InsertBefore(before.Instruction, p.File.Indent(before.Instruction)+text)
		line = before.Lines[0]
	case len(f.Steps) > 0:
		last := f.Steps[len(f.Steps)-1]
		e = p.File.InsertAfter(last.Instruction, text)
		line = last.Lines[1]
	default:
		e = p.File.InsertAfter(f.From, text)
	}
	p.change(Finding{Rule: "nonroot-user", Edits: []dockerfile.Edit{e}, Lines: [2]int{line, line}, After: text, Why: sentence(why)})
}

func (p *Pass) dropped(st *assess.Step) bool {
	for _, d := range p.Drops {
		if d.Step == st {
			return true
		}
	}
	for _, r := range []*strategy.Rewrite{p.Start.Cmd, p.Start.Entrypoint} {
		if r != nil && r.Step == st && r.Text == "" {
			return true
		}
	}
	return false
}

package strategy

import (
	"path"

	"dhibot/rewrite/assess"
)

// keepHome keeps the home directory of an account the account's own, where the
// program runs in it: the RUN that made both goes away, and WORKDIR would make
// the directory for the image's user, who is somebody else. WORKDIR makes it for
// the user of the instructions above it, so USER comes first. Source: BuildKit,
// dispatchWorkdir.
func (d *decider) keepHome() {
	f, home := d.Final.Stage, d.RunUser.Home
	if home == "" || d.New != nil || f.End.WorkDir != home || !d.Goes(d.RunUser.HomeStep) {
		return
	}
	at, lines := d.homeFirst(f, home)
	if at == nil {
		return
	}
	d.Inserts = append(d.Inserts, Insert{Stage: f, Before: at, Line: Line{Rule: "nonroot-user", Text: "ENV HOME=" + home + lines,
		Why: "the account owned its home directory, and the program runs in it: it is made for the same number, and without the account nothing else tells where it is"}})
}

// homeFirst is the instruction that makes the home directory now, with the lines
// that it needs above it to make it for the account; nil when the account did
// not own the directory, or when that cannot be said.
func (d *decider) homeFirst(f *assess.Stage, home string) (at *assess.Step, lines string) {
	after := d.RunUser.HomeStep.Stage != f
	for i, st := range f.Steps {
		makes := ""
		switch {
		case st == d.RunUser.HomeStep:
			after = true
			continue
		case d.Goes(st):
			continue
		case st.Run != nil:
			return nil, "" // it would run as somebody else
		case st.Keyword == "WORKDIR":
			makes = f.End.WorkDir
			if i+1 < len(f.Steps) {
				makes = f.Steps[i+1].Before.WorkDir
			}
		case st.Copy != nil:
			makes = madeBy(st.Copy)
		}
		if at != nil || makes != home && path.Clean(makes) != home && !under(makes, home) {
			continue
		}
		if !after {
			return nil, "" // root made it, before there was an account
		}
		switch at = st; {
		case st.Copy != nil && st.Copy.Chown == "":
			if !absoluteUntilWorkDir(f.Steps[i:]) {
				return nil, ""
			}
			lines = "\nUSER " + d.RunUser.Spec + "\nWORKDIR " + home
		case st.Copy == nil && st.Before.User != f.End.User:
			lines = "\nUSER " + d.RunUser.Spec
		}
	}
	return at, lines
}

package plan

import (
	"crypto/sha1" // #nosec G505 -- git's object ids, not a signature
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"dhibot/bot/body"
	"dhibot/bot/config"
	"dhibot/rewrite"
)

// Decide says what to do. It changes nothing and asks nobody.
func Decide(s State, c config.Config, results []*rewrite.Result) Plan {
	p := decide(s, c, results)
	if !s.Ask.Person() {
		p.Reply = ""
	}
	return p
}

// Looks tells whether Decide needs to know what the engine makes of the
// Dockerfiles; for a repository in which nothing can be done it need not run.
func Looks(s State, c config.Config) bool {
	if _, stop := unable(s, c); stop {
		return false
	}
	open := s.Pull != nil && s.Pull.Open
	if !open && (s.Ask.Kind == Rebase || s.Ask.Kind == Ignore || s.Ask.moved() || s.Ask.Kind == Turn && !automatic(s, c)) {
		return false
	}
	return !isNo(s) || c.Reopen == config.Changed
}

// automatic tells whether the App may open a pull request unasked. A fork is
// somebody's workbench; it gets a proposal when its owner asks.
func automatic(s State, c config.Config) bool { return c.Mode == config.Open && !s.Repository.Fork }

// isNo tells that a person has closed the pull request and nobody has asked
// again.
func isNo(s State) bool {
	if s.Pull == nil || s.Pull.Open || s.Pull.Merged || s.Pull.Marker.Closed {
		return false
	}
	return !s.Ask.Again && s.Ask.Kind != Recreate
}

func decide(s State, c config.Config, results []*rewrite.Result) Plan {
	if p, stop := unable(s, c); stop {
		return p
	}
	if p, stop := unwanted(s, c, results); stop {
		return p
	}
	if len(body.Changed(results)) == 0 {
		return nothing(s, results)
	}
	if p, stop := occupied(s); stop {
		return p
	}
	return write(s, results)
}

// Able tells whether anything can be done in a repository, whatever is in it.
func Able(s State, c config.Config) bool {
	_, stop := unable(s, c)
	return !stop
}

// unable are the repositories in which nothing can be done.
func unable(s State, c config.Config) (Plan, bool) {
	switch {
	case s.Repository.Archived || s.Repository.Disabled:
		return refuse(Archived, replyArchived()), true
	case s.Repository.Empty || s.Base == "":
		return refuse(Empty, replyEmpty()), true
	case s.Repository.DefaultBranch == s.Group.Branch():
		return refuse(BranchTaken, replyDefaultBranch(s.Group)), true
	case c.Mode == config.Off:
		return refuse(SwitchedOff, ReplyOff()), true
	case c.Mode == config.Report && !s.Ask.Preview:
		return refuse(ReportOnly, replyReport()), true
	case s.TooMuch:
		return refuse(TooMuch, replyTooMuch()), true
	case len(s.Unmatched) > 0:
		return refuse(NoDockerfile, replyNoDockerfile(s.Unmatched)), true
	}
	return Plan{}, false
}

// unwanted are the cases in which a person has said no, or nobody has said yes.
func unwanted(s State, c config.Config, results []*rewrite.Result) (Plan, bool) {
	open := s.Pull != nil && s.Pull.Open
	switch {
	case s.Ask.Kind == Ignore && s.Pull == nil:
		return refuse(NoPull, replyNowhere(s.Ask)), true
	case s.Ask.Kind == Ignore && (!open || s.Pull.Queued || !untouched(s)):
		// The branch is not ours to write, or not now; what was said still holds.
		return Plan{Reason: Remembers, Actions: []Action{Remember{Number: s.Pull.Number}}, Reply: replyRemembers(s.Pull)}, true
	case s.Ask.Kind == Rebase && !open:
		return refuse(NoPull, replyNoPull()), true
	case (s.Ask.moved() || s.Ask.Kind == Turn) && !open && !automatic(s, c):
		return Plan{Reason: NotAutomatic}, true
	case s.Ask.moved() && !open:
		// Many pushes in a day would be many pull requests: the campaign opens
		// them, a few at a time.
		return Plan{Reason: NotYet}, true
	}
	if !isNo(s) {
		return Plan{}, false
	}
	if c.Reopen == config.Changed && len(body.Changed(results)) > 0 && s.Pull.Marker.Proposal != Digest(results) {
		return Plan{}, false
	}
	return refuse(ClosedByHuman, replyClosed(s.Pull)), true
}

// Regroup says what to do with an open pull request of a group that the settings
// do not make any more: it is closed, and what it proposes comes in others. One
// that is not ours to close stays, and is told why nothing happens to it.
func Regroup(s State, c config.Config) Plan {
	p, stop := unable(s, c)
	switch {
	case stop:
	case untouched(s) && !s.Pull.Queued:
		why := closeRegrouped(c)
		p = Plan{Reason: Regrouped, Actions: []Action{ClosePull{Number: s.Pull.Number, Why: why}}, Reply: replyRegrouped(s.Pull)}
	default:
		const topic = "regrouped"
		p = refuse(Regrouped, replyKept(s.Pull))
		if !slices.Contains(s.Pull.Marker.Told, topic) {
			p.Actions = []Action{Tell{Number: s.Pull.Number, Topic: topic, Text: tellRegrouped(c)}}
		}
	}
	if !s.Ask.Person() {
		p.Reply = ""
	}
	return p
}

// nothing is when no file would change.
func nothing(s State, results []*rewrite.Result) Plan {
	failed := 0
	for _, r := range results {
		if r.Outcome == rewrite.Failed {
			failed++
		}
	}
	if len(results) == 0 && len(s.Passed) == 0 && (s.Pull == nil || !s.Pull.Open) {
		return refuse(NoDockerfile, replyNoDockerfile(nil))
	}
	if failed > 0 {
		// The open pull request stays: what it proposes may be right once the
		// file can be read again.
		return refuse(AllFailed, replyNothing(s, results))
	}
	if s.Pull != nil && s.Pull.Open && untouched(s) && !s.Pull.Queued {
		why := replyObsolete(results)
		return Plan{Reason: Obsolete, Actions: []Action{ClosePull{Number: s.Pull.Number, Why: why}}, Reply: why}
	}
	return Plan{Reason: NothingToDo, Reply: replyNothing(s, results)}
}

// occupied are the cases in which the branch is not ours to write.
func occupied(s State) (Plan, bool) {
	force := s.Ask.Kind == Recreate
	switch {
	case s.Stranger != nil:
		return refuse(BranchTaken, replyStranger(s.Stranger)), true
	case s.Pull != nil && s.Pull.Open && s.Pull.Queued:
		return refuse(InMergeQueue, replyQueued(s.Pull)), true
	case s.Pull != nil && s.Pull.Open && !untouched(s) && !force:
		p := refuse(HumanCommits, replyHuman(s.Pull))
		const topic = "moved"
		if !s.Ask.Person() && s.Ask.Kind != Follow && s.Base != s.Pull.Marker.Base && !slices.Contains(s.Pull.Marker.Told, topic) {
			p.Actions = []Action{Tell{Number: s.Pull.Number, Topic: topic, Text: tellMoved()}}
		}
		return p, true
	case (s.Pull == nil || !s.Pull.Open) && !untouched(s) && (!force || s.Pull == nil):
		// Recreate is about a pull request of ours. When there never was one,
		// the branch is somebody else's work from its beginning.
		return refuse(BranchTaken, replyTaken(s.Group)), true
	}
	return Plan{}, false
}

// write opens or updates the pull request.
func write(s State, results []*rewrite.Result) Plan {
	commit := WriteBranch{Base: s.Base, Old: s.Head, Files: Files(results)}
	if s.Pull == nil || !s.Pull.Open {
		return Plan{Reason: Opens, Actions: []Action{commit, OpenPull{}}}
	}
	m := s.Pull.Marker
	digest := Digest(results)
	fresh := s.HeadWritten && (s.HeadBase == s.Base || s.Ask.Kind == Follow && s.Pull.Base == s.Repository.DefaultBranch) && s.HeadProposal == digest
	if fresh && !m.Closed && m.Proposal == digest && s.Ask.Kind != Recreate {
		if s.Ask.Kind == Ignore {
			return Plan{Reason: Remembers, Actions: []Action{Remember{Number: s.Pull.Number}}, Reply: replyRemembers(s.Pull)}
		}
		return Plan{Reason: UpToDate, Reply: replyUpToDate(s.Pull)}
	}
	return Plan{Reason: Updates, Actions: []Action{commit, EditPull{Number: s.Pull.Number}}, Reply: replyUpdates(s.Pull, results)}
}

// untouched tells that nobody but us has pushed to the branch of our open pull
// request. A branch that is gone was deleted by somebody, which closes the pull
// request; an open one without a branch is a moment in between.
func untouched(s State) bool { return s.Head == "" || s.HeadWritten }

func refuse(why Reason, reply string) Plan {
	return Plan{Reason: why, Refused: true, Reply: reply}
}

// Digest tells proposals apart: the same files with the same content have the
// same digest, whatever commit they are made on.
func Digest(results []*rewrite.Result) string {
	ids := map[string]string{}
	for _, f := range Files(results) {
		ids[f.Path] = blobID(f.Content)
	}
	return DigestOf(ids)
}

// DigestOf is the same from paths and git's object ids of their contents, for
// what is in a commit already.
func DigestOf(ids map[string]string) string {
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(ids)) {
		fmt.Fprintf(h, "%d %s %s\n", len(path), path, ids[path])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// blobID is the object id that git gives a file.
func blobID(content []byte) string {
	h := sha1.New() // #nosec G401 -- git's object ids, not a signature
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

package command

// Rebase asks to make the proposal anew from the newest commit of the default
// branch.
type Rebase struct{}

// Command names it.
func (Rebase) Command() string { return rebase.Name }

var rebase = Command{
	Name:     "rebase",
	Summary:  "Make the open pull request anew from the newest commit of the default branch. Commits that somebody else pushed to its branch are never thrown away by this.",
	Examples: []string{"/dhi rebase"},
	Access:   Writer,
	OnPull:   "/dhi rebase",
	read:     func(*args) Request { return Rebase{} },
}

package command

// Status asks how things stand.
type Status struct{}

// Command names it.
func (Status) Command() string { return status.Name }

var status = Command{
	Name:     "status",
	Summary:  "Say how things stand here: the pull request, its branch, the settings, and what is ignored.",
	Examples: []string{"/dhi status"},
	Access:   Anyone,
	read:     func(*args) Request { return Status{} },
}

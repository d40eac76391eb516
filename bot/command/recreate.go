package command

// Recreate asks to write the proposal anew, whatever is on the branch.
type Recreate struct{}

// Command names it.
func (Recreate) Command() string { return recreate.Name }

var recreate = Command{
	Name:     "recreate",
	Summary:  "Write the proposal anew and throw away what else was pushed to its branch.",
	Examples: []string{"/dhi recreate"},
	Access:   Writer,
	read:     func(*args) Request { return Recreate{} },
}

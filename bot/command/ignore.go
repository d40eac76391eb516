package command

import "time"

// Ignore asks to leave something alone.
type Ignore struct {
	What  string // path, folder, glob or image
	Until string // first day on which it is looked at again, YYYY-MM-DD; "" for good
}

// Command names it.
func (Ignore) Command() string { return ignore.Name }

var ignore = Command{
	Name:    "ignore",
	Usage:   "<path|image> [--until YYYY-MM-DD]",
	Summary: "Leave a Dockerfile, a folder, or everything built on an image alone from now on, or until a day.",
	Examples: []string{
		"/dhi ignore legacy/",
		"/dhi ignore node --until 2027-01-31",
	},
	Access: Writer,
	OnPull: "/dhi ignore PATH",
	read: func(a *args) Request {
		until := a.value("until")
		if _, err := time.Parse(time.DateOnly, until); until != "" && err != nil {
			a.refuse("--until "+until, "a day is written like 2027-01-31")
		}
		return Ignore{What: a.one("a path or an image"), Until: until}
	},
}

// Unignore takes an Ignore back.
type Unignore struct{ What string }

// Command names it.
func (Unignore) Command() string { return unignore.Name }

var unignore = Command{
	Name:     "unignore",
	Usage:    "<path|image>",
	Summary:  "Take `/dhi ignore` back.",
	Examples: []string{"/dhi unignore legacy/"},
	Access:   Writer,
	read:     func(a *args) Request { return Unignore{What: a.one("a path or an image")} },
}

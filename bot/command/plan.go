package command

// Plan asks what a migration would do.
type Plan struct {
	Paths  []string // as in Migrate
	Distro string
}

// Command names it.
func (Plan) Command() string { return planCommand.Name }

var planCommand = Command{
	Name:     "plan",
	Usage:    "[path…] [--distro keep|debian|alpine]",
	Summary:  "Show what `/dhi migrate` would do, and change nothing.",
	Examples: []string{"/dhi plan", "/dhi plan services/api"},
	Access:   Writer,
	read: func(a *args) Request {
		return Plan{Distro: a.value("distro", "keep", "debian", "alpine"), Paths: a.words()}
	},
}

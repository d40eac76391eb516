package command

// Migrate asks for a pull request that migrates Dockerfiles.
type Migrate struct {
	// Paths are files, folders or globs to restrict it to; empty means all.
	Paths []string
	// Distro is "", "keep", "debian" or "alpine"; "" takes the configuration's.
	Distro string
	// Again overrules that somebody closed the pull request.
	Again bool
}

// Command names it.
func (Migrate) Command() string { return migrate.Name }

var migrate = Command{
	Name:    "migrate",
	Usage:   "[path…] [--distro keep|debian|alpine] [--again]",
	Summary: "Open a pull request that moves the Dockerfiles of this repository to Docker Hardened Images, or update the one that is open. With paths, only those files, folders or globs. `--again` proposes it once more after somebody closed it.",
	Examples: []string{
		"/dhi migrate",
		"/dhi migrate services/api --distro alpine",
		"/dhi migrate --again",
	},
	Access: Writer,
	OnPull: "/dhi migrate --distro alpine",
	read: func(a *args) Request {
		return Migrate{
			Distro: a.value("distro", "keep", "debian", "alpine"),
			Again:  a.flag("again"),
			Paths:  a.words(),
		}
	},
}

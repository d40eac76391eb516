package catalog

// Config is what an upstream image brings along: what a Dockerfile relies on
// without saying it. Facts with their source, see data/upstream-config.json.
type Config struct {
	Known          bool
	Entrypoint     []string
	Cmd            []string
	User           string
	WorkDir        string
	Env            map[string]string
	Ports          []string
	Volumes        []string
	StopSignal     string
	PackageManager string   // apt, apk, dnf, microdnf, yum, tdnf or ""
	Shell          bool     // has /bin/sh
	Bash           bool     // has bash
	Programs       []string // notable programs: curl, wget, git, make, gcc, unzip, python3, npm ...
	Users          []User   // accounts beyond the usual system ones: node 1000, www-data 33, nginx 101, app 1654
	Source         string

	distro  Distro
	release string
	foreign string
}

func upstreamConfig(o *Origin) Config { return Config{} }

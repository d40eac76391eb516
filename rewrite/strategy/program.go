package strategy

// programs are the packages that bring a program, "" when the image has it.
// Sources: Debian's and Alpine's package contents; the names are the same in
// Debian 12 and 13 and in Alpine 3.22 to 3.24.
var programs = map[string]struct{ apt, apk string }{
	"curl":        {"curl", "curl"},
	"wget":        {"wget", ""}, // BusyBox has wget
	"git":         {"git", "git"},
	"make":        {"make", "make"},
	"gcc":         {"build-essential", "build-base"},
	"cc":          {"build-essential", "build-base"},
	"g++":         {"build-essential", "build-base"},
	"c++":         {"build-essential", "build-base"},
	"cmake":       {"cmake", "cmake"},
	"autoconf":    {"autoconf", "autoconf"},
	"automake":    {"automake", "automake"},
	"pkg-config":  {"pkg-config", "pkgconf"},
	"unzip":       {"unzip", ""}, // BusyBox has unzip
	"zip":         {"zip", "zip"},
	"tar":         {"tar", ""},
	"gzip":        {"gzip", ""},
	"gunzip":      {"gzip", ""},
	"bzip2":       {"bzip2", ""},
	"xz":          {"xz-utils", "xz"},
	"ps":          {"procps", ""},
	"hostname":    {"hostname", ""},
	"which":       {"debianutils", ""},
	"file":        {"file", "file"},
	"patch":       {"patch", ""},
	"perl":        {"perl", "perl"},
	"python3":     {"python3", "python3"},
	"rsync":       {"rsync", "rsync"},
	"ssh":         {"openssh-client", "openssh-client"},
	"ssh-keyscan": {"openssh-client", "openssh-client"},
	"ssh-keygen":  {"openssh-client", "openssh-client"},
	"scp":         {"openssh-client", "openssh-client"},
	"gpg":         {"gnupg", "gnupg"},
	"bash":        {"bash", "bash"},
	"useradd":     {"passwd", "shadow"},
	"groupadd":    {"passwd", "shadow"},
	"usermod":     {"passwd", "shadow"},
	"groupmod":    {"passwd", "shadow"},
	"userdel":     {"passwd", "shadow"},
	"groupdel":    {"passwd", "shadow"},
	"gpasswd":     {"passwd", "shadow"},
	"chage":       {"passwd", "shadow"},
	"chpasswd":    {"passwd", ""}, // BusyBox has chpasswd
	"adduser":     {"adduser", ""},
	"addgroup":    {"adduser", ""},
	"deluser":     {"adduser", ""},
	"delgroup":    {"adduser", ""},
	"su":          {"login", ""},
	"envsubst":    {"gettext-base", "gettext-envsubst"},
	"jq":          {"jq", "jq"},
	"openssl":     {"openssl", "openssl"},
	"sqlite3":     {"sqlite3", "sqlite"},
	"svn":         {"subversion", "subversion"},
	"hg":          {"mercurial", "mercurial"},
	// Headers are no programs either.
	"libssl-dev":                 {"libssl-dev", "openssl-dev"},
	"libpq-dev":                  {"libpq-dev", "libpq-dev"},
	"default-libmysqlclient-dev": {"default-libmysqlclient-dev", "mariadb-dev"},
	"libsqlite3-dev":             {"libsqlite3-dev", "sqlite-dev"},
	"libcurl4-openssl-dev":       {"libcurl4-openssl-dev", "curl-dev"},
	"zoneinfo":                   {"tzdata", "tzdata"}, // no program: the files of the time zones
}

// programPackage names the package that brings a program, per package manager.
func programPackage(program, manager string) (string, bool) {
	n, ok := programs[program]
	if !ok {
		return "", false
	}
	switch manager {
	case "apt":
		return n.apt, n.apt != ""
	case "apk":
		return n.apk, n.apk != ""
	}
	return "", false
}

// packageClass says what a package of the operating system is for once the
// image is built.
type packageClass int

const (
	pkgRuntime packageClass = iota // the program may load or run it: unknown counts as this
	pkgBuild                       // needed while building only
	pkgImplied                     // what every DHI image has anyway
	pkgZone                        // time zones
	pkgTool                        // for people: editors, network tools
)

// classify tells what a package is for. Unknown packages count as needed at
// run time.
func classify(name string) packageClass {
	switch name {
	case "ca-certificates", "ca-certificates-bundle", "apt-utils", "apt-transport-https", "base-files", "libc6-compat", "gcompat":
		if name == "libc6-compat" || name == "gcompat" {
			return pkgRuntime
		}
		return pkgImplied
	case "tzdata":
		return pkgZone
	case "gcc", "g++", "make", "cmake", "build-essential", "build-base", "python3-dev", "python-dev", "musl-dev", "libc-dev", "libc6-dev",
		"linux-headers", "autoconf", "automake", "libtool", "pkg-config", "pkgconf", "pkgconfig", "git", "unzip", "zip", "xz-utils", "xz", "tar", "gzip",
		"bzip2", "patch", "file", "gnupg", "gnupg2", "gpg", "software-properties-common", "lsb-release", "dirmngr", "python3-pip", "py3-pip",
		"python3-setuptools", "python3-wheel", "python3-venv", "python3-virtualenv", "ninja-build", "ninja", "nasm", "yasm", "bison", "flex", "gfortran",
		"cargo", "rustc", "wget", "curl", "git-lfs", "dpkg-dev", "fakeroot", "apt-file", "equivs", "ccache", "clang", "llvm", "lld", "binutils", "upx", "upx-ucl",
		"dos2unix", "shadow", "passwd", "adduser", "protobuf-compiler", "protoc", "swig", "debhelper", "devscripts", "rsync", "node-gyp", "npm", "yarn", "yarnpkg", "maven", "gradle", "ant":
		return pkgBuild
	case "vim", "vim-tiny", "nano", "less", "htop", "top", "procps", "net-tools", "iputils-ping", "iproute2", "dnsutils", "bind9-dnsutils", "bind-tools",
		"telnet", "netbase", "netcat", "netcat-openbsd", "nmap", "strace", "gdb", "lsof", "tcpdump", "traceroute", "man-db", "tree", "screen", "tmux", "mc",
		"bash-completion", "iotop", "sysstat", "psmisc", "jq", "httpie", "sudo", "openssh-client", "locales-all", "zsh", "fish", "emacs", "vim-common":
		return pkgTool
	}
	return pkgRuntime
}

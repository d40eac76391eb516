package shell

import (
	"strings"
)

// Account is a user or a group that the text makes or changes.
type Account struct {
	Kind string // "user" or "group"
	Name string
	// UID of a user; GID of a group, or the primary group of a user as
	// written, which may be a name. "" when the command does not say.
	UID, GID string
	// Groups are further groups of a user.
	Groups []string
	Home   string
	Shell  string
	System bool
	// CreateHome says that the home directory is made: true for BusyBox and
	// Debian adduser unless told otherwise, for useradd only with -m.
	CreateHome bool
	// Changes says that an existing account is changed (usermod).
	Changes bool
	// Literal says that everything above is literal.
	Literal bool
	Cmd     *Command
}

// Accounts are the users and groups that the text makes or changes, in order.
// The groups that adduser and useradd make on the side (a group of the user's
// own name) are not listed.
//
// The answer is worked out once; callers must not change it.
func (s *Script) Accounts() []Account {
	s.accountsOnce.Do(func() { s.accounts = s.readAccounts() })
	return s.accounts
}

func (s *Script) readAccounts() []Account {
	var out []Account
	for _, c := range s.Commands {
		switch c.Name {
		case "useradd", "usermod":
			out = append(out, useradd(c))
		case "groupadd", "groupmod":
			out = append(out, groupadd(c))
		case "adduser":
			out = append(out, adduser(c))
		case "addgroup":
			out = append(out, addgroup(c))
		}
	}
	return out
}

// option is one option of a command with its value.
type option struct {
	name  string // "-u" or "--uid"; "" for an operand
	value Arg
}

// options reads options: values are the short ones that take a value,
// longValues the long ones. Bundles (-mrs /bin/sh) are taken apart.
func options(args []Arg, values, longValues string) []option {
	var out []option
	for i := 0; i < len(args); i++ {
		a := args[i]
		t := a.Text
		switch {
		case t == "--":
			for _, r := range args[i+1:] {
				out = append(out, option{"", r})
			}
			return out
		case strings.HasPrefix(t, "--"):
			n, v, has := strings.Cut(t, "=")
			o := option{name: n}
			if has {
				o.value = a
				o.value.Text = v
			} else if hasField(longValues, n) && i+1 < len(args) {
				i++
				o.value = args[i]
			}
			out = append(out, o)
		case len(t) > 1 && t[0] == '-':
			for k := 1; k < len(t); k++ {
				o := option{name: "-" + t[k:k+1], value: Arg{Literal: true}}
				if strings.IndexByte(values, t[k]) >= 0 {
					if k+1 < len(t) {
						o.value = a
						o.value.Text = t[k+1:]
					} else if i+1 < len(args) {
						i++
						o.value = args[i]
					}
					out = append(out, o)
					break
				}
				out = append(out, o)
			}
		default:
			out = append(out, option{"", a})
		}
	}
	return out
}

// hasField tells whether one of the words that blanks separate is name.
func hasField(words, name string) bool {
	for w := range strings.FieldsSeq(words) {
		if w == name {
			return true
		}
	}
	return false
}

// set stores a value and notes whether it was literal.
func (a *Account) set(dst *string, v Arg) {
	*dst = v.Text
	a.Literal = a.Literal && v.Literal
}

// useradd: shadow-utils, the same on Debian, Red Hat and Alpine's shadow.
func useradd(c *Command) Account {
	a := Account{Kind: "user", Literal: !c.OpenArgs, Changes: c.Name == "usermod", Cmd: c}
	for _, o := range options(c.Args, "bcdefgGkKpRPsuZ", "--base-dir --comment --home-dir --home --expiredate --inactive --gid --groups --skel --key --password --root --prefix --shell --uid --selinux-user --login --append-groups") {
		switch o.name {
		case "-u", "--uid":
			a.set(&a.UID, o.value)
		case "-g", "--gid":
			a.set(&a.GID, o.value)
		case "-G", "--groups":
			a.addGroups(o.value)
		case "-d", "--home-dir", "--home":
			a.set(&a.Home, o.value)
		case "-s", "--shell":
			a.set(&a.Shell, o.value)
		case "-r", "--system":
			a.System = true
		case "-m", "--create-home":
			a.CreateHome = !a.Changes
		case "-M", "--no-create-home":
			a.CreateHome = false
		case "":
			a.set(&a.Name, o.value)
		}
	}
	return a
}

func (a *Account) addGroups(v Arg) {
	a.Literal = a.Literal && v.Literal
	for g := range strings.SplitSeq(v.Text, ",") {
		if g != "" {
			a.Groups = append(a.Groups, g)
		}
	}
}

func groupadd(c *Command) Account {
	a := Account{Kind: "group", Literal: !c.OpenArgs, Changes: c.Name == "groupmod", Cmd: c}
	for _, o := range options(c.Args, "gKpRPnU", "--gid --key --password --root --prefix --new-name --users") {
		switch o.name {
		case "-g", "--gid":
			a.set(&a.GID, o.value)
		case "-r", "--system":
			a.System = true
		case "":
			a.set(&a.Name, o.value)
		}
	}
	return a
}

// adduser: long options are Debian's, single letters BusyBox's. Debian's
// `adduser USER GROUP` and BusyBox's add a user to a group.
func adduser(c *Command) Account {
	a := Account{Kind: "user", Literal: !c.OpenArgs, CreateHome: true, Cmd: c}
	var names []Arg
	group := false
	for _, o := range options(c.Args, "hgsGuk", "--home --shell --uid --gid --ingroup --gecos --comment --conf --firstuid --lastuid --firstgid --lastgid --add_extra_groups") {
		switch o.name {
		case "-u", "--uid":
			a.set(&a.UID, o.value)
		case "-G", "--ingroup", "--gid":
			a.set(&a.GID, o.value)
		case "-h", "--home":
			a.set(&a.Home, o.value)
		case "-s", "--shell":
			a.set(&a.Shell, o.value)
		case "-S", "--system":
			a.System = true
		case "-H", "--no-create-home":
			a.CreateHome = false
		case "--group":
			group = true
		case "":
			names = append(names, o.value)
		}
	}
	if len(names) > 0 {
		a.set(&a.Name, names[0])
	}
	if len(names) == 2 && a.UID == "" && !a.System && a.Home == "" {
		a.Changes, a.CreateHome = true, false
		a.addGroups(names[1])
	}
	if group && a.GID == "" && a.System {
		a.GID = a.Name // Debian: --system --group makes a group of the same name
	} else if group && !a.System {
		a.Kind, a.CreateHome = "group", false // Debian: adduser --group NAME
	}
	return a
}

func addgroup(c *Command) Account {
	a := Account{Kind: "group", Literal: !c.OpenArgs, Cmd: c}
	var names []Arg
	for _, o := range options(c.Args, "g", "--gid --conf --firstgid --lastgid") {
		switch o.name {
		case "-g", "--gid":
			a.set(&a.GID, o.value)
		case "-S", "--system":
			a.System = true
		case "":
			names = append(names, o.value)
		}
	}
	switch {
	case len(names) == 2: // BusyBox: addgroup USER GROUP
		a.Kind, a.Changes = "user", true
		a.set(&a.Name, names[0])
		a.addGroups(names[1])
	case len(names) > 0:
		a.set(&a.Name, names[0])
	}
	return a
}

package strategy

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/shell"
)

// runUser decides who the final stage runs as on the new image.
func (in *Input) runUser(final *assess.Stage, def *catalog.Definition, runtime bool) RunUser {
	u := def.RunUser()
	own := ProgramUser(def)
	spec := numbers(own)
	r := RunUser{Spec: spec}
	rename := func(from, to string) {
		if r.Names == nil {
			r.Names = map[string]string{}
		}
		r.Names[from] = to
	}
	// Names that the image does not have become numbers: the number that the
	// file gave, else the user of the image.
	given := in.givenNumbers(final)
	for _, st := range final.ChainSteps() {
		if c := st.Copy; c != nil && c.FromStage != nil && path.Clean(c.Dest) == "/etc/passwd" { // the accounts come along
			brought := in.givenNumbers(c.FromStage)
			if len(brought) > 0 {
				maps.Copy(brought, given)
				given = brought
			}
		}
	}
	if runtime && service(def.Image) && takesOver(final, def) {
		given = nil
	}
	name := func(n string) string {
		if v, ok := given[n]; ok {
			return v.spec
		}
		return spec
	}
	resolve := func(st *assess.Step, owner string) (string, bool) {
		owner = in.filledIn(st, owner)
		if owner == "" || strings.Contains(owner, "$") && !appUID(owner) {
			return "", false
		}
		user, group, _ := strings.Cut(owner, ":")
		if oldAccount(final, user, def) {
			return spec, true
		}
		if in.nameKnown(user, def, runtime, final) && (group == "" || in.groupKnown(group, def, runtime, final)) {
			return "", false
		}
		return name(user), true
	}
	last := ""
	for _, st := range final.ChainSteps() {
		if st.Keyword == "USER" {
			last, r.Argument = "", ""
			if to, ok := resolve(st, userOf(st)); ok {
				name := in.filledIn(st, userOf(st))
				rename(userOf(st), to)
				rename(name, to)
				last, r.Argument = to, given[name].argument
			}
		}
		if c := st.Copy; c != nil && c.Chown != "" {
			if to, ok := resolve(st, c.Chown); ok {
				rename(c.Chown, to)
			}
		}
	}
	switch {
	case final.End.Root() && final.End.User != "":
		r.Root = true
	case final.End.User == "" && runtime && u.UID != 0:
		r.Add = true
	case final.End.User == "" && !runtime && u.UID == 0 && own.UID != 0 && !final.End.Root() && final.End.EffectiveUser() != "":
		r.Add = true // the old image said so itself
	}
	if last != "" {
		r.Spec = last
	} else if final.End.User != "" && numeric(userPart(final.End.User)) {
		r.Spec = final.End.User
		if !strings.Contains(r.Spec, ":") {
			r.Spec += ":" + r.Spec
		}
	} else if d, ok := def.User(userPart(final.End.User)); ok && final.End.User != "" {
		r.Spec = numbers(catalog.User{UID: d.UID, GID: d.GID})
	}
	if r.Root {
		r.Spec = "0:0"
	}
	if runtime && !r.Root {
		r.Home, r.HomeStep = in.ownHome(final, def, r.Spec)
	}
	return r
}

// ownHome is the home directory that a file makes for the account with a number,
// and the RUN that does. The number has no account in the new image, so that
// HOME would be / there. "" when the file makes none or sets HOME itself.
func (in *Input) ownHome(final *assess.Stage, def *catalog.Definition, spec string) (string, *assess.Step) {
	if _, ok := def.User(userPart(spec)); ok || final.End.Env["HOME"] != "" {
		return "", nil
	}
	for _, st := range final.ChainSteps() {
		for _, a := range in.accounts(st) {
			if a.Kind != "user" || a.Changes || !a.CreateHome || a.UID != userPart(spec) {
				continue
			}
			home := a.Home
			if home == "" && a.System && a.Cmd.Name == "adduser" && def.Distro == "debian" {
				return "", nil // Debian's adduser --system: /nonexistent, since release 12
			}
			if home == "" {
				home = "/home/" + a.Name
			}
			if !path.IsAbs(home) || home == "/" || strings.Contains(home, "$") || systemDir(home) {
				return "", nil
			}
			return path.Clean(home), st
		}
	}
	return "", nil
}

// givenNumber is the number that a file gives an account, "1000:1000", and the
// build argument that it is the default of, if any.
type givenNumber struct{ spec, argument string }

// givenNumbers are the numbers of the accounts that a stage and those below it
// make.
func (in *Input) givenNumbers(s *assess.Stage) map[string]givenNumber {
	var given map[string]givenNumber
	for _, st := range s.ChainSteps() {
		var groups map[string]string
		for i, a := range in.accounts(st) {
			switch {
			case a.Kind == "group" && numeric(a.GID):
				if groups == nil {
					groups = map[string]string{}
				}
				groups[a.Name] = a.GID
			case a.Kind == "user" && numeric(a.UID):
				gid := a.GID
				if !numeric(gid) {
					gid = groups[gid]
				}
				if gid == "" {
					gid = groups[a.Name]
				}
				if gid == "" {
					gid = a.UID
				}
				if given == nil {
					given = map[string]givenNumber{}
				}
				given[a.Name] = givenNumber{a.UID + ":" + gid, in.argument(s, st.Run.Script.Accounts()[i].UID)}
			}
		}
	}
	return given
}

// accounts are those that a RUN makes, as filledIn reads them. The list must
// not be changed.
func (in *Input) accounts(st *assess.Step) []shell.Account {
	if st.Run == nil || st.Run.Script == nil {
		return nil
	}
	made := st.Run.Script.Accounts()
	open := func(a shell.Account) bool { return strings.Contains(a.Name+a.UID+a.GID, "$") }
	if !slices.ContainsFunc(made, open) {
		return made
	}
	made = slices.Clone(made)
	for i := range made {
		a := &made[i]
		a.Name, a.UID, a.GID = in.filledIn(st, a.Name), in.filledIn(st, a.UID), in.filledIn(st, a.GID)
	}
	return made
}

// argument is the build argument of a stage that a word takes its value from, ""
// for none.
func (in *Input) argument(s *assess.Stage, word string) string {
	if !strings.Contains(word, "$") {
		return ""
	}
	_, names, err := in.File.Expand(word, nil)
	if err != nil {
		return ""
	}
	for _, st := range s.ChainSteps() {
		if c, ok := st.Command.(*instructions.ArgCommand); ok {
			for _, a := range c.Args {
				if slices.Contains(names, a.Key) {
					return a.Key
				}
			}
		}
	}
	return ""
}

// filledIn is an account as the file itself sets it: $NAME becomes what ENV and
// ARG say above the instruction. A word with a variable that they do not set
// stays as it is.
func (in *Input) filledIn(st *assess.Step, word string) string {
	if !strings.Contains(word, "$") || appUID(word) {
		return word
	}
	text, missing, err := in.File.Expand(word, in.File.Env(st.Instruction, nil))
	if err != nil || len(missing) > 0 || text == "" {
		return word
	}
	return text
}

// userPart is the user of user:group.
func userPart(owner string) string {
	user, _, _ := strings.Cut(owner, ":")
	return user
}

// numbers is an account as USER and --chown take it: 65532:65532.
func numbers(u catalog.User) string {
	var room [24]byte
	return string(strconv.AppendInt(append(strconv.AppendInt(room[:0], int64(u.UID), 10), ':'), int64(u.GID), 10))
}

// takesOver tells whether a RUN gives directories of a service's own to an
// account of the file (/var/cache/nginx): in the new image they belong to its
// user, and COPY does not change the owner of what is there.
func takesOver(f *assess.Stage, def *catalog.Definition) bool {
	var own []string
	for _, d := range def.Directories {
		if d.UID != 0 {
			own = append(own, d.Path)
		}
	}
	if def.Image == "nginx" { // B.8 of the domain notes; the catalog lists none
		own = append(own, "/var/cache/nginx", "/run/nginx")
	}
	for _, st := range f.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil {
			continue
		}
		for _, op := range st.Run.Script.FileOps() {
			if op.Op != "chown" {
				continue
			}
			for _, p := range op.Paths {
				for _, d := range own {
					if d == p || under(d, p) {
						return true
					}
				}
			}
		}
	}
	return false
}

// userOf is the user of a USER instruction as written, quotes removed.
func userOf(st *assess.Step) string {
	return strings.Trim(strings.TrimSpace(st.Text), `"'`)
}

// nameKnown tells whether an account exists in the image: a number always
// works. In a dev image the accounts that the file makes exist as well.
func (in *Input) nameKnown(n string, def *catalog.Definition, runtime bool, final *assess.Stage) bool {
	if n == "" || numeric(n) || n == "root" {
		return true
	}
	if _, ok := def.User(n); ok {
		return true
	}
	if runtime {
		return false
	}
	return in.accountsOf(final, def)[n]
}

// groupKnown tells the same of the name of a group: each account of an image has
// one of its own, and a RUN can make more.
func (in *Input) groupKnown(n string, def *catalog.Definition, runtime bool, final *assess.Stage) bool {
	return in.nameKnown(n, def, runtime, final) || !runtime && in.accountsOf(final, def)["group "+n]
}

// oldAccount tells whether a number is the account of the old image's own
// program (nginx 101), which the new image gave another number.
func oldAccount(final *assess.Stage, user string, def *catalog.Definition) bool {
	if !numeric(user) || user == "0" || final.Origin == nil || def.RunUser().UID == 0 && def.Build() && len(def.Users) == 0 {
		return false
	}
	if _, ok := def.User(user); ok {
		return false
	}
	if final.Origin.Config.User != "" && userPart(final.Origin.Config.User) == user {
		return true
	}
	for _, u := range final.Origin.Config.Users {
		if fmt.Sprint(u.UID) == user {
			return true
		}
	}
	return false
}

// ProgramUser is the account that an image has for its program: the user it
// runs as, in a dev image the first account beside root and the package
// manager's.
func ProgramUser(def *catalog.Definition) catalog.User {
	u := def.RunUser()
	if u.UID != 0 {
		return u
	}
	for _, d := range def.Users {
		if d.UID != 0 && !strings.HasPrefix(d.Name, "_") {
			return d
		}
	}
	return u
}

// appUID tells whether a user is the variable that the .NET images set, and
// nothing else: a default in it is the file's own choice.
func appUID(owner string) bool {
	return owner == "$APP_UID" || owner == "${APP_UID}"
}

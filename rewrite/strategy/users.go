package strategy

import (
	"fmt"
	"strconv"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// runUser decides who the final stage runs as on the new image.
func (in *Input) runUser(final *assess.Stage, def *catalog.Definition, runtime bool) RunUser {
	u := def.RunUser()
	own := programUser(def)
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
	var uids map[string]string
	for _, st := range final.ChainSteps() {
		if st.Run == nil || st.Run.Script == nil || len(st.Run.Script.Accounts()) == 0 {
			continue
		}
		groups := map[string]string{}
		for _, a := range st.Run.Script.Accounts() {
			for _, word := range []*string{&a.Name, &a.UID, &a.GID} {
				*word = in.filledIn(st, *word)
			}
			if a.Kind == "group" && numeric(a.GID) {
				groups[a.Name] = a.GID
			}
			if a.Kind == "user" && numeric(a.UID) {
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
				if uids == nil {
					uids = map[string]string{}
				}
				uids[a.Name] = a.UID + ":" + gid
			}
		}
	}
	name := func(n string) string {
		if v, ok := uids[n]; ok {
			return v
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
		if in.nameKnown(user, def, runtime, final) && (group == "" || in.nameKnown(group, def, runtime, final)) {
			return "", false
		}
		return name(user), true
	}
	last := ""
	for _, st := range final.ChainSteps() {
		if st.Keyword == "USER" {
			last = ""
			if to, ok := resolve(st, userOf(st)); ok {
				rename(userOf(st), to)
				last = to
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
	} else if final.End.User != "" && numeric(strings.Split(final.End.User, ":")[0]) {
		r.Spec = final.End.User
		if !strings.Contains(r.Spec, ":") {
			r.Spec += ":" + r.Spec
		}
	} else if d, ok := def.User(strings.Split(final.End.User, ":")[0]); ok && final.End.User != "" {
		r.Spec = numbers(catalog.User{UID: d.UID, GID: d.GID})
	}
	if r.Root {
		r.Spec = "0:0"
	}
	return r
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

// numbers is an account as USER and --chown take it: 65532:65532.
func numbers(u catalog.User) string {
	var room [24]byte
	return string(strconv.AppendInt(append(strconv.AppendInt(room[:0], int64(u.UID), 10), ':'), int64(u.GID), 10))
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

// oldAccount tells whether a number is the account of the old image's own
// program (nginx 101), which the new image gave another number.
func oldAccount(final *assess.Stage, user string, def *catalog.Definition) bool {
	if !numeric(user) || user == "0" || final.Origin == nil || def.RunUser().UID == 0 && def.Build() && len(def.Users) == 0 {
		return false
	}
	if _, ok := def.User(user); ok {
		return false
	}
	if final.Origin.Config.User != "" && strings.Split(final.Origin.Config.User, ":")[0] == user {
		return true
	}
	for _, u := range final.Origin.Config.Users {
		if fmt.Sprint(u.UID) == user {
			return true
		}
	}
	return false
}

// programUser is the account that an image has for its program: the user it
// runs as, in a dev image the first account beside root and the package
// manager's.
func programUser(def *catalog.Definition) catalog.User {
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

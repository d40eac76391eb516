package strategy

import (
	"fmt"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
)

// builderName is what takes the place of an account of the old image in a stage
// that builds: nothing but the build runs as it.
func builderName(o *catalog.Origin, name string, group bool) (string, bool) {
	switch {
	case name == "nobody", name == "nogroup":
		return "65534", true
	case o.Image == "gradle" && name == "gradle" && group:
		return "0", true
	case o.Image == "gradle" && name == "gradle":
		// Its home is gone, and Gradle needs one; root has one.
		return "0", true
	case o.Distro == catalog.Debian && name == "www-data":
		return "33", true
	case o.Distro == catalog.Debian && name == "daemon":
		return "1", true
	}
	return "", false
}

// fitsNames refuses USER and --chown of a build stage that name an account
// which the new image does not have and no number can stand for.
func (in *Input) fitsNames(s *assess.Stage, ch *catalog.Choice, def *catalog.Definition) *Block {
	if s == in.Stages.Final {
		// runUser names the accounts of the final stage; Gradle's needs a home.
		if ch.Image == "gradle" && strings.HasPrefix(s.End.User, "gradle") {
			return &Block{Rule: "nonroot-user", Code: "account-missing", Line: s.From.Lines[0],
				Text: "it runs Gradle as gradle, an account with a home directory that dhi gradle does not have"}
		}
		return nil
	}
	for _, st := range s.Steps {
		if name, ok := in.builderOwner(s, st, def); name == "" && !ok {
			return &Block{Rule: "nonroot-user", Code: "account-missing", Line: st.Lines[0],
				Text: fmt.Sprintf("it uses %s, an account that dhi %s does not have", ownerOf(st), ch.Image)}
		}
	}
	return nil
}

// ownerOf is the account that an instruction names, "" for none.
func ownerOf(st *assess.Step) string {
	switch {
	case st.Keyword == "USER":
		return userOf(st)
	case st.Copy != nil:
		return st.Copy.Chown
	}
	return ""
}

// builderOwner is what an instruction of a build stage names instead of an
// account of the old image, "" when it stays; ok is false when nothing can.
func (in *Input) builderOwner(s *assess.Stage, st *assess.Step, def *catalog.Definition) (to string, ok bool) {
	owner := ownerOf(st)
	if owner == "" || strings.Contains(owner, "$") {
		return "", true
	}
	for _, fl := range st.Flags {
		if fl.Name == "chown" && strings.Contains(fl.Value, "$") {
			return "", true // a RUN may make the account by the same variable
		}
	}
	known := in.accountsOf(s, def)
	user, group, hasGroup := strings.Cut(owner, ":")
	out := user
	changed := false
	if user != "" && !numeric(user) && !known[user] {
		n, ok := in.buildName(s, def, user, false)
		if !ok {
			return "", false
		}
		out, changed = n, true
	}
	switch {
	case hasGroup && group != "" && !numeric(group) && !known[group] && !known["group "+group]:
		n, ok := in.buildName(s, def, group, true)
		if !ok {
			return "", false
		}
		out, changed = out+":"+n, true
	case hasGroup:
		out += ":" + group
	case changed:
		out += ":" + out
	}
	if !changed {
		return "", true
	}
	return out, true
}

// buildName is the number for an account of the old image in a build stage. PHP's
// www-data gets the one that phpOwners writes as well.
func (in *Input) buildName(s *assess.Stage, def *catalog.Definition, name string, group bool) (string, bool) {
	if def.Image == "php" && name == "www-data" {
		return "65532", true
	}
	return builderName(s.Root().Origin, name, group)
}

// renameOwners notes the accounts of build stages that get another name.
func (d *decider) renameOwners(s *Stage, def *catalog.Definition) {
	for _, st := range s.Steps {
		if s == d.Final && (d.Shape != ShapeSplit || d.New.At == nil || st.Lines[0] > d.New.At.Lines[0]) {
			continue // runUser names the accounts of the image that ships
		}
		if to, _ := d.builderOwner(s.Stage, st, def); to != "" {
			if d.Renamed == nil {
				d.Renamed = map[*assess.Step]string{}
			}
			d.Renamed[st] = to
		}
	}
}

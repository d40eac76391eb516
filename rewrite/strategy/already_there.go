package strategy

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"dhibot/rewrite/assess"
	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/shell"
)

// broughtAlong tells whether a DHI image has a directory that the old image did
// not have: its working directory, and those that its definition lists.
func broughtAlong(s *assess.Stage, def *catalog.Definition, dir string) bool {
	has := func(top string) bool {
		top = path.Clean("/" + top)
		return dir != "/" && (dir == top || under(top, dir))
	}
	if s.Origin == nil || has(s.Origin.Config.WorkDir) {
		return false
	}
	return has(def.WorkDir) && def.WorkDir != "" ||
		slices.ContainsFunc(def.Directories, func(d catalog.Directory) bool { return path.Clean(d.Path) == dir })
}

// mkdirWord is the program in the text of a RUN, as a shell or a list writes it.
var mkdirWord = regexp.MustCompile(`(?:^|[\s;&|("/])mkdir("?)[\s,]`)

// makeAgain lets the RUNs of a build stage make a directory that the DHI image
// has already: mkdir fails for one that exists unless it gets -p.
func (d *decider) makeAgain(s *assess.Stage, def *catalog.Definition) {
	for _, st := range s.Steps {
		if st.Run == nil || st.Run.Script == nil || d.Goes(st) || !slices.ContainsFunc(st.Run.Script.Commands, isMkdir) {
			continue
		}
		for _, op := range st.Run.Script.FileOps() {
			dir := d.existing(s, st, op, def)
			if dir == "" {
				continue
			}
			calls := slices.DeleteFunc(slices.Clone(st.Run.Script.Commands), func(c *shell.Command) bool { return !isMkdir(c) })
			words := mkdirWord.FindAllStringSubmatchIndex(d.File.Text(st.Span), -1)
			i := slices.Index(calls, op.Cmd)
			if i < 0 || len(words) != len(calls) {
				d.Notes = append(d.Notes, Note{Rule: "base-image", Line: st.Lines[0],
					Text: fmt.Sprintf("dhi %s has %s already: mkdir fails for it here unless it gets -p.", def.Image, dir)})
				continue
			}
			at, option := st.Span.Start+words[i][3], " -p"
			if words[i][2] < words[i][3] {
				option = `, "-p"`
			}
			d.Pieces = append(d.Pieces, Piece{Step: st, Span: dockerfile.Span{Start: at, End: at}, New: option, Rule: "base-image",
				Why: fmt.Sprintf("dhi %s has %s already, and mkdir fails for a directory that exists unless it gets -p", def.Image, dir)})
		}
	}
}

func isMkdir(c *shell.Command) bool { return c.Name == "mkdir" }

// existing is the directory of the new image that a call of mkdir would fail
// for, "" for none.
func (d *decider) existing(s *assess.Stage, st *assess.Step, op shell.FileOp, def *catalog.Definition) string {
	if op.Op != "mkdir" || op.Recursive {
		return ""
	}
	for _, p := range op.Paths {
		if p = placeOf(st, op, p); broughtAlong(s.Root(), def, p) {
			return p
		}
	}
	return ""
}

// placeOf is a path of a file operation from the root.
func placeOf(st *assess.Step, op shell.FileOp, p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join("/", st.Before.WorkDir, op.Cmd.Dir, p)
}

// fitsPlaces refuses a stage that moves, copies or links something to a name
// that is a directory of the new image: it would land inside.
func (in *Input) fitsPlaces(s *assess.Stage, _ *catalog.Choice, def *catalog.Definition) *Block {
	var made []string
	for _, st := range s.Steps {
		switch {
		case st.Keyword == "WORKDIR":
			made = append(made, strings.Trim(strings.TrimSpace(st.Text), `"'`))
		case st.Copy != nil:
			made = append(made, path.Clean(st.Copy.Dest))
		case st.Run != nil && st.Run.Script != nil:
			for _, op := range st.Run.Script.FileOps() {
				if len(op.Paths) == 0 {
					continue
				}
				p := placeOf(st, op, op.Paths[len(op.Paths)-1])
				if op.Op == "mkdir" {
					for _, dir := range op.Paths {
						made = append(made, placeOf(st, op, dir))
					}
				}
				lands := op.Op == "mv" || op.Op == "ln" || op.Op == "cp" && op.Recursive
				if !lands || !broughtAlong(s.Root(), def, p) || slices.ContainsFunc(made, func(m string) bool { return m == p || under(m, p) }) {
					continue
				}
				return &Block{Rule: "base-image", Code: "directory-there", Line: st.Lines[0],
					Text: fmt.Sprintf("it gives %s to something with %s, but dhi %s has a directory of that name: it would land inside", p, op.Op, def.Image)}
			}
		}
	}
	return nil
}

// clash is an account of a RUN that the new image has and the old one did not
// have, by its name or its number: making it fails there.
func (in *Input) clash(s *assess.Stage, st *assess.Step, def *catalog.Definition) (u catalog.User, same, ok bool) {
	o := s.Root().Origin
	if st.Run == nil || st.Run.Script == nil || o == nil || strings.Contains(in.File.Text(st.Span), "||") {
		return u, false, false
	}
	had := func(u catalog.User) bool {
		return slices.ContainsFunc(o.Config.Users, func(old catalog.User) bool { return old.Name == u.Name || old.UID == u.UID })
	}
	for _, a := range in.accounts(st) {
		if a.Changes || a.Cmd != nil && a.Cmd.Conditional {
			continue
		}
		for _, u := range def.Users {
			number := a.UID
			if a.Kind == "group" {
				number = a.GID
			}
			if u.Name == "root" || u.Name == "_apt" || had(u) || a.Name != u.Name && number != fmt.Sprint(u.UID) {
				continue
			}
			return u, a.Name == u.Name && (number == "" || number == fmt.Sprint(u.UID)), true
		}
	}
	return u, false, false
}

// writesAccount is an account of the new image that a RUN writes into
// /etc/passwd by itself: the line that is there already would count.
func (in *Input) writesAccount(s *assess.Stage, st *assess.Step, def *catalog.Definition) (catalog.User, bool) {
	if st.Run == nil || st.Run.Script == nil {
		return catalog.User{}, false
	}
	o := s.Root().Origin
	for _, c := range st.Run.Script.Commands {
		if !slices.ContainsFunc(c.Redirects, func(r shell.Redirect) bool { return r.Path == "/etc/passwd" && r.Writes() }) {
			continue
		}
		for _, u := range def.Users {
			had := o != nil && slices.ContainsFunc(o.Config.Users, func(old catalog.User) bool { return old.Name == u.Name })
			if u.Name != "root" && !had && slices.ContainsFunc(c.Args, func(a shell.Arg) bool { return strings.HasPrefix(a.Text, u.Name+":") }) {
				return u, true
			}
		}
	}
	return catalog.User{}, false
}

// onlyMakes tells whether a RUN does nothing but make accounts of one name.
func (in *Input) onlyMakes(st *assess.Step, name string) bool {
	for _, c := range st.Run.Script.Commands {
		if !isAccount(c.Name) && c.Name != "set" && c.Name != "true" {
			return false
		}
	}
	return !slices.ContainsFunc(in.accounts(st), func(a shell.Account) bool {
		return a.Name != name || a.Changes || len(a.Groups) > 0 || a.GID != "" && a.GID != name && !numeric(a.GID)
	})
}

// fitsMade refuses a stage that makes an account which the new image has
// already, unless its RUN can simply go.
func (in *Input) fitsMade(s *assess.Stage, _ *catalog.Choice, def *catalog.Definition) *Block {
	for _, st := range s.Steps {
		if u, ok := in.writesAccount(s, st, def); ok {
			return &Block{Rule: "nonroot-user", Code: "account-there", Line: st.Lines[0],
				Text: fmt.Sprintf("it writes an account into /etc/passwd that dhi %s has already: %s with the number %d", def.Image, u.Name, u.UID)}
		}
		u, same, ok := in.clash(s, st, def)
		if !ok || same && in.onlyMakes(st, u.Name) {
			continue
		}
		return &Block{Rule: "nonroot-user", Code: "account-there", Line: st.Lines[0],
			Text: fmt.Sprintf("it makes an account that dhi %s has already: %s with the number %d", def.Image, u.Name, u.UID)}
	}
	return nil
}

// accountsThere drops the RUNs of a build stage that only make an account which
// the new image has.
func (d *decider) accountsThere(s *assess.Stage, def *catalog.Definition) {
	for _, st := range s.Steps {
		if d.Goes(st) {
			continue
		}
		if u, _, ok := d.clash(s, st, def); ok {
			d.Drops = append(d.Drops, Drop{Step: st, Rule: "nonroot-user",
				Why: fmt.Sprintf("dhi %s has this account already, with the number %d: making it again fails", def.Image, u.UID)})
		}
	}
}

package standin

import (
	"errors"
	"fmt"
	"strings"
)

// CreateRepository is AddRepository by a person, announced with
// repository.created.
func (s *Server) CreateRepository(login, owner, name string, files Files, opts ...RepositoryOption) (*Repository, error) {
	who := s.AddUser(login)
	r, err := s.AddRepository(owner, name, files, opts...)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emit(actor{user: who}, "repository", "created", nil)
	return r, nil
}

// setDefaultBranch points HEAD and the repository at another branch.
func (r *Repository) setDefaultBranch(who *Account, branch string) error {
	was := r.defaultBranch
	if was == branch {
		return nil
	}
	if err := r.git.SetHead(branch); err != nil {
		return err
	}
	r.defaultBranch, r.updated = branch, r.s.now()
	if who != nil {
		r.emit(actor{user: who}, "repository", "edited", object{"changes": object{"default_branch": object{"from": was}}})
	}
	return nil
}

func (r *Repository) setPrivate(who *Account, private bool) {
	r.private, r.updated = private, r.s.now()
	action := "publicized"
	if private {
		action = "privatized"
	}
	r.emit(actor{user: who}, "repository", action, nil)
}

func (r *Repository) setArchived(who *Account, archived bool) {
	r.archived, r.updated = archived, r.s.now()
	action := "unarchived"
	if archived {
		action = "archived"
	}
	r.emit(actor{user: who}, "repository", action, nil)
}

// move changes owner and name in the directory of repositories; the old name
// leads here until something else takes it.
func (r *Repository) move(owner *Account, name string) error {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	from := strings.ToLower(r.full())
	to := strings.ToLower(owner.Login() + "/" + name)
	if from != to && s.repos[to] != nil {
		return errors.New("name already exists on this account")
	}
	delete(s.repos, from)
	delete(s.formerNames, to)
	s.formerNames[from] = r
	s.repos[to] = r
	r.owner.owned--
	owner.owned++
	r.owner, r.name = owner, name
	return nil
}

func (r *Repository) rename(who *Account, name string) error {
	was := r.name
	if err := r.move(r.owner, name); err != nil {
		return err
	}
	r.updated = r.s.now()
	r.emit(actor{user: who}, "repository", "renamed", object{"changes": object{"repository": object{"name": object{"from": was}}}})
	return nil
}

// Rename renames the repository as a person; the old name redirects.
func (r *Repository) Rename(login, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rename(r.s.AddUser(login), name)
}

// Transfer moves the repository to another account. An installation on the old
// owner no longer reaches it.
func (r *Repository) Transfer(login, owner string) error {
	to := r.s.Account(owner)
	if to == nil {
		return fmt.Errorf("transfer to %s: no such account", owner)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	from := r.owner
	if err := r.move(to, r.name); err != nil {
		return err
	}
	r.updated = r.s.now()
	key := "user"
	if from.kind == typeOrganization {
		key = "organization"
	}
	changes := object{"owner": object{"from": object{key: r.s.userObject(from)}}}
	if key == "organization" {
		changes = object{"owner": object{"from": object{key: r.s.organizationObject(from)}}}
	}
	r.emit(actor{user: r.s.AddUser(login)}, "repository", "transferred", object{"changes": changes})
	return nil
}

// SetArchived archives or unarchives the repository as a person.
func (r *Repository) SetArchived(login string, archived bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.setArchived(r.s.AddUser(login), archived)
}

// SetPrivate changes the visibility as a person.
func (r *Repository) SetPrivate(login string, private bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.setPrivate(r.s.AddUser(login), private)
}

// SetDefaultBranch changes the default branch as a person; the branch must
// exist.
func (r *Repository) SetDefaultBranch(login, branch string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tip(branch) == "" {
		return fmt.Errorf("%s has no branch %s", r.full(), branch)
	}
	return r.setDefaultBranch(r.s.AddUser(login), branch)
}

// SetCustomProperties replaces the organisation's properties of the
// repository; see CustomProperties.
func (r *Repository) SetCustomProperties(p map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.properties = p
}

// Delete deletes the repository as a person: every address is 404 afterwards.
func (r *Repository) Delete(login string) {
	who := r.s.AddUser(login)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emit(actor{user: who}, "repository", "deleted", nil)
	r.deleted = true
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	delete(r.s.repos, strings.ToLower(r.full()))
	delete(r.s.repoByID, r.id)
	r.owner.owned--
	for name, former := range r.s.formerNames {
		if former == r {
			delete(r.s.formerNames, name)
		}
	}
}

// RenameAccount renames a person or an organisation: the names of its
// repositories redirect, and Apps hear installation_target.renamed.
func (s *Server) RenameAccount(login, to string) error {
	a := s.Account(login)
	if a == nil {
		return fmt.Errorf("rename %s: no such account", login)
	}
	if s.Account(to) != nil || reserved(strings.ToLower(to)) {
		return fmt.Errorf("rename %s: %s is taken", login, to)
	}
	was := a.Login()
	s.mu.Lock()
	delete(s.accounts, strings.ToLower(was))
	a.login.Store(&to)
	s.accounts[strings.ToLower(to)] = a
	for key, r := range s.repos {
		if r.owner == a {
			delete(s.repos, key)
			s.formerNames[key] = r
			defer func() { s.setRepoKey(r) }()
		}
	}
	s.mu.Unlock()
	s.mu.RLock()
	var affected []*Installation
	for _, i := range s.installations {
		if i.account == a && !i.deleted {
			affected = append(affected, i)
		}
	}
	s.mu.RUnlock()
	for _, i := range affected {
		s.emitInstallation(i, "installation_target", "renamed", object{
			"account": s.targetAccount(a), "target_type": a.kind, "changes": object{"login": object{"from": was}},
		})
	}
	return nil
}

func (s *Server) setRepoKey(r *Repository) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos[strings.ToLower(r.full())] = r
}

func (s *Server) targetAccount(a *Account) object {
	o := s.userObject(a)
	if a.kind != typeOrganization {
		return o
	}
	for k, v := range s.organizationObject(a) {
		o[k] = v
	}
	o["archived_at"] = nil
	return o
}

package event

// Ping is what GitHub sends when a hook is created; it asks for nothing.
type Ping struct{ Head }

// Key is empty: pings are not worth telling apart.
func (e *Ping) Key() string { return "" }

// RepositoryChanged is the event "repository": "created", "deleted",
// "archived", "unarchived", "edited", "renamed", "transferred", "publicized"
// or "privatized".
type RepositoryChanged struct{ Head }

// Key is empty: a repository may be renamed there and back.
func (e *RepositoryChanged) Key() string { return "" }

func (e *RepositoryChanged) missing() string {
	return firstMissing("repository.id", e.Repository.ID)
}

// InstallationChanged is the event "installation": "created", "deleted",
// "suspend", "unsuspend" or "new_permissions_accepted".
type InstallationChanged struct{ Head }

// Key is empty: an App may be suspended more than once.
func (e *InstallationChanged) Key() string { return "" }

func (e *InstallationChanged) missing() string {
	return firstMissing("installation.id", e.Installation.ID)
}

// InstallationRepositories tells which repositories came under, or left, an
// installation. Action is "added" or "removed".
type InstallationRepositories struct {
	Head
	Added   []Repository `json:"repositories_added"`
	Removed []Repository `json:"repositories_removed"`
}

// Key is empty: a repository may be added more than once.
func (e *InstallationRepositories) Key() string { return "" }

func (e *InstallationRepositories) missing() string {
	return firstMissing("installation.id", e.Installation.ID)
}

// InstallationTarget tells that the account of an installation was renamed.
type InstallationTarget struct{ Head }

// Key is empty: accounts may be renamed there and back.
func (e *InstallationTarget) Key() string { return "" }

func (e *InstallationTarget) missing() string {
	return firstMissing("installation.id", e.Installation.ID)
}

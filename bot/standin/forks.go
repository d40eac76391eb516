package standin

import (
	"context"
	"fmt"

	"dhibot/bot/standin/internal/gitdb"
)

// background is for work that no request waits for.
func (s *Server) background() context.Context { return context.Background() }

// Fork copies a repository to another account (added as a person when missing).
func (r *Repository) Fork(owner string) (*Repository, error) {
	acc := r.s.AddUser(owner)
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.s.newRepository(acc, r.name, repositoryConfig{branch: r.defaultBranch, when: r.s.now(), private: r.private})
	f.parent = r
	for name, id := range r.git.Refs() {
		if len(name) > 11 && name[:11] == "refs/heads/" {
			if err := f.git.Borrow(r.git, id); err != nil {
				return nil, fmt.Errorf("fork %s: %w", r.full(), err)
			}
			if err := f.git.SetRef(name, id); err != nil {
				return nil, err
			}
		}
	}
	return f, r.s.register(f)
}

// forkOf finds the fork of r that an account owns.
func (r *Repository) forkOf(owner string) *Repository {
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	for _, f := range r.s.repoOrder {
		if f.parent == r && f.owner.Login() == owner {
			return f
		}
	}
	return nil
}

// borrow copies what a commit needs from a fork.
func (r *Repository) borrow(_ context.Context, from *Repository, id gitdb.OID) error {
	return r.git.Borrow(from.git, id)
}

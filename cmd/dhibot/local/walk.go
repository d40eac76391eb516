package local

import (
	"context"
	"io/fs"
	"strings"
)

// walk finds the Dockerfiles below a directory of the repository.
func walk(ctx context.Context, repo *Repository, dir string) ([]found, error) {
	var out []found
	err := fs.WalkDir(repo.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if base == ".git" || base == "node_modules" || base == "vendor" {
				return fs.SkipDir
			}
			return nil
		}
		lower := strings.ToLower(base)
		if lower == "dockerfile" || strings.HasPrefix(lower, "dockerfile.") || strings.HasSuffix(lower, ".dockerfile") {
			out = append(out, found{path: name})
		}
		return nil
	})
	return out, err
}

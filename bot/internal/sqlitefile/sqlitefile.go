// Package sqlitefile is what every SQLite file of ours has in common: it is
// private, its name may hold any character, and processes that start together
// take turns preparing it.
package sqlitefile

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Create returns the absolute path of the file name and makes sure that the
// file is there. Contents of private repositories are nobody else's business:
// a new file is for its owner alone, and SQLite gives its other files (-wal,
// -shm) the mode of this one.
func Create(name string) (string, error) {
	if name == "" || strings.HasPrefix(name, ":memory:") {
		return "", errors.New("sqlite needs a file name: what is only in memory is not kept")
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("sqlite file: %w", err)
	}
	switch f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); {
	case err == nil:
		if err := f.Close(); err != nil {
			return "", fmt.Errorf("creating %s: %w", path, err)
		}
	case !errors.Is(err, fs.ErrExist):
		return "", fmt.Errorf("creating %s: %w", path, err)
	}
	return path, nil
}

// DSN is the data source name by which the driver "sqlite" opens path, with
// the pragmas in their order. The file must be there: one that was deleted while
// in use would be made again for everybody to read. Transactions begin as writers: one that begins as
// a reader cannot become one while another writes.
func DSN(path string, pragmas ...string) string {
	// url.PathEscape keeps '?' and '#' in file names out of the URI's syntax.
	name := strings.ReplaceAll(url.PathEscape(path), "%2F", "/")
	dsn := "file:" + name + "?mode=rw&_txlock=immediate&_pragma=busy_timeout(10000)"
	for _, p := range pragmas {
		dsn += "&_pragma=" + p
	}
	return dsn
}

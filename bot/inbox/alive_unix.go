//go:build unix

package inbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// aliveFile is a file that is locked for as long as this process lives.
type aliveFile struct {
	path string
	file *os.File
}

func createAlive(path string) (*aliveFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sign of life: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("sign of life %s: %w", path, err), f.Close(), os.Remove(path))
	}
	return &aliveFile{path, f}, nil
}

// remove ends the sign of life. A nil aliveFile has none.
func (a *aliveFile) remove() error {
	if a == nil {
		return nil
	}
	return errors.Join(os.Remove(a.path), a.file.Close())
}

// aliveEnded reports whether the file exists here and its owner is gone. A
// file that does not exist says nothing: it may be another machine's.
func aliveEnded(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close() // lets go of the lock as well
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

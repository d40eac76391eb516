package bench

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestScan: the benchmark of a pass, small, with the program as it is built. The
// calls of the warm pass are the promise; times are not looked at.
func TestScan(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program")
	}
	program := filepath.Join(t.TempDir(), "dhibot")
	if out, err := exec.Command("go", "build", "-o", program, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const many = 150
	var out, progress bytes.Buffer
	s := Scan{Program: program, Repositories: many, Dockerfiles: 2 * many, Most: 5 * time.Minute, Out: &out, Progress: &progress}
	r, err := s.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Cold.Trees != many || r.Cold.Lists != 2 || r.Cold.Refused != 0 {
		t.Errorf("cold: %+v", r.Cold)
	}
	if r.Warm.REST() != 2 || r.Warm.GraphQL > 4 || r.Warm.Refused != 0 {
		t.Errorf("warm: %+v", r.Warm)
	}
}

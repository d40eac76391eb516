package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
)

// repositories and installations that the benchmark's deliveries are for.
const (
	repositories  = 100
	installations = 10
)

// secret signs the benchmark's deliveries.
var secret = []byte("the secret of a benchmark")

// delivery is what one POST carries, made before it is measured.
type delivery struct {
	guid, event, signature string
	body                   []byte
}

// payload is delivery n of a run: three pushes, then somebody's comment, with
// bodies of so many bytes that compress about as GitHub's do. A third of one
// describes the repository, most of it in members that nobody reads.
func payload(r *rand.Rand, n, size int) delivery {
	repository := n%repositories + 1
	d := delivery{guid: fmt.Sprintf("%08x-bench", n), event: "push"}
	var b strings.Builder
	// links fills the body up to so many bytes.
	links := func(upTo int) {
		b.WriteString(`"links":[""`)
		for {
			line := fmt.Sprintf(`,"https://api.github.com/repos/acme/shop-%d/git/commits/%s"`, repository, commit(r))
			if b.Len()+len(line)+1 > upTo {
				break
			}
			b.WriteString(line)
		}
		b.WriteString(`]`)
	}
	if n%4 == 3 {
		d.event = "issue_comment"
		fmt.Fprintf(&b, `{"action":"created","issue":{"number":%d},"comment":{"id":%d,"user":{"id":9,"login":"mona","type":"User"},"body":"looks good to me","updated_at":"2026-11-01T10:00:00Z"}`,
			n%50+1, n+1)
	} else {
		fmt.Fprintf(&b, `{"ref":"refs/heads/main","before":"%s","after":"%s"`, commit(r), commit(r))
	}
	fmt.Fprintf(&b, `,"installation":{"id":%d},"sender":{"id":9,"login":"mona","type":"User"},"repository":{"id":%d,"full_name":"acme/shop-%[2]d",`,
		repository%installations+1, repository)
	links(size / 3)
	b.WriteString(`},`)
	const end = `}`
	links(size - len(end))
	if rest := size - b.Len() - len(`,"":""`+end); rest >= 0 {
		b.WriteString(`,"` + strings.Repeat("x", rest) + `":""`)
	}
	b.WriteString(end)
	d.body = []byte(b.String())
	mac := hmac.New(sha256.New, secret)
	mac.Write(d.body)
	d.signature = "sha256=" + hex.EncodeToString(mac.Sum(nil))
	return d
}

// commit is a commit id.
func commit(r *rand.Rand) string {
	return fmt.Sprintf("%016x%016x%08x", r.Uint64(), r.Uint64(), r.Uint32())
}

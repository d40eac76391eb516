package body

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Marker is what the App remembers about a pull request, in the pull request
// itself: it survives a lost database, an uninstallation and a closed pull
// request. Nobody else can write one, because it is signed; a copy of it in
// another repository or pull request does not count, because it names both.
type Marker struct {
	// Repository is GitHub's numeric id, which survives renames and transfers.
	Repository int64 `json:"r"`
	// Branch is the branch that carries the proposal.
	Branch string `json:"n"`
	// Group is the part of the repository that it is about; "" is all of it.
	Group string `json:"g,omitempty"`
	// More tells that whoever asked for it asked for more than could be opened
	// at once; the next one is opened when this one is closed.
	More bool `json:"m,omitempty"`
	// Base is the commit of the default branch that the proposal was made from.
	Base string `json:"b"`
	// Head is the commit that we wrote. Previous is the one it replaces: the
	// marker is written just before the branch moves, so that after a crash in
	// between either of them is ours.
	Head     string `json:"h"`
	Previous string `json:"p,omitempty"`
	// Proposal is a digest of what was proposed, see Digest.
	Proposal string `json:"d"`
	// Paths and Distro are the arguments of the command that asked for it; a
	// later rebase keeps them.
	Paths  []string `json:"a,omitempty"`
	Distro string   `json:"o,omitempty"`
	// Ignored are paths, globs and images that people told us to leave alone.
	Ignored []Ignored `json:"i,omitempty"`
	// Closed tells that we closed it ourselves, so that it is nobody's no.
	Closed bool `json:"c,omitempty"`
	// Told are the things that were said once and need not be said again.
	Told []string `json:"t,omitempty"`
}

// Ignored is one thing to leave alone.
type Ignored struct {
	What string `json:"w"` // path, glob or image, as written
	// Until is the first day on which it is looked at again, YYYY-MM-DD; empty
	// means for good.
	Until string `json:"u,omitempty"`
	By    string `json:"b,omitempty"` // login of who said so
}

// ErrTooLong tells that a marker would not fit into a pull request.
var ErrTooLong = errors.New("there is too much to remember")

// Errors of Read.
var (
	// ErrNoMarker tells that the text does not end in a marker.
	ErrNoMarker = errors.New("no marker")
	// ErrForged tells that there is a marker, and that its signature is wrong.
	ErrForged = errors.New("marker is not signed by this App")
)

const (
	markerOpen  = "<!-- dhibot:"
	markerClose = " -->"
	// maxMarker bounds what is decoded; a full ignore list stays far below.
	maxMarker = 16 << 10
)

// Keys sign markers: the first one signs, all of them are accepted, so that a
// key can be replaced without losing every open pull request.
type Keys [][]byte

// Write returns the marker as one line of Markdown that renders as nothing.
func (k Keys) Write(m Marker) (string, error) { return k.write(ofPull, m) }

// kind keeps the markers of pull requests and of the status issue apart: one is
// never taken for the other.
type kind string

const (
	ofPull     kind = "dhibot marker v1\n"
	ofCampaign kind = "dhibot campaign v1\n"
)

func (k Keys) write(what kind, m any) (string, error) {
	if len(k) == 0 || len(k[0]) == 0 {
		return "", errors.New("writing the marker: no key")
	}
	payload, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("writing the marker: %w", err)
	}
	enc := base64.RawURLEncoding
	line := markerOpen + enc.EncodeToString(payload) + "." + enc.EncodeToString(sign(what, k[0], payload)) + markerClose
	if len(line) > maxMarker {
		return "", fmt.Errorf("writing the marker: %w: %d bytes, at most %d", ErrTooLong, len(line), maxMarker)
	}
	return line, nil
}

// Read returns the marker that the text ends in. Only the last line counts:
// that is where Write's caller puts it, and nothing foreign can come after it.
// The errors are ErrNoMarker and ErrForged.
func (k Keys) Read(text string) (Marker, error) {
	var m Marker
	if err := k.read(ofPull, text, &m); err != nil {
		return Marker{}, err
	}
	return m, nil
}

// read decodes into m, which is to be thrown away when there is an error.
func (k Keys) read(what kind, text string, m any) error {
	text = strings.TrimRight(text, " \t\r\n")
	line := strings.TrimRight(text[strings.LastIndexByte(text, '\n')+1:], "\r")
	inner, ok := strings.CutPrefix(line, markerOpen)
	if !ok {
		return ErrNoMarker
	}
	inner, ok = strings.CutSuffix(inner, markerClose)
	if !ok || len(inner) > maxMarker {
		return ErrNoMarker
	}
	first, second, ok := strings.Cut(inner, ".")
	if !ok {
		return ErrNoMarker
	}
	enc := base64.RawURLEncoding.Strict()
	payload, err1 := enc.DecodeString(first)
	sum, err2 := enc.DecodeString(second)
	if err1 != nil || err2 != nil {
		return ErrNoMarker
	}
	for _, key := range k {
		if len(key) > 0 && hmac.Equal(sum, sign(what, key, payload)) {
			if err := json.Unmarshal(payload, m); err != nil {
				return ErrNoMarker
			}
			return nil
		}
	}
	return ErrForged
}

// WithoutMarker returns the text in front of the marker, or all of it when it
// does not end in one.
func WithoutMarker(text string) string {
	end := strings.TrimRight(text, " \t\r\n")
	i := strings.LastIndexByte(end, '\n') + 1
	if !strings.HasPrefix(end[i:], markerOpen) {
		return text
	}
	return strings.TrimRight(end[:i], "\r\n")
}

// trailer is the last line of the message of our commits.
const trailer = "Dhibot-Proposal: "

// Trailer is the line by which a commit of ours is known when no pull request
// names it: the process died between the two. digest says what the commit
// changes; the reader has to compare it, because a message survives when
// somebody amends the commit.
func (k Keys) Trailer(repository int64, parent, digest string) (string, error) {
	if len(k) == 0 || len(k[0]) == 0 {
		return "", errors.New("signing a commit: no key")
	}
	return trailer + digest + "." + hex.EncodeToString(signCommit(k[0], repository, parent, digest)), nil
}

// ReadTrailer returns the digest that a commit message of ours names.
func (k Keys) ReadTrailer(message string, repository int64, parent string) (digest string, ok bool) {
	message = strings.TrimRight(message, "\r\n\t ")
	line, found := strings.CutPrefix(message[strings.LastIndexByte(message, '\n')+1:], trailer)
	digest, sum, cut := strings.Cut(line, ".")
	raw, err := hex.DecodeString(sum)
	if !found || !cut || err != nil {
		return "", false
	}
	for _, key := range k {
		if len(key) > 0 && hmac.Equal(raw, signCommit(key, repository, parent, digest)) {
			return digest, true
		}
	}
	return "", false
}

func signCommit(key []byte, repository int64, parent, digest string) []byte {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "dhibot commit v1\n%d\n%s\n%s\n", repository, parent, digest)
	return h.Sum(nil)[:16]
}

// sign keeps markers apart from whatever else the key may sign.
func sign(what kind, key, payload []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(what))
	h.Write(payload)
	return h.Sum(nil)
}

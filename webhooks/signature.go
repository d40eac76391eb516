package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

var errSignature = errors.New("the delivery is not signed with the webhook secret (X-Hub-Signature-256)")

// parseSignature reads the value of X-Hub-Signature-256, "sha256=" and 64
// hexadecimal digits. Nothing else will do: GitHub also sends SHA-1 for old
// receivers, and who accepts it when this one is missing has downgraded
// himself.
func parseSignature(header string) ([sha256.Size]byte, error) {
	var sum [sha256.Size]byte
	digits, ok := strings.CutPrefix(header, "sha256=")
	if !ok || len(digits) != hex.EncodedLen(len(sum)) {
		return sum, errSignature
	}
	if _, err := hex.Decode(sum[:], []byte(digits)); err != nil {
		return sum, errSignature
	}
	return sum, nil
}

// signed reports whether sum is the HMAC of body under one of the secrets.
// Every secret is tried, in constant time, whichever matches.
func signed(secrets [][]byte, sum [sha256.Size]byte, body []byte) bool {
	match := false
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), sum[:]) && len(secret) > 0 {
			match = true
		}
	}
	return match
}

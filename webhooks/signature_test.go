package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// What passes is exactly "sha256=" and the hexadecimal HMAC of the body.
func FuzzSignature(f *testing.F) {
	secrets := [][]byte{[]byte("one"), []byte("two")}
	header := func(secret, body []byte) string {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		return "sha256=" + hex.EncodeToString(mac.Sum(nil))
	}
	f.Add(header(secrets[0], []byte("{}")), []byte("{}"))
	f.Add(header(secrets[1], []byte("{}")), []byte("{}"))
	f.Add(header(nil, []byte("{}")), []byte("{}"))
	f.Add("sha1=0123456789012345678901234567890123456789", []byte("{}"))
	f.Add("", []byte(nil))
	f.Fuzz(func(t *testing.T, value string, body []byte) {
		sum, err := parseSignature(value)
		passes := err == nil && signed(secrets, sum, body)
		want := false
		for _, s := range secrets {
			// Hexadecimal digits may be upper case, the name of the algorithm not.
			want = want || len(value) == 71 && value[:7] == "sha256=" && lower(value[7:]) == header(s, body)[7:]
		}
		if passes != want {
			t.Errorf("%q for %q passes: %v, want %v", value, body, passes, want)
		}
	})
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'F' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// An empty secret matches nothing, even if one slipped through New.
func TestEmptySecretMatchesNothing(t *testing.T) {
	t.Parallel()
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte("{}"))
	if signed([][]byte{nil, {}}, [sha256.Size]byte(mac.Sum(nil)), []byte("{}")) {
		t.Error("signed with nothing and accepted")
	}
}

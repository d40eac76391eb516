package inbox

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// digest is a name for a text too long to be stored.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// hash16 spreads texts evenly over 0…65535.
func hash16(s string) uint16 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint16(sum[:])
}

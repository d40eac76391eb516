package memory

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"strconv"
)

// objectID reports whether id is written as git writes object ids: 40 hex
// digits, or 64 in repositories that use SHA-256.
func objectID(id string) bool {
	if len(id) != 2*sha1.Size && len(id) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isBlob reports whether content is the git blob id: the hash of "blob", its
// length in decimal, a zero byte and the content.
func isBlob(id string, content []byte) bool {
	var h hash.Hash
	switch len(id) {
	case 2 * sha1.Size:
		h = sha1.New()
	case 2 * sha256.Size:
		h = sha256.New()
	default:
		return false
	}
	head := strconv.AppendInt([]byte("blob "), int64(len(content)), 10)
	h.Write(append(head, 0))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil)) == id
}

func plain(_ shelf, _ int64, _ string, value []byte) []byte {
	if value == nil {
		return []byte{} // NULL is no content
	}
	return value
}

func unsealBlob(_ shelf, _ int64, key string, stored []byte) ([]byte, bool) {
	return stored, isBlob(key, stored)
}

// What is no blob has no hash for a name, so it is stored behind a sum of its
// place and itself. It guards against a disk that forgets and a row that is
// found under a wrong key, not against people: who can write the database can
// do everything.
const sumSize = crc32.Size

func placeSum(s shelf, installation int64, key string, value []byte) uint32 {
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	place := append([]byte(s.table), 0)
	place = strconv.AppendInt(place, installation, 10)
	h.Write(append(append(append(place, 0), key...), 0)) // keys hold no zero byte
	h.Write(value)
	return h.Sum32()
}

func sealSum(s shelf, installation int64, key string, value []byte) []byte {
	stored := make([]byte, sumSize, sumSize+len(value))
	binary.BigEndian.PutUint32(stored, placeSum(s, installation, key, value))
	return append(stored, value...)
}

func unsealSum(s shelf, installation int64, key string, stored []byte) ([]byte, bool) {
	if len(stored) < sumSize {
		return nil, false
	}
	value := stored[sumSize:]
	return value, binary.BigEndian.Uint32(stored) == placeSum(s, installation, key, value)
}

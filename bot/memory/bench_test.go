package memory

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkPage is what a pass does with a page of 100 repositories of three
// files each: all of it known, and all of it new.
func BenchmarkPage(b *testing.B) {
	const repositories = 100
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			ctx := b.Context()
			url := ""
			if database == "sqlite" {
				url = sqliteURL(b)
			} else {
				url = pg.URL(b)
			}
			s := open(b, url)
			page := func(n int) (ids, keys []string, blobs, looks map[string][]byte, docs map[int64][]byte) {
				ids, blobs = blobsOf(3*repositories, fmt.Sprint(n, strings.Repeat(" RUN apt-get install", 60)))
				looks, docs = map[string][]byte{}, map[int64][]byte{}
				for i := range repositories {
					key := fmt.Sprintf("%040d settings %d", i, n)
					keys = append(keys, key)
					looks[key] = []byte(strings.Repeat(`{"path":"Dockerfile"}`, 20))
					docs[int64(n*repositories+i+1)] = []byte(strings.Repeat(`{"head":"0123456789"}`, 10))
				}
				return ids, keys, blobs, looks, docs
			}
			put := func(b *testing.B, n int) {
				_, _, blobs, looks, docs := page(n)
				ok(b, s.PutBlobs(ctx, 1, blobs))
				ok(b, s.PutLooks(ctx, 1, looks))
				ok(b, s.PutRepositories(ctx, 1, docs))
			}
			for n := range 20 { // a memory that is not empty
				put(b, n)
			}
			b.Run("known", func(b *testing.B) {
				ids, keys, _, _, _ := page(7)
				for b.Loop() {
					if got := must[map[string][]byte](b)(s.Blobs(ctx, 1, ids)); len(got) != len(ids) {
						b.Fatalf("%d contents", len(got))
					}
					if got := must[map[string][]byte](b)(s.Looks(ctx, 1, keys)); len(got) != len(keys) {
						b.Fatalf("%d looks", len(got))
					}
				}
			})
			next := 20
			b.Run("new", func(b *testing.B) {
				for b.Loop() {
					put(b, next)
					next++
				}
			})
			b.Run("ledger of 10000", func(b *testing.B) {
				docs := map[int64][]byte{}
				for id := int64(1); id <= 10_000; id++ {
					docs[id] = []byte(strings.Repeat(`{"head":"0123456789"}`, 10))
				}
				ok(b, s.PutRepositories(ctx, 2, docs))
				for b.Loop() {
					if got := must[map[int64][]byte](b)(s.Repositories(ctx, 2)); len(got) != len(docs) {
						b.Fatalf("%d documents", len(got))
					}
				}
			})
			b.Run("change", func(b *testing.B) {
				var n int
				for b.Loop() {
					n++
					ok(b, s.Change(ctx, 2, 17, func([]byte) ([]byte, error) { return fmt.Append(nil, n), nil }))
				}
			})
		})
	}
}

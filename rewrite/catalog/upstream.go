package catalog

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed data/upstream-map.csv
var embeddedUpstreamMap string

// upstream is a row of upstream-map.csv: what an upstream repository is called
// in the catalog. High and medium rows are safe targets, a low one is a hint
// for a message, and none says why there is no equivalent.
type upstream struct {
	repository string
	token      string // "apache" in "php:apache": the tag decides
	image      string
	confidence string
	evidence   string
}

// target tells whether a reference may be rewritten by this row.
func (u *upstream) target() bool { return u.confidence == "high" || u.confidence == "medium" }

type upstreamMap struct {
	exact  map[string]*upstream   // by repository
	tagged map[string][]*upstream // rows where the tag decides, by repository
	byName map[string]*upstream   // "*/name" rows, by name
}

var upstreams = sync.OnceValues(func() (*upstreamMap, error) {
	m := &upstreamMap{
		exact: make(map[string]*upstream, 1024), tagged: make(map[string][]*upstream),
		byName: make(map[string]*upstream, 512),
	}
	r := csv.NewReader(strings.NewReader(embeddedUpstreamMap))
	r.FieldsPerRecord = 4
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read upstream-map.csv: %w", err)
	}
	for _, row := range rows[1:] {
		u := &upstream{repository: row[0], image: row[1], confidence: row[2], evidence: trimEvidence(row[3])}
		if name, ok := strings.CutPrefix(u.repository, "*/"); ok {
			m.byName[name] = u
			continue
		}
		if repository, token, ok := strings.Cut(u.repository, ":"); ok {
			u.repository, u.token = repository, token
			m.tagged[repository] = append(m.tagged[repository], u)
			continue
		}
		m.exact[trimHub(u.repository)] = u
	}
	return m, nil
})

// find gives the row for a normalised repository and the words of its tag, nil
// when there is none.
func (m *upstreamMap) find(repository string, words []string) *upstream {
	for _, u := range m.tagged[repository] {
		for i, w := range words {
			if w == u.token || i == 0 && strings.HasPrefix(w, u.token+".") {
				return u
			}
		}
	}
	if u := m.exact[repository]; u != nil {
		return u
	}
	return m.byName[repository[strings.LastIndexByte(repository, '/')+1:]]
}

// Upstreams lists the upstream repositories that an image of the catalog takes
// the place of, sorted.
func Upstreams(image string) []string {
	m, err := upstreams()
	if err != nil { // the embedded map is tested
		return nil
	}
	var list []string
	for repository, u := range m.exact {
		if u.image == image && u.target() {
			list = append(list, repository)
		}
	}
	for _, rows := range m.tagged {
		for _, u := range rows {
			if u.image == image && u.target() {
				list = append(list, u.repository+":"+u.token)
			}
		}
	}
	slices.Sort(list)
	return list
}

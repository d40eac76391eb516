package scan

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dhibot/bot/githubapi"
)

// dueMost bounds how many repositories one look takes.
const dueMost = 50

// want orders a look at repositories and notes in their records that they wait
// for it. name makes the order once.
func (s *Scanner) want(ctx context.Context, installation int64, name string, t task) error {
	for _, id := range t.Repositories {
		if err := s.change(ctx, installation, id, func(r *record) { r.Due = name }); err != nil {
			return err
		}
	}
	return s.put(ctx, eventLook, "look:"+name, installation, githubapi.Repo{}, t)
}

// looked tells that the repositories of a look were looked at after it was
// ordered: an earlier one has taken them with it. It is cheap, unlike a visit.
func (s *Scanner) looked(ctx context.Context, installation int64, t task) (bool, error) {
	if len(t.Gone) > 0 {
		return false, nil
	}
	for _, id := range t.Repositories {
		doc, ok, err := s.c.Memory.Repository(ctx, installation, id)
		if err != nil {
			return false, fmt.Errorf("recalling repository %d: %w", id, err)
		}
		if !ok {
			return false, nil
		}
		if r, err := decode(doc); err != nil || r.Due != "" {
			return false, nil //nolint:nilerr // not known, so it is looked at
		}
	}
	return true, nil
}

// due are the repositories to look at now: those that were asked for, and others
// that wait. Each comes with the name of the order that it waits for.
func (s *Scanner) due(v *visit, asked []int64) map[int64]string {
	due := make(map[int64]string, len(asked))
	for _, id := range asked {
		due[id] = ""
		if r := v.records[id]; r != nil {
			due[id] = r.Due
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.records)) {
		if len(due) >= dueMost {
			break
		}
		if r := v.records[id]; r.Due != "" {
			due[id] = r.Due
		}
	}
	return due
}

// settled notes that repositories were looked at. One to which something has
// happened meanwhile goes on waiting.
func (s *Scanner) settled(ctx context.Context, v *visit, due map[int64]string) error {
	for id, name := range due {
		if name == "" || v.records[id] == nil {
			continue
		}
		if err := s.amend(ctx, v.installation, id, func(r *record) {
			if r.Due == name {
				r.Due = ""
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

package standin

import (
	"dhibot/bot/standin/internal/gitdb"
)

func getTag(c *call) error {
	kind, data, err := c.repo.git.Get(gitdb.OID(c.params["sha"]))
	if err != nil || kind != "tag" {
		return notFound()
	}
	t, err := gitdb.ParseTag(data)
	if err != nil {
		return err
	}
	return c.ok(c.repo.tagObject(gitdb.OID(c.params["sha"]), t))
}

func (r *Repository) tagObject(id gitdb.OID, t gitdb.Tag) object {
	return object{
		"node_id": nodeID("TA", r.id), "tag": t.Name, "sha": id, "url": r.url() + "/git/tags/" + string(id), "message": t.Message,
		"tagger":       object{"name": t.Tagger.Name, "email": t.Tagger.Email, "date": stamp(t.Tagger.When)},
		"object":       object{"type": t.Type, "sha": t.Object, "url": r.url() + "/git/" + t.Type + "s/" + string(t.Object)},
		"verification": object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil},
	}
}

func createTag(c *call) error {
	var req struct {
		Tag     string    `json:"tag"`
		Message string    `json:"message"`
		Object  string    `json:"object"`
		Type    string    `json:"type"`
		Tagger  *identity `json:"tagger"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if req.Tag == "" || req.Object == "" || req.Type == "" {
		return missing("tag", "object", "type")
	}
	kind, err := c.repo.git.Kind(gitdb.OID(req.Object))
	if err != nil || kind != req.Type {
		return unprocessable("Object does not exist")
	}
	t := gitdb.Tag{Name: req.Tag, Message: req.Message, Object: gitdb.OID(req.Object), Type: req.Type, Tagger: c.s.ident(c.who.account())}
	if req.Tagger != nil {
		t.Tagger = req.Tagger.over(t.Tagger)
	}
	id, err := c.repo.git.Put("tag", t.Encode())
	if err != nil {
		return err
	}
	return c.created(c.repo.tagObject(id, t))
}

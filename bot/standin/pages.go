package standin

import "net/http"

type pageSet struct{}

func newPageSet() (*pageSet, error) { return &pageSet{}, nil }

func (s *Server) servePage(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

func (s *Server) serveAvatar(w http.ResponseWriter, id string) { w.WriteHeader(404) }

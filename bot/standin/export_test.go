package standin

// RoutePatterns lists every REST endpoint as "METHOD /pattern".
func (s *Server) RoutePatterns() []string {
	var out []string
	for _, r := range s.allRoutes() {
		out = append(out, r.method+" "+r.pattern)
	}
	return out
}

package rules

func tlsCertificates() *Rule {
	return &Rule{
		ID:     "tls-certificates",
		Title:  "TLS certificates",
		Note:   "The images carry a CA bundle, so steps that only install ca-certificates go away; where the catalog declares none for an image, that is said. Certificates of your own stay.",
		Before: "FROM alpine:3.22\nRUN apk add --no-cache ca-certificates\nCOPY --from=build /app /app",
		After:  "FROM dhi.io/static:20260611-alpine3.24\nCOPY --from=build /app /app",
		URL:    "https://docs.docker.com/dhi/migration/checklist/",
		Run: func(p *Pass) {
			p.drops()
			root := p.finalRoot()
			if root == nil || root.Pick == nil {
				return
			}
			def := root.Pick.Def
			if p.New != nil {
				def = p.New.Pick.Def
			}
			if !def.Build() && !def.CABundle() && needsTLS(def.Image) {
				p.check("The catalog declares no CA bundle for dhi "+def.Image+". If it opens TLS connections (a proxy to https, for example), test one.", p.Final.From.Lines[0])
			}
		},
	}
}

// needsTLS tells whether an image without a CA bundle may miss it: deno and
// the JVM carry their own.
func needsTLS(image string) bool {
	switch image {
	case "deno", "azul", "jruby", "clojure", "tomcat", "keycloak", "elasticsearch", "jenkins":
		return false
	}
	return true
}

//go:build build

package buildtest

import (
	"strings"
	"testing"
	"testing/fstest"
)

// strict shows that the suite can fail: what does not work on the real images
// does not work on the stand-ins either.
func (s *suite) strict(t *testing.T) {
	for _, c := range []struct {
		name, image, rest string
		port              int
		want              string // in the error
	}{
		{name: "command-without-interpreter", image: "dhi.io/node:22-debian13", rest: `CMD ["index.js"]`, want: "index.js"},
		{name: "shell", image: "dhi.io/node:22-debian13", rest: "RUN echo hello", want: "/bin/sh"},
		{name: "npm", image: "dhi.io/node:22-debian13", rest: `CMD ["npm", "start"]`, want: "npm"},
		{name: "directory-of-root", image: "dhi.io/node:22-debian13", rest: `CMD ["node", "-e", "require('fs').writeFileSync('/app/x', '')"]`, want: "EACCES"},
		{name: "command-line-of-fpm", image: "dhi.io/php:8.2-debian13-fpm", rest: "ENTRYPOINT []\nCMD [\"php\", \"-v\"]", want: "php"},
		{name: "settings-on-alpine", image: "dhi.io/php:8.2-alpine3.24", rest: "COPY app.ini $PHP_INI_DIR/conf.d/\nCMD [\"-r\", \"exit((int) (ini_get('arg_separator.output') !== 'read'));\"]", want: "exit status 1"},
		{name: "bundler-on-alpine", image: "dhi.io/ruby:3.4-alpine3.24", rest: `CMD ["bundle", "exec", "ruby", "-v"]`, want: "bundle"},
		{name: "doubled-command", image: "dhi.io/nginx:1.30-alpine3.24", rest: `CMD ["nginx", "-g", "daemon off;"]`, port: 8080, want: `invalid option: "nginx"`},
		{name: "privileged-port", image: "dhi.io/nginx:1.30-alpine3.24", rest: "COPY port.conf /etc/nginx/conf.d/default.conf", port: 80, want: "Permission denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.images.ensure(t, c.image)
			repo := fstest.MapFS{
				"Dockerfile": {Data: []byte("FROM " + c.image + "\n" + c.rest + "\n")},
				"index.js":   {Data: []byte("console.log('hello')\n")},
				"app.ini":    {Data: []byte("arg_separator.output = read\n")},
				"port.conf":  {Data: []byte("server { listen 80; }\n")},
			}
			a, err := s.try(t, "strict", repo, "Dockerfile", c.port, []string{"/"})
			if err == nil {
				t.Fatalf("it worked: %q %s", a.bodies, a.output)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("it failed for another reason than %q: %v", c.want, err)
			}
		})
	}
}

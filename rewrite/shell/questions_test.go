package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want string // manager verb [packages] extras; calls joined with " | "
	}{
		{"apt-get update && apt-get install -y --no-install-recommends curl=7.* libc6:i386 g++ python3/bookworm", "apt update [] | apt install [curl libc6 g++ python3]"},
		{`apt-get -qq -y -o Dpkg::Options::="--force-confold" install -t bookworm-backports curl=7.* vim- ./local.deb`, "apt install [curl] removed=[vim] files=[./local.deb]"},
		{"apt-get install -y $(cat packages.txt) ${EXTRA_PKGS} jq", "apt install [jq] unknown"},
		{"apt-get install -y nginx=${NGINX_VERSION}", "apt install [nginx]"},
		{"xargs -a packages.txt apt-get install -y", "apt install [] unknown"},
		{"DEPS=\"gcc make\" && apk add --no-cache $DEPS", "apk install [gcc make]"},
		{"apk add --no-cache --virtual .build-deps gcc~=12 musl-dev>1 && apk del .build-deps", "apk install [gcc musl-dev] virtual=.build-deps | apk remove [.build-deps]"},
		{"apk --no-cache add curl@edge", "apk install [curl]"},
		{"apk add -t .d python3 --repository http://x/y", "apk install [python3] virtual=.d"},
		{"microdnf install -y tar gzip && microdnf clean all", "microdnf install [tar gzip] | microdnf clean []"},
		{"pacman -Syu --noconfirm git", "pacman install [git]"},
		{"aptitude install -y less && apt-mark hold less && apt-get purge -y --auto-remove less", "apt install [less] | apt other [] | apt remove [less]"},
		{"dpkg -i foo.deb || apt-get -f install -y", "dpkg install [] files=[foo.deb] | apt install []"},
		{"pip install --no-cache-dir -r requirements.txt 'uvicorn[standard]>=0.2' git+https://x/y.git", "pip install [uvicorn] files=[requirements.txt git+https://x/y.git]"},
		{"python3.12 -m pip install --upgrade pip .", "pip install [pip] files=[.]"},
		{"npm ci --omit=dev && npm install -g @nestjs/cli@10 pm2", "npm sync [] | npm install [@nestjs/cli pm2] global"},
		{"npm install && npm run build", "npm sync [] | npm run []"},
		{"yarn && yarn build && yarn global add serve@14", "yarn sync [] | yarn run [] | yarn install [serve] global"},
		{"pnpm i --frozen-lockfile --prod", "pnpm sync []"},
		{"gem install bundler:2.5 && bundle install --jobs 4", "gem install [bundler] | bundle sync []"},
		{"cargo install --locked cargo-chef@0.1 && cargo build --release", "cargo install [cargo-chef] | cargo build []"},
		{"go install github.com/a/b@latest && go mod download", "go install [github.com/a/b] | go sync []"},
		{"uv pip install --system -r requirements.txt && uv sync --frozen", "uv install [] files=[requirements.txt] | uv sync []"},
		{"poetry install --only main --no-root", "poetry sync []"},
		{"composer install --no-dev && composer require a/b:^2", "composer sync [] | composer install [a/b]"},
		{"sudo apt-get update && sudo -E apt install -yq git", "apt update [] | apt install [git]"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			var calls []string
			for _, p := range parseOK(t, tt.text, Sh).Packages() {
				c := fmt.Sprintf("%s %s %v", p.Manager, p.Verb, p.Packages)
				if len(p.Removed) > 0 {
					c += fmt.Sprintf(" removed=%v", p.Removed)
				}
				if len(p.Files) > 0 {
					c += fmt.Sprintf(" files=%v", p.Files)
				}
				if p.Virtual != "" {
					c += " virtual=" + p.Virtual
				}
				if p.Unknown {
					c += " unknown"
				}
				if p.Global {
					c += " global"
				}
				calls = append(calls, c)
			}
			if got := strings.Join(calls, " | "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestOnlyPackages(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*":                                           true,
		"set -eux; apk add --no-cache tzdata ca-certificates && update-ca-certificates":                                      true,
		"export DEBIAN_FRONTEND=noninteractive; apt-get update > /dev/null 2>&1; apt-get install -y x; apt-get clean":        true,
		"DEBIAN_FRONTEND=noninteractive apt-get install -y tzdata":                                                           true,
		"if [ \"$A\" = 1 ]; then apt-get install -y x; else echo no; fi; find /var/lib/apt -delete":                          false,
		"if [ \"$A\" = 1 ]; then apt-get install -y x; else echo no; fi; find /var/lib/apt/lists -type f -delete; rm /tmp/x": true,
		"apt-get install -y curl && curl -O https://x":                                                                       false,
		"apt-get install -y curl && pip install x":                                                                           false,
		"apt-get install -y curl && rm -rf /opt/x":                                                                           false,
		"apt-get install -y curl > /etc/x":                                                                                   false,
		"apt-get install -y locales && locale-gen":                                                                           false,
		"dpkg --configure -a":         false,
		"rm -rf /var/lib/apt/lists/*": false,
		"echo hi":                     false,
	} {
		if got := parseOK(t, text, Sh).OnlyPackages(); got != want {
			t.Errorf("OnlyPackages(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"groupadd --gid 1001 app && useradd --uid 1001 --gid app --create-home --shell /usr/sbin/nologin app":                  "group app ::1001 home= literal | user app 1001:app home=/create literal",
		"useradd -mrs /bin/bash -u1001 -d /srv/app app":                                                                        "user app 1001: home=/srv/app/create system literal",
		"adduser --system --group --no-create-home svc && usermod -aG sudo app":                                                "user svc :svc home= system literal | user app : home= +sudo changes literal",
		"addgroup --gid 2000 extra; adduser app extra":                                                                         "group extra ::2000 home= literal | user app : home= +extra changes literal",
		"addgroup -S app && adduser -S -G app -h /app -H -D -u 10001 app":                                                      "group app :: home= system literal | user app 10001:app home=/app system literal",
		"adduser -D -g '' appuser":                                                                                             "user appuser : home=/create literal",
		"adduser --disabled-password --gecos \"\" --home /app --shell /sbin/nologin --no-create-home --uid \"${UID}\" appuser": "user appuser ${UID}: home=/app",
		"adduser --uid 5678 --disabled-password --gecos '' appuser && chown -R appuser /app":                                   "user appuser 5678: home=/create literal",
		"groupadd -r --gid=999 redis && useradd -r -g redis --uid=999 redis":                                                   "group redis ::999 home= system literal | user redis 999:redis home= system literal",
		"adduser --group --gid 10 grp":                                                                                         "group grp ::10 home= literal",
	} {
		var got []string
		for _, a := range parseOK(t, text, Sh).Accounts() {
			id := a.UID + ":" + a.GID
			if a.Kind == "group" {
				id = "::" + a.GID
			}
			g := a.Kind + " " + a.Name + " " + id + " home=" + a.Home
			if a.CreateHome {
				g += "/create"
			}
			for _, x := range a.Groups {
				g += " +" + x
			}
			if a.System {
				g += " system"
			}
			if a.Changes {
				g += " changes"
			}
			if a.Literal {
				g += " literal"
			}
			got = append(got, g)
		}
		if g := strings.Join(got, " | "); g != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, g, want)
		}
	}
}

func TestFileOps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mkdir -p /app/data -m 755 && chown -R 1001:0 /app /data":         "mkdir [/app/data] mode=755 r | chown [/app /data] owner=1001:0 r",
		"chmod +x /entrypoint.sh && chmod -R g=u /app; chmod -w x":        "chmod [/entrypoint.sh] mode=+x | chmod [/app] mode=g=u r | chmod [x] mode=-w",
		"install -d -o app -g app -m 0750 /var/lib/app":                   "install [/var/lib/app] owner=app:app mode=0750 r",
		"chown app.app /x; chgrp -R root /y":                              "chown [/x] owner=app:app | chgrp [/y] owner=:root r",
		"ln -sf /a /b && rm -rf /c/* && mv a b && cp -a x y /z/":          "ln [/a /b] | rm [/c/*] r open | mv [a b] | cp [x y /z/] r",
		"sed -i -e 's/a/b/' f1 f2; sed 's/x/y/' f3; sed -i.bak s/q/r/ f4": "sed [f1 f2] | sed [f4]",
		"touch $F && cp -t /dst a":                                        "touch [$F] open | cp [a /dst]",
	} {
		var got []string
		for _, o := range parseOK(t, text, Sh).FileOps() {
			g := fmt.Sprintf("%s %v", o.Op, o.Paths)
			if o.Owner != "" {
				g += " owner=" + o.Owner
			}
			if o.Mode != "" {
				g += " mode=" + o.Mode
			}
			if o.Recursive {
				g += " r"
			}
			if !o.Literal {
				g += " open"
			}
			got = append(got, g)
		}
		if g := strings.Join(got, " | "); g != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, g, want)
		}
	}
}

func TestFetches(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"curl -fsSL https://example.com/page#frag -o /tmp/x && wget -q http://y/z": "curl https://example.com/page#frag | wget http://y/z",
		"git clone --depth 1 https://github.com/a/b && git -C b status":            "git https://github.com/a/b",
		"pip install git+https://github.com/a/b@v1 x@https://y/x.whl":              "pip git+https://github.com/a/b@v1 | pip https://y/x.whl",
		"pip install --index-url https://pypi.example/simple x":                    "pip https://pypi.example/simple",
		"curl -H 'Referer: https://x' $URL":                                        "curl $URL",
		"echo https://x > f":                                                       "",
	} {
		var got []string
		for _, f := range parseOK(t, text, Sh).Fetches() {
			got = append(got, f.Program+" "+f.URL)
		}
		if g := strings.Join(got, " | "); g != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, g, want)
		}
	}
}

func TestSimple(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"node server.js": "[node server.js] ok",
		"exec gunicorn app:app --bind 0.0.0.0:8000": "[gunicorn app:app --bind 0.0.0.0:8000] ok",
		"NODE_ENV=production node 'a b.js'":         "NODE_ENV=production [node a b.js] ok",
		"nginx -g 'daemon off;'":                    "[nginx -g daemon off;] ok",
		"python app.py $OPTS":                       "vars=OPTS",
		"java ${JAVA_OPTS:--Xmx1g} -jar /app.jar":   "vars=JAVA_OPTS",
		"A=$B node x":                               "",
		"node x && node y":                          "",
		"node x | tee y":                            "",
		"node x > y":                                "",
		"node x &":                                  "",
		"! node x":                                  "",
		"node *.js":                                 "",
		"node ~/x":                                  "",
		"node $(cat x)":                             "",
		"cd x":                                      "",
		". ./env":                                   "",
		"exec":                                      "",
		"$CMD":                                      "",
		"":                                          "",
		"a; b":                                      "",
		"node \"$@\"":                               "",
	} {
		s := parseOK(t, text, Sh)
		got := ""
		if argv, env, ok := s.Simple(); ok {
			for k, v := range env {
				got += k + "=" + v + " "
			}
			got += fmt.Sprintf("%v ok", argv)
		} else if _, vars, ok := s.SimpleVars(); ok {
			got = "vars="
			for _, v := range vars {
				got += v.Name
			}
		}
		if got != want {
			t.Errorf("Simple(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestExec(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		argv         []string
		list, simple string
	}{
		{[]string{"apt-get", "update"}, "apt-get update", "[apt-get update]"},
		{[]string{"/bin/bash", "-c", "apt-get install -y curl && rm -rf /x"}, "bash> apt-get install -y curl\nbash> rm -rf /x", ""},
		{[]string{"sh", "-c", "exec java -jar /app.jar"}, "sh> exec> java -jar /app.jar", "[java -jar /app.jar]"},
		{[]string{"sh", "-c", "java $JAVA_OPTS -jar /app.jar"}, "sh> java ?$JAVA_OPTS -jar /app.jar", ""},
		{[]string{"tini", "--", "node", "x.js"}, "tini> node x.js", "[tini -- node x.js]"},
		{[]string{"/bin/sh", "-c"}, "sh -c", "[/bin/sh -c]"},
		{[]string{"sh", "/entrypoint.sh"}, "sh /entrypoint.sh", "[sh /entrypoint.sh]"},
		{nil, "", ""},
	} {
		s, err := Exec(tt.argv)
		if err != nil {
			t.Fatal(err)
		}
		if got := list(s); got != tt.list {
			t.Errorf("%q: %s, want %s", tt.argv, got, tt.list)
		}
		got := ""
		if argv, _, ok := s.Simple(); ok {
			got = fmt.Sprint(argv)
		}
		if got != tt.simple {
			t.Errorf("%q: simple %s, want %s", tt.argv, got, tt.simple)
		}
	}
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	s := parseOK(t, "set -e; sudo curl x | tar xz; f() { jq .; }; f; echo $(git rev-parse HEAD); curl y", Sh)
	if got := strings.Join(s.Programs(), " "); got != "sudo curl tar jq git" {
		t.Errorf("programs %q", got)
	}
	if !s.Uses("git") || s.Uses("set") || s.Uses("f") {
		t.Error("Uses disagrees with Programs")
	}
}

func TestLinesAndDirs(t *testing.T) {
	t.Parallel()
	s := parseOK(t, "set -e; \\\n  cd /opt && \\\n# comment\n  make && cd sub; sh -c 'a\nb'", Sh)
	var got []string
	for _, c := range s.Commands {
		got = append(got, fmt.Sprintf("%d %s %s", c.Line, c.Name, c.Dir))
	}
	if g := strings.Join(got, "|"); g != "0 set |1 cd |3 make /opt|3 cd /opt|3 a /opt/sub|4 b /opt/sub" {
		t.Error(g)
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"too long":     strings.Repeat("a ", MaxText),
		"parens":       strings.Repeat("(", 30000),
		"substitution": strings.Repeat("$(", 20000) + strings.Repeat(")", 20000),
		"keywords":     strings.Repeat("if ", 20000),
		"unterminated": "echo 'a",
		"nul":          "echo \x00 && (",
	} {
		if s, err := Parse(text, Sh); err == nil {
			t.Errorf("%s: no error, %d commands", name, len(s.Commands))
		}
	}
	// Nested loops multiply; the limit holds and the answers turn careful.
	words := strings.Repeat("w ", 60)
	text := "for a in " + words + "; do for b in " + words + "; do for c in " + words + "; do echo $a; done; done; done; apt-get install -y x"
	s := parseOK(t, text, Sh)
	if !s.Truncated || len(s.Commands) > maxCommands {
		t.Errorf("truncated %v with %d commands", s.Truncated, len(s.Commands))
	}
	if _, unknown, _ := s.Writes("/app"); !unknown || s.OnlyPackages() {
		t.Error("a truncated text is answered as if it were complete")
	}
}

func FuzzParse(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/*.sh")
	for _, name := range seeds {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b), "/app")
	}
	for _, s := range []string{
		"apt-get update && apt-get install -y curl", "sh -c \"sh -c 'eval $X'\"", "a=b c $(d) | e > f", "for i in a b; do x $i; done",
		"cat <<EOF > /etc/x\n$A\nEOF", "tar xzf a -C", "git -C", "sudo -u", "env -i A=", "su -c", "find . -exec", "chmod -", "ln", "mv a", "awk", "pip", "uv", "dotnet",
		"useradd -", "adduser --", "case $a in b) c;; esac", "f(){ f; }; f", "((a=1))", "[[ a ]]", "{ a; } > b", "xargs", "python -m", "bundle config path",
	} {
		f.Add(s, "/")
	}
	f.Fuzz(func(t *testing.T, text, cwd string) {
		for _, lang := range []Lang{Sh, Bash} {
			s, err := Parse(text, lang)
			if err != nil {
				continue
			}
			if len(s.Commands) > maxCommands {
				t.Fatal("too many commands")
			}
			s.Programs()
			s.Packages()
			s.Accounts()
			s.FileOps()
			s.Fetches()
			s.SimpleVars()
			s.OnlyPackages()
			for _, p := range s.Effects(cwd).Paths {
				if !strings.HasPrefix(p, "/") || p == "/" {
					t.Fatalf("path %q", p)
				}
			}
			if argv, _, ok := s.Simple(); ok && (len(argv) == 0 || argv[0] == "") {
				t.Fatalf("%q is simple with %q", text, argv)
			}
		}
	})
}

func TestSimpleCheck(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`python -c "import app" || exit 1`: `python|-c|import app`,
		`node check.js || false`:           `node|check.js`,
		`node check.js`:                    `node|check.js`,
		`exec node check.js || exit 2`:     `node|check.js`,
		`node check.js || exit 0`:          ``,
		`node check.js || exit`:            ``,
		`node check.js || exit $CODE`:      ``,
		`node check.js && exit 1`:          ``,
		`node "$FILE" || exit 1`:           ``,
		`node a.js || node b.js`:           ``,
		`node a.js > /dev/null || exit 1`:  ``,
		`node a.js; exit 1`:                ``,
		`(node a.js) || exit 1`:            ``,
		`node a.js || exit 1 > /dev/null`:  ``,
		`node a.js || node b.js || exit 1`: ``,
		`! node a.js || exit 1`:            ``,
	} {
		got := ""
		if argv, env, ok := parseOK(t, text, Sh).SimpleCheck(); ok && len(env) == 0 {
			got = strings.Join(argv, "|")
		}
		if got != want {
			t.Errorf("SimpleCheck(%q) = %q, want %q", text, got, want)
		}
	}
}

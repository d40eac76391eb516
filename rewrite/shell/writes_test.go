package shell

import (
	"strings"
	"testing"
)

func TestWrites(t *testing.T) {
	t.Parallel()
	venv := map[string]string{"PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin", "VIRTUAL_ENV": "/opt/venv"}
	for _, tt := range []struct {
		text  string
		cwd   string
		env   map[string]string
		paths string // space separated
		why   string // part of the reason, "" when everything is known
	}{
		// below the working directory: nothing outside
		{text: "npm ci --omit=dev && npm run build", cwd: "/app"},
		{text: "yarn install --frozen-lockfile && yarn build", cwd: "/app"},
		{text: "pnpm install --frozen-lockfile; pnpm -C web build", cwd: "/app"},
		{text: "go mod download && CGO_ENABLED=0 go build -o bin/server ./cmd/server", cwd: "/src"},
		{text: "cargo build --release --locked", cwd: "/build"},
		{text: "./mvnw -B -DskipTests package", cwd: "/src"},
		{text: "gradle build --no-daemon", cwd: "/src"},
		{text: "dotnet restore && dotnet publish -c Release -o out", cwd: "/src"},
		{text: "composer install --no-dev", cwd: "/var/www"},
		{text: "mkdir -p data logs && chmod 700 data && chown -R node:node /app", cwd: "/app"},
		{text: "cd web && npm ci && cd .. && ls", cwd: "/app"},
		{text: "git clone https://github.com/a/b . && rm -rf .git", cwd: "/src"},
		{text: "python -m venv .venv && .venv/bin/pip install -r requirements.txt", cwd: "/app"},
		{text: "apt-get update && apt-get install -y gcc > /dev/null 2>&1 && rm -rf /var/lib/apt/lists/*", cwd: "/app"},
		{text: "groupadd -r app && useradd -r -g app app", cwd: "/app"},
		{text: "npm cache clean --force && rm -rf /tmp/* ~/.npm", cwd: "/app"},
		{text: "curl -fsSL https://x/y.sh -o /tmp/y.sh", cwd: "/app"},
		{text: "node --version && java -version", cwd: "/app"},
		{text: "sed -i s#http://a#https://b#g conf/app.ini", cwd: "/app"},
		{text: "uv sync --frozen --no-dev", cwd: "/app"},
		{text: "tar xzf app.tgz && tar -xf x.tar -C ./vendor", cwd: "/app"},
		{text: "java -Djarmode=layertools -jar app.jar extract", cwd: "/app"},

		{text: `find . -type f -name '*' -exec chmod a+r '{}' ';'`, cwd: "/app"},
		{text: `find -type d -exec chmod 755 {} +`, cwd: "/app"},

		// known places outside
		{text: `find /srv /opt/x \( -name a -o -name b \) -exec chmod 644 {} /etc/y \;`, cwd: "/app", paths: "/etc/y /opt/x /srv"},
		{text: "go build -o /bin/server ./cmd/server", cwd: "/src", paths: "/bin/server"},
		{text: "install -d -o app -g app -m 0750 /run/app", cwd: "/", paths: "/run/app"},
		{text: "go install ./...", cwd: "/src", paths: "/go/bin"},
		{text: "GOBIN=/out go install ./...", cwd: "/src", paths: "/out"},
		{text: "npm install -g pm2@5", cwd: "/app", paths: "/usr/local/bin /usr/local/lib/node_modules"},
		{text: "pip install --no-cache-dir -r requirements.txt", cwd: "/app", paths: "/usr/local"},
		{text: "python3 -m pip install flask", cwd: "/app", paths: "/usr/local"},
		{text: "pip install -r requirements.txt", cwd: "/app", env: venv, paths: "/opt/venv"},
		{text: "pip install x", cwd: "/app", env: map[string]string{"PATH": "/app/.venv/bin:/usr/local/bin"}},
		{text: "pip install x", cwd: "/app", env: map[string]string{"PATH": "/opt/tool/bin:/usr/local/bin"}, paths: "/opt/tool /usr/local"},
		{text: "python -m venv /venv && . /venv/bin/activate && pip install flask", cwd: "/app", paths: "/venv"},
		{text: "/venv/bin/pip install flask", cwd: "/app", paths: "/venv"},
		{text: "pip install --user flask", cwd: "/app", paths: "/root/.local"},
		{text: "pip install --target=/deps flask", cwd: "/app", paths: "/deps"},
		{text: "poetry config virtualenvs.create false && poetry install --only main", cwd: "/app", paths: "/usr/local"},
		{text: "uv pip install --system -r requirements.txt", cwd: "/app", paths: "/usr/local"},
		{text: "bundle config set --local path /gems && bundle install", cwd: "/app", paths: "/gems /usr/local/bundle/config"},
		{text: "bundle config --global without development && bundle config --global frozen 1", cwd: "/app", paths: "/root/.bundle/config"},
		{text: "BUNDLE_APP_CONFIG=/app/.bundle bundle install --path vendor", cwd: "/src", paths: "/app/.bundle/config"},
		{text: "bundle install --jobs 4", cwd: "/app", paths: "/usr/local/bundle"},
		{text: "cargo install --path . --root /out", cwd: "/src", paths: "/out/bin"},
		{text: "dotnet publish App/App.csproj -c Release -o /app/publish", cwd: "/src", paths: "/app/publish"},
		{text: "mkdir -p /data /var/lib/app && chown app:app /data", cwd: "/app", paths: "/data /var/lib/app"},
		{text: "npm ci && mv node_modules ../", cwd: "/usr/src/app", paths: "/usr/src/node_modules"},
		{text: "cp -r dist/. ..", cwd: "/usr/src/app", paths: "/usr/src"},
		{text: "mv ../*.txt ..", cwd: "/usr/src/app", paths: "/usr/src", why: "mv writes to ../*.txt, which is not literal"},
		{text: "cp -r dist/. /usr/share/nginx/html/", cwd: "/app", paths: "/usr/share/nginx/html"},
		{text: "curl -sSL https://x/a.tar.xz | tar -xJ --strip-components=1 -C /opt", cwd: "/app", paths: "/opt"},
		{text: "tar xzf /tmp/o.tgz -C /srv --no-same-owner", cwd: "/app", paths: "/srv"},
		{text: "wget -qO /usr/local/bin/tini https://x/tini && chmod +x /usr/local/bin/tini", cwd: "/app", paths: "/usr/local/bin/tini"},
		{text: "echo 'x' > /etc/app.conf && ln -sf /dev/stdout /var/log/app.log", cwd: "/app", paths: "/etc/app.conf /var/log/app.log"},
		{text: "ln -s /opt/tool/bin/t /usr/bin/t", cwd: "/app", paths: "/usr/bin/t"},
		{text: "cd /opt && git clone https://github.com/a/b", cwd: "/app", paths: "/opt"},
		{text: "curl -o /opt/tool-$VERSION.tgz https://x", cwd: "/app", paths: "/opt"},
		{text: "mkdir -p $APP_HOME/data", cwd: "/app", env: map[string]string{"APP_HOME": "/srv"}, paths: "/srv/data"},
		{text: "git clone https://x/y /opt/y && cp /opt/y/z . && rm -rf /opt/y", cwd: "/app"},
		{text: "docker-php-ext-install pdo_mysql", cwd: "/var/www", paths: "/usr/local/etc/php /usr/local/lib/php"},
		{text: `find / -exec chmod a+r {} +`, cwd: "/app", why: "anywhere below /"},
		{text: `find "$DIR" -exec chmod a+r {} +`, cwd: "/app", why: "not literal"},
		{text: `find /x -exec chown app {} +`, cwd: "/app", why: "not in the text"},
		{text: `find /x | xargs chmod a+r`, cwd: "/app", why: "not in the text"},
		{text: "npm ci", cwd: "/", why: "below /"},

		{text: "install --directory --owner app --mode 1777 /run/app && install -m 755 x /usr/bin/x", cwd: "/app", paths: "/run/app /usr/bin/x"},
		{text: "ls | awk '$1 > 2 { print $2 }' | xargs -r echo", cwd: "/app"},
		{text: "php artisan config:cache && php composer.phar install", cwd: "/var/www"},
		{text: "install_packages curl && xx-apt-get install -y gcc", cwd: "/app"},
		{text: "node --max_old_space_size=2048 node_modules/@angular/cli/bin/ng build", cwd: "/app"},
		{text: "python -W ignore -m compileall .", cwd: "/app"},
		{text: "xx-go build -o /out/x . && xx-verify /out/x", cwd: "/src", paths: "/out/x"},

		// what cannot be known
		{text: "awk '{ print > \"/etc/x\" }' y", cwd: "/src", why: "awk"},
		{text: "php -r 'copy(1,2);'", cwd: "/src", why: "php"},
		{text: "make -j $(nproc) all", cwd: "/src", why: "make all"},
		{text: "make build", cwd: "/src", why: "make build"},
		{text: "make install DESTDIR=/out", cwd: "/src", paths: "/out"},
		{text: "./install.sh", cwd: "/src", why: "install.sh"},
		{text: "bash scripts/setup.sh", cwd: "/src", why: "bash"},
		{text: "curl -fsSL https://x | bash", cwd: "/src", why: "bash"},
		{text: "python manage.py collectstatic --noinput", cwd: "/src"},
		{text: "python setup_db.py", cwd: "/src", why: "setup_db.py"},
		{text: "cp -r build \"$OUT\"", cwd: "/src", why: "$OUT"},
		{text: "poetry install", cwd: "/src", why: "poetry"},
		{text: "$TOOL build", cwd: "/src", why: "not literal"},
		{text: "cd \"$X\" && touch y", cwd: "/src", why: "not literal"},
		{text: "tar xzf x.tgz -C /", cwd: "/src", why: "below /"},
		{text: ". ./env.sh", cwd: "/src", why: "sourced"},
		{text: "cargo run", cwd: "/src", why: "cargo run"},
		{text: "xargs -a list touch", cwd: "/src", why: "touch"},
		{text: "node scripts/build.js", cwd: "/src", why: "node"},
		{text: "playwright install chromium", cwd: "/src", why: "playwright"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			s := parseOK(t, tt.text, Sh, WithEnv(tt.env))
			paths, unknown, why := s.Writes(tt.cwd)
			if got := strings.Join(paths, " "); got != tt.paths {
				t.Errorf("paths %q, want %q", got, tt.paths)
			}
			if unknown != (tt.why != "") || !strings.Contains(why, tt.why) {
				t.Errorf("unknown %v %q, want %q", unknown, why, tt.why)
			}
		})
	}
}

func TestEffectsRemovedAndAssumed(t *testing.T) {
	t.Parallel()
	e := parseOK(t, "rm -rf /usr/share/nginx/html/* /etc/nginx/conf.d/default.conf && npm run build", Sh).Effects("/app")
	if got := strings.Join(e.Removed, " "); got != "/etc/nginx/conf.d/default.conf /usr/share/nginx/html" {
		t.Errorf("removed %q", got)
	}
	if got := strings.Join(e.Assumed, " "); got != "npm run build" {
		t.Errorf("assumed %q", got)
	}
}

func TestWritesMaybe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, maybe string }{
		{"mkdir /data", ""},
		{"if [ -n \"$X\" ]; then mkdir /opt/lib; fi", "/opt/lib"},
		{"if [ -n \"$X\" ]; then curl -o /opt/lib/a.jar https://x/a.jar; fi; mkdir -p /opt/lib", "/opt/lib/a.jar"},
		{"test -f /etc/a || touch /etc/a", "/etc/a"},
		{"touch /etc/a && test -s /etc/a && touch /etc/b", ""},
		{"if true; then touch /srv/x; else touch /srv/x; fi && touch /srv/x", ""},
		{"if [ -n \"$X\" ]; then chmod +x /opt/run; sed -i s/a/b/ /etc/app.conf; fi", ""},
	} {
		sc, err := Parse(tt.text, Sh, Plain())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(sc.Effects("/app").Maybe, " "); got != tt.maybe {
			t.Errorf("%q may leave out %q, want %q", tt.text, got, tt.maybe)
		}
	}
}

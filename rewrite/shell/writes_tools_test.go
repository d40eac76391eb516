package shell

import (
	"strings"
	"testing"
)

// Where each tool writes, one line a way of calling it. The working directory
// is /app; "!" marks what is not known.
func TestWritesOfTools(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		// languages
		"cmake -S . -B /build && cmake --build /build": "/build",
		"cmake .":                                                    "",
		"cmake --install build --prefix /opt/x":                      "/opt/x",
		"cmake --install build":                                      "!",
		"gcc -O2 -o /usr/local/bin/x x.c":                            "/usr/local/bin/x",
		"gcc-12 x.c":                                                 "",
		"javac -d /out A.java && jar cf a.jar A.class":               "/out",
		"jlink --add-modules java.base --output /jre":                "/jre",
		"java -jar tool.jar":                                         "!",
		"java -Djarmode=tools -jar app.jar extract --destination /x": "/x",
		"mvn -f backend/pom.xml package":                             "",
		"mvn -f /src/pom.xml package":                                "/src",
		"gradle -p /src build":                                       "/src",
		"gradle clean bootJar --no-daemon":                           "",
		"CARGO_TARGET_DIR=/t cargo build":                            "/t",
		"cargo build --manifest-path /src/Cargo.toml":                "/src",
		"cargo install ripgrep":                                      "/usr/local/cargo/bin",
		"rustup target add x":                                        "/usr/local/rustup",
		"go generate ./... && go vet ./... && go test ./...":         "",
		"go run ./gen":                                               "!",
		"GOPATH=/g go install x@latest":                              "/g/bin",
		"dotnet tool install -g dotnet-ef":                           "/root/.dotnet/tools",
		"dotnet tool install x --tool-path /tools":                   "/tools",
		"dotnet App.dll":                                             "!",
		"dotnet dev-certs https":                                     "!",
		"dotnet restore src/App/App.csproj":                          "",
		"deno cache main.ts":                                         "/deno-dir",
		"deno compile -o /bin/x main.ts":                             "/bin/x",
		"deno run x.ts":                                              "!",
		"deno task build":                                            "",
		"composer global require x/y":                                "",
		"composer install -d /srv/app":                               "/srv/app",
		"curl -sS https://getcomposer.org/installer | php -- --install-dir=/usr/local/bin --filename=composer": "/usr/local/bin/composer",
		"curl -sS https://getcomposer.org/installer | php -- --install-dir /opt":                               "/opt/composer.phar",
		"curl -sS https://example.com/x | php -- --filename=a --evil":                                          "!",
		"php -r \"copy('https://getcomposer.org/installer', 'composer-setup.php');\"":                          "",
		"php -r \"copy('https://getcomposer.org/installer', 'composer-setup.php'); system('x');\"":             "!",
		"php composer-setup.php --install-dir=/bin --filename=composer":                                        "/bin/composer",
		"pecl install redis && docker-php-ext-enable redis":                                                    "/usr/local/etc/php /usr/local/lib/php",
		"a2enmod rewrite":                                     "/etc/apache2",
		"gem install bundler":                                 "/usr/local/bundle",
		"gem install -i /gems x":                              "/gems",
		"gem env":                                             "",
		"GEM_HOME=/g gem update --system":                     "/g /usr/local/lib/ruby",
		"BUNDLE_PATH=/b bundle install":                       "/b",
		"bundle exec rake assets:precompile":                  "",
		"bundle install --deployment":                         "/usr/local/bundle/config",
		"bundle config set deployment true && bundle install": "/usr/local/bundle /usr/local/bundle/config",
		"mix deps.get && mix release":                         "",
		"npx prisma generate && tsc && vite build":            "",
		"yarn global add serve":                               "/usr/local/bin /usr/local/lib/node_modules /usr/local/share/.config/yarn",
		"PNPM_HOME=/p pnpm add -g x":                          "/p",
		"pnpm add -g x":                                       "!",
		"npm --prefix /web ci":                                "/web",
		"npm link":                                            "!",
		"pnpm deploy --filter api --prod /out":                "/out",
		"NPM_CONFIG_PREFIX=/n npm i -g x":                     "/n/bin /n/lib/node_modules",
		"corepack enable":                                     "/usr/local/bin /usr/local/lib/node_modules",
		"node build.js":                                       "!",
		// Python
		"pip wheel -w /wheels -r r.txt":                   "/wheels",
		"pip download x && pip freeze && pip cache purge": "",
		"PIP_TARGET=/t pip install x":                     "/t",
		"PIP_PREFIX=/t pip install x":                     "/t",
		"PYTHONUSERBASE=/u pip install --user x":          "/u",
		".venv/bin/pip install x":                         "",
		"python -m ensurepip":                             "/usr/local",
		"python -m spacy download en":                     "/usr/local",
		"python -m nltk.downloader -d /nltk punkt":        "/nltk",
		"python -m nltk.downloader punkt":                 "/root/nltk_data",
		"python -m foo":                                   "!",
		"python setup.py install":                         "/usr/local",
		"python setup.py build_ext --inplace":             "",
		"python -c 'x()'":                                 "!",
		"python":                                          "!",
		"virtualenv -p python3 /v":                        "/v",
		"uv venv /v && uv pip install -p /v/bin/python x": "/v",
		"uv pip install -p 3.12 x":                        "!",
		"uv venv && uv pip install x":                     "",
		"UV_PROJECT_ENVIRONMENT=/v uv sync":               "/v",
		"UV_SYSTEM_PYTHON=1 uv pip install x":             "/usr/local",
		"uv pip install --target /t x":                    "/t",
		"uv tool install x":                               "/root/.local",
		"uv python install 3.12":                          "/root/.local/share/uv",
		"uv frob":                                         "!",
		"uv cache clean":                                  "",
		"POETRY_VIRTUALENVS_IN_PROJECT=1 poetry install":  "",
		"POETRY_VIRTUALENVS_CREATE=false poetry install":  "/usr/local",
		"poetry export -o r.txt && poetry build":          "",
		"pipenv install --system --deploy":                "/usr/local",
		"PIPENV_VENV_IN_PROJECT=1 pipenv sync":            "",
		"pipenv install":                                  "!",
		"conda install numpy":                             "/opt/conda",
		// files
		"dd if=/dev/zero of=/swap bs=1M":                                    "/swap",
		"unzip -q x.zip -d /opt && zip -r /out/y.zip .":                     "/opt /out/y.zip",
		"rsync -a a/ /srv/":                                                 "/srv",
		"openssl req -x509 -keyout /etc/k.pem -out /etc/c.pem":              "/etc/c.pem /etc/k.pem",
		"curl -fsSL https://x | gpg --dearmor -o /usr/share/keyrings/x.gpg": "/usr/share/keyrings/x.gpg",
		"gpg --keyring /k.gpg --import x":                                   "/k.gpg",
		"patch -p1 -d /src < x.patch":                                       "/src",
		"yq -i '.a=1' /etc/x.yml":                                           "/etc/x.yml",
		"setcap cap_net_bind_service=+ep /bin/x":                            "/bin/x",
		"strip /bin/x && upx -o /bin/y /bin/x":                              "/bin/x /bin/y",
		"gunzip /data/x.gz":                                                 "/data/x.gz",
		"truncate -s 0 /log":                                                "/log",
		"tar --create --file=/b/x.tar . && tar tf y.tar":                    "/b/x.tar",
		"tar czf /b/x.tgz .":                                                "/b/x.tgz",
		"tar xPf x.tar -P":                                                  "!",
		"tar --extract --file x.tar --directory /opt":                       "/opt",
		"tar -xzC /opt -f x.tgz":                                            "/opt",
		"wget https://x/y && wget -P /d https://x/z":                        "/d",
		"wget -q --spider http://x":                                         "",
		"curl -LO https://x/y && curl --output-dir /d -O https://x/z":       "/d",
		"curl -K conf":                                                      "!",
		"git -C /src clone https://x/y z":                                   "/src/z",
		"git clone --depth 1 -b v1 https://x/y /opt/y":                      "/opt/y",
		"git config --global user.name x && git rev-parse HEAD":             "",
		"git -C /r checkout main":                                           "/r",
		"locale-gen && update-ca-certificates && ldconfig":                  "/etc/ld.so.cache /etc/locale.gen /etc/ssl/certs /usr/lib/locale",
		"cp -t /dst a b && mv -t /dst2 c":                                   "/dst /dst2",
		"ln -s /x/y":                                                        "",
		"mv /opt/x-1.0 /opt/x":                                              "/opt/x",
		"find /usr -name '*.pyc' -delete":                                   "",
		"find . -type f -exec chown app {} +":                               "!",
		"echo x >> ~/.bashrc":                                               "/root/.bashrc",
		"HOME=/h; echo x > ~/y":                                             "/h/y",
		"su app -c 'touch ~/x'":                                             "!",
		"HOME= pip install --user x":                                        "!",
		"rm -rf \"$X\" && rmdir /gone":                                      "",
		"make DESTDIR=/out install":                                         "/out",
		"awk -f prog.awk x":                                                 "!",
		"perl x.pl":                                                         "!",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			paths, unknown, why := parseOK(t, text, Sh).Writes("/app")
			got := strings.Join(paths, " ")
			if unknown {
				got = "!"
			}
			if got != want {
				t.Errorf("got %q (%s), want %q", got, why, want)
			}
		})
	}
}

func TestPackagesOfOtherManagers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"pacman -Syu --noconfirm":              "upgrade",
		"pacman -Scc --noconfirm":              "clean",
		"pacman -R x":                          "remove x",
		"rpm -Uvh https://x/y.rpm":             "install",
		"rpm -e x":                             "remove x",
		"zypper --non-interactive in x":        "install x",
		"uv add httpx":                         "install httpx",
		"uv tool install ruff":                 "install ruff",
		"uv pip sync r.txt":                    "sync",
		"uv run x":                             "run",
		"clean-install x":                      "install x",
		"conda install -c conda-forge 'a=1' b": "install a b",
		"yarn workspace x build":               "run",
		"npm":                                  "other",
	} {
		p := parseOK(t, text, Sh).Packages()
		if len(p) != 1 {
			t.Errorf("%s: %d calls", text, len(p))
			continue
		}
		if got := strings.TrimSpace(string(p[0].Verb) + " " + strings.Join(p[0].Packages, " ")); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

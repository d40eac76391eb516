package verify

import (
	"context"
	"slices"
	"strings"
	"testing"

	"dhibot/rewrite/catalog"
	"dhibot/rewrite/dockerfile"
)

// parsed is a file with the facts of the embedded catalog.
func parsed(t testing.TB, content string) *model {
	t.Helper()
	f, err := dockerfile.Parse([]byte(content))
	if err != nil {
		t.Fatalf("%v in\n%s", err, content)
	}
	return newModel(&In{Catalog: facts(t)}, f)
}

// TestInvariants shows every invariant on one file at a time: where it fires,
// with the rule and the line, and where it does not (line 0).
func TestInvariants(t *testing.T) {
	t.Parallel()
	run, dev := pick(t, "node", catalog.NeedRuntime), pick(t, "node", catalog.NeedDev)
	nginx, python := pick(t, "nginx", catalog.NeedRuntime), pick(t, "python", catalog.NeedRuntime)
	tomcat := pick(t, "tomcat", catalog.NeedRuntime)
	tests := []struct {
		name      string
		invariant func(*model) []Violation
		rule      string
		lines     []string // RUN, DEV, NGINX and PYTHON stand for the images
		line      int
	}{
		{"listed", listedTags, "", []string{"FROM RUN", "COPY --from=DEV /x /y"}, 0},
		{"not listed", listedTags, "base-image", []string{"FROM RUN", "FROM dhi.io/node:22-nonsense"}, 2},
		{"no tag", listedTags, "base-image", []string{"FROM dhi.io/node"}, 1},
		{"not listed in COPY", listedTags, "base-image", []string{"FROM RUN", "COPY --from=dhi.io/node:1 /x /y"}, 2},
		{"another registry", listedTags, "", []string{"FROM example.com/node:22-nonsense"}, 0},

		{"RUN on dev", runsWithoutShell, "", []string{"FROM DEV", "RUN x"}, 0},
		{"RUN on runtime", runsWithoutShell, "no-shell", []string{"FROM RUN", "USER 0", "RUN x"}, 3},
		{"RUN in a child", runsWithoutShell, "no-shell", []string{"FROM RUN AS a", "FROM a", "RUN x"}, 3},
		{"exec form", runsWithoutShell, "", []string{"FROM RUN", `RUN ["node", "x"]`}, 0},
		{"exec form of a shell", runsWithoutShell, "no-shell", []string{"FROM RUN", `RUN ["/bin/bash", "-c", "x"]`}, 2},
		{"a shell was copied", runsWithoutShell, "", []string{"FROM RUN", "COPY --from=busybox /bin/sh /bin/sh", "RUN x"}, 0},
		{"a file was copied to /bin", runsWithoutShell, "no-shell", []string{"FROM RUN", "COPY --from=busybox /bin/ls /bin/", "RUN x"}, 3},
		{"SHELL", runsWithoutShell, "", []string{"FROM RUN", `SHELL ["node", "-e"]`, "RUN x"}, 0},
		{"scratch is not known", runsWithoutShell, "", []string{"FROM scratch", "RUN x"}, 0},
		{"heredoc", runsWithoutShell, "no-shell", []string{"FROM RUN", "RUN <<E", "x", "E"}, 2},

		{"ONBUILD RUN on dev", triggersWithoutShell, "", []string{"FROM DEV", "ONBUILD RUN x"}, 0},
		{"ONBUILD RUN on runtime", triggersWithoutShell, "no-shell", []string{"FROM RUN", "ONBUILD RUN x"}, 2},
		{"ONBUILD COPY", triggersWithoutShell, "", []string{"FROM RUN", "ONBUILD COPY a /b"}, 0},

		{"apt on Debian dev", packageManagers, "", []string{"FROM DEV", "RUN apt-get update && apt install -y x"}, 0},
		{"apt on runtime", packageManagers, "package-management", []string{"FROM RUN", "RUN a && apt-get install -y x"}, 2},
		{"apk on Debian", packageManagers, "package-management", []string{"FROM DEV", "RUN apk add x"}, 2},
		{"in exec form", packageManagers, "package-management", []string{"FROM RUN", `RUN ["sh", "-c", "apt-get update"]`}, 2},
		{"plain exec form", packageManagers, "package-management", []string{"FROM RUN", `RUN ["apt-get", "update"]`}, 2},
		{"behind sudo", packageManagers, "package-management", []string{"FROM RUN", "RUN sudo -E apt-get update"}, 2},
		{"in a branch", packageManagers, "package-management", []string{"FROM RUN", "RUN if x; then apk add y; fi"}, 2},
		{"only as text", packageManagers, "", []string{"FROM RUN", "RUN echo apt-get install"}, 0},
		{"a path with the name", packageManagers, "", []string{"FROM RUN", "RUN rm -rf /var/lib/apt/lists"}, 0},
		{"ONBUILD", packageManagers, "package-management", []string{"FROM RUN", "ONBUILD RUN apk add x"}, 2},
		{"as a user", packageManagers, "package-management", []string{"FROM DEV", "USER node", "RUN apt-get update"}, 3},
		{"as a user with sudo", packageManagers, "", []string{"FROM DEV", "USER node", "RUN sudo apt-get update"}, 0},
		{"as root again", packageManagers, "", []string{"FROM DEV", "USER node", "USER 0:0", "RUN apt-get update"}, 0},
		{"as somebody", packageManagers, "", []string{"FROM DEV", "ARG U", "USER $U", "RUN apt-get update"}, 0},
		{"unknown image", packageManagers, "", []string{"FROM example.com/x:1", "RUN apk add x"}, 0},

		{"the image's user", knownUsers, "", []string{"FROM RUN", "USER node", "COPY --chown=node:node a /b"}, 0},
		{"a number", knownUsers, "", []string{"FROM RUN", "USER 1001:1001", "COPY --chown=33 a /b"}, 0},
		{"unknown user", knownUsers, "nonroot-user", []string{"FROM RUN", "USER app"}, 2},
		{"unknown owner", knownUsers, "nonroot-user", []string{"FROM RUN", "COPY --chown=www-data:www-data a /b"}, 2},
		{"unknown group", knownUsers, "nonroot-user", []string{"FROM RUN", "USER node:staff"}, 2},
		{"the group of nginx", knownUsers, "", []string{"FROM NGINX", "COPY --chown=nginx:www-data a /b"}, 0},
		{"made before", knownUsers, "", []string{"FROM DEV", "RUN groupadd app && useradd -g app app", "USER app:app"}, 0},
		{"made through a variable", knownUsers, "", []string{"FROM DEV", "ARG U=app", "RUN adduser -D ${U}", "USER $U"}, 0},
		{"made after", knownUsers, "nonroot-user", []string{"FROM DEV", "USER app", "RUN useradd app"}, 2},
		{"made in the parent", knownUsers, "", []string{"FROM DEV AS a", "RUN useradd app", "FROM a", "USER app"}, 0},
		{"made in another stage", knownUsers, "nonroot-user", []string{"FROM DEV AS a", "RUN useradd app", "FROM RUN", "USER app"}, 4},
		{"passwd copied", knownUsers, "", []string{"FROM RUN", "COPY --from=DEV /etc/passwd /etc/passwd", "USER app"}, 0},
		{"a variable nobody knows", knownUsers, "", []string{"FROM RUN", "ARG U", "USER $U"}, 0},
		{"a default", knownUsers, "nonroot-user", []string{"FROM RUN", "USER ${U:-app}"}, 2},
		{"root", knownUsers, "", []string{"FROM RUN", "USER root"}, 0},

		{"high port", privilegedPorts, "", []string{"FROM RUN", "EXPOSE 8080/tcp"}, 0},
		{"low port", privilegedPorts, "ports", []string{"FROM RUN", "EXPOSE 8080", "EXPOSE 443/tcp"}, 3},
		{"low port of the parent", privilegedPorts, "ports", []string{"FROM RUN AS a", "EXPOSE 80", "FROM a"}, 2},
		{"low port of another stage", privilegedPorts, "", []string{"FROM RUN AS a", "EXPOSE 80", "FROM RUN"}, 0},
		{"as root", privilegedPorts, "", []string{"FROM RUN", "EXPOSE 80", "USER 0"}, 0},
		{"range", privilegedPorts, "ports", []string{"FROM RUN", "EXPOSE 80-90"}, 2},
		{"variable", privilegedPorts, "ports", []string{"FROM RUN", "ENV P=80", "EXPOSE $P"}, 3},
		{"image to build in", privilegedPorts, "", []string{"FROM DEV", "EXPOSE 80", "USER node"}, 0},

		{"program of the image", startable, "", []string{"FROM RUN", `CMD ["node", "x.js"]`}, 0},
		{"shell form", startable, "no-shell", []string{"FROM RUN", "CMD node x.js"}, 2},
		{"shell form ENTRYPOINT", startable, "no-shell", []string{"FROM RUN", "ENTRYPOINT exec node x.js", `CMD ["y"]`}, 2},
		{"exec of bash", startable, "no-shell", []string{"FROM RUN", `ENTRYPOINT ["bash", "-c"]`}, 2},
		{"shell form on dev", startable, "", []string{"FROM DEV", "CMD node x.js"}, 0},
		{"npm on runtime", startable, "entry-point", []string{"FROM RUN", `CMD ["npm", "start"]`}, 2},
		{"npm on dev", startable, "", []string{"FROM DEV", `CMD ["npm", "start"]`}, 0},
		{"pip on runtime", startable, "entry-point", []string{"FROM PYTHON", `CMD ["pip", "list"]`}, 2},
		{"pip of a venv", startable, "", []string{"FROM PYTHON", "COPY --from=DEV /venv /venv", "ENV PATH=/venv/bin:$PATH", `CMD ["pip", "list"]`}, 0},
		{"apt-get", startable, "entry-point", []string{"FROM RUN", `ENTRYPOINT ["/usr/bin/apt-get"]`}, 2},
		{"tini is missing", startable, "entry-point", []string{"FROM RUN", `ENTRYPOINT ["tini", "--"]`, `CMD ["node", "x"]`}, 2},
		{"tini was copied", startable, "", []string{"FROM RUN", "COPY --from=DEV /usr/bin/tini /usr/bin/tini", `ENTRYPOINT ["tini", "--", "node"]`}, 0},
		{"a shell behind tini", startable, "no-shell", []string{"FROM RUN", "COPY tini /tini", `ENTRYPOINT ["/tini", "-g", "--", "sh", "x.sh"]`}, 3},
		{"script of the old image", startable, "entry-point", []string{"FROM RUN", `ENTRYPOINT ["docker-entrypoint.sh"]`, `CMD ["node"]`}, 2},
		{"the image's own script", startable, "", []string{"FROM TOMCAT", `CMD ["catalina.sh", "run"]`}, 0},
		{"script that was copied", startable, "", []string{"FROM RUN", "COPY docker-entrypoint.sh /usr/local/bin/", `ENTRYPOINT ["docker-entrypoint.sh"]`}, 0},
		{"only its parent's", startable, "no-shell", []string{"FROM RUN AS a", "CMD x", "FROM a"}, 2},
		{"a stage nobody starts", startable, "", []string{"FROM RUN AS a", "CMD x", "FROM RUN", "COPY --from=a /x /x", `CMD ["node"]`}, 0},
		{"a target of its own", startable, "no-shell", []string{"FROM RUN AS a", "CMD x", "FROM RUN", `CMD ["node"]`}, 2},

		{"arguments only", doubledCommand, "", []string{"FROM NGINX", `CMD ["-g", "daemon off;"]`}, 0},
		{"doubled", doubledCommand, "entry-point", []string{"FROM NGINX", `CMD ["nginx", "-g", "daemon off;"]`}, 2},
		{"doubled with a path", doubledCommand, "entry-point", []string{"FROM NGINX", `CMD ["/usr/sbin/nginx"]`}, 2},
		{"own ENTRYPOINT", doubledCommand, "", []string{"FROM NGINX", "ENTRYPOINT []", `CMD ["nginx"]`}, 0},
		{"no ENTRYPOINT", doubledCommand, "", []string{"FROM RUN", `CMD ["node"]`}, 0},
		{"a shell as argument", doubledCommand, "entry-point", []string{"FROM NGINX", `CMD ["sh", "-c", "x"]`}, 2},

		{"exec form check", healthChecks, "", []string{"FROM RUN", `HEALTHCHECK CMD ["node", "-e", "0"]`, `CMD ["node"]`}, 0},
		{"shell form check", healthChecks, "no-shell", []string{"FROM RUN", "HEALTHCHECK CMD node -e 0"}, 2},
		{"curl", healthChecks, "no-shell", []string{"FROM RUN", `HEALTHCHECK --interval=5s CMD ["curl", "-f", "localhost"]`}, 2},
		{"none", healthChecks, "", []string{"FROM RUN", "HEALTHCHECK NONE"}, 0},
		{"shell form on dev", healthChecks, "", []string{"FROM DEV", "HEALTHCHECK CMD node -e 0"}, 0},

		{"sources", existingSources, "", []string{"FROM RUN AS a", "FROM RUN", "COPY --from=a /x /y", "COPY --from=0 /x /z"}, 0},
		{"index too high", existingSources, "multi-stage", []string{"FROM RUN", "COPY --from=1 /x /y"}, 2},
		{"no image name", existingSources, "multi-stage", []string{"FROM RUN", "COPY --from=No /x /y"}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			content := strings.Join(tt.lines, "\n") + "\n"
			for _, pair := range [][2]string{{"FROM RUN", "FROM " + run}, {"NGINX", nginx}, {"PYTHON", python}, {"TOMCAT", tomcat}, {"DEV", dev}} {
				content = strings.ReplaceAll(content, pair[0], pair[1])
			}
			got := tt.invariant(parsed(t, content))
			switch {
			case tt.line == 0 && len(got) > 0:
				t.Errorf("%s\nin\n%s", texts(got), content)
			case tt.line > 0 && (len(got) != 1 || got[0].Rule != tt.rule || got[0].Line != tt.line):
				t.Errorf("%q, want %s at line %d in\n%s", texts(got), tt.rule, tt.line, content)
			}
		})
	}
}

// TestComparisons is the same for what only shows when both files are seen.
func TestComparisons(t *testing.T) {
	t.Parallel()
	run, dev := pick(t, "node", catalog.NeedRuntime), pick(t, "node", catalog.NeedDev)
	python, httpd := pick(t, "python", catalog.NeedRuntime), pick(t, "httpd", catalog.NeedRuntime)
	tests := []struct {
		name          string
		invariant     func(*check) []Violation
		before, after string
		final         Final
		line          int // -1: fires without a line
	}{
		{"runtime as claimed", finalClaim, "FROM node:22", "FROM " + run, RuntimeFinal, 0},
		{"dev as claimed", finalClaim, "FROM node:22", "FROM " + dev, DevFinal, 0},
		{"dev claimed to be runtime", finalClaim, "FROM node:22", "FROM " + dev, RuntimeFinal, 1},
		{"runtime claimed to be dev", finalClaim, "FROM node:22", "FROM " + run, DevFinal, 1},
		{"not moved", finalClaim, "FROM node:22", "FROM " + dev + "\nFROM node:22", RuntimeFinal, 2},
		{"no claim", finalClaim, "FROM node:22", "FROM node:22", AnyFinal, 0},

		{"stages kept", keptStages, "FROM node:22 AS a\nFROM a AS b", "FROM " + dev + " AS A\nFROM a AS b\nFROM b AS c", AnyFinal, 0},
		{"stage gone", keptStages, "FROM node:22 AS a\nFROM a AS b", "FROM " + dev + " AS a\nFROM a AS c", AnyFinal, -1},

		{"image of the original", knownImages, "FROM node:22\nCOPY --from=assets /x /y", "FROM " + dev + "\nCOPY --from=assets /x /y", AnyFinal, 0},
		{"stage that is none", knownImages, "FROM node:22 AS build\nFROM x\nCOPY --from=build /x /y", "FROM " + dev + "\nFROM x\nCOPY --from=build /x /y", AnyFinal, 3},
		{"invented image", knownImages, "FROM node:22", "FROM example.com/node:22", AnyFinal, 1},

		{"variable of both images", lostVariables, "FROM node:22\nWORKDIR $PATH", "FROM " + dev + "\nWORKDIR $PATH", AnyFinal, 0},
		{"lost variable", lostVariables, "FROM node:22\nCOPY x $YARN_VERSION/", "FROM " + dev + "\nCOPY x $YARN_VERSION/", AnyFinal, 2},
		{"lost, with a default", lostVariables, "FROM node:22\nCOPY x ${YARN_VERSION:-1}/", "FROM " + dev + "\nCOPY x ${YARN_VERSION:-1}/", AnyFinal, 0},
		{"set by the file", lostVariables, "FROM node:22\nENV YARN_VERSION=1\nCOPY x $YARN_VERSION/", "FROM " + dev + "\nENV YARN_VERSION=1\nCOPY x $YARN_VERSION/", AnyFinal, 0},
		{"not set before either", lostVariables, "FROM node:22\nCOPY x $NOPE/", "FROM " + dev + "\nCOPY x $NOPE/", AnyFinal, 0},

		{"not root as before", rootAgain, "FROM node:22\nUSER node", "FROM " + run, AnyFinal, 0},
		{"root before too", rootAgain, "FROM node:22", "FROM " + dev, AnyFinal, 0},
		{"root by the image", rootAgain, "FROM node:22\nUSER node", "FROM " + dev, AnyFinal, 1},
		{"root by the file", rootAgain, "FROM node:22\nUSER 1000:0", "FROM " + dev + "\nUSER node\nUSER 0", AnyFinal, 3},
		{"the old image did not run as root", rootAgain, "FROM gcr.io/distroless/static-debian12:nonroot", "FROM " + dev, AnyFinal, 1},
		{"an old image nobody knows", rootAgain, "FROM example.com/x:1", "FROM " + dev, AnyFinal, 0},
		{"a variable user", rootAgain, "FROM node:22\nARG U\nUSER $U", "FROM " + dev, AnyFinal, 0},

		{"work as root", rootWork, "FROM node:22\nRUN x", "FROM " + dev + "\nRUN x", AnyFinal, 0},
		{"work as a user", rootWork, "FROM node:22\nUSER node\nRUN x", "FROM " + dev + "\nUSER node\nRUN x", AnyFinal, 0},
		{"work that lost root", rootWork, "FROM httpd:2.4\nRUN x", "FROM " + httpd + "\nRUN x", AnyFinal, 2},
		{"new work", rootWork, "FROM httpd:2.4\nRUN x", "FROM " + httpd + "\nRUN y", AnyFinal, 0},

		{"config kept", keptConfig, "FROM node:22 AS a\nLABEL l=1\nENV E=1 PIP_X=1\nVOLUME /v\nFROM a\nSTOPSIGNAL 9", "FROM " + dev + " AS a\nFROM " + run + "\nLABEL l=2\nENV E=1\nVOLUME [\"/v\"]\nSTOPSIGNAL 9", AnyFinal, 0},
		{"label left behind", keptConfig, "FROM node:22\nLABEL l=1", "FROM " + dev + " AS a\nLABEL l=1\nFROM " + run, AnyFinal, -1},
		{"variable left behind", keptConfig, "FROM node:22\nENV NODE_ENV=production", "FROM " + dev + " AS a\nENV NODE_ENV=production\nFROM " + run, AnyFinal, -1},
		{"volume lost", keptConfig, "FROM node:22\nVOLUME /v /w", "FROM " + dev + "\nVOLUME /w", AnyFinal, -1},
		{"stop signal lost", keptConfig, "FROM node:22\nSTOPSIGNAL 9", "FROM " + dev, AnyFinal, -1},
		{"options of Java renamed", keptConfig, "FROM node:22\nENV JAVA_OPTS=-x", "FROM " + dev + "\nENV JAVA_TOOL_OPTIONS=-x", AnyFinal, 0},
		{"of another stage", keptConfig, "FROM node:22 AS a\nLABEL l=1\nFROM node:22", "FROM " + dev + " AS a\nFROM " + run, AnyFinal, 0},

		{"same directory", keptWorkDir, "FROM node:22\nWORKDIR /srv\nWORKDIR x", "FROM " + dev + " AS a\nWORKDIR /srv/x/\nFROM " + run + "\nWORKDIR /srv/x", AnyFinal, 0},
		{"another directory", keptWorkDir, "FROM node:22\nWORKDIR /srv\nCMD [\"node\"]", "FROM " + dev + " AS a\nWORKDIR /srv\nFROM " + run + "\nCMD [\"node\"]", AnyFinal, -1},
		{"another directory of nobody", keptWorkDir, "FROM node:22\nWORKDIR /srv", "FROM " + dev + " AS a\nWORKDIR /srv\nFROM " + run, AnyFinal, 0},
		{"out of root's home", keptWorkDir, "FROM node:22\nWORKDIR /root\nCMD [\"node\"]", "FROM " + run + "\nWORKDIR /app\nUSER 1000\nCMD [\"node\"]", AnyFinal, 0},
		{"directory of the image", keptWorkDir, "FROM node:22", "FROM " + python, AnyFinal, 0},
		{"a directory nobody knows", keptWorkDir, "FROM node:22\nARG D\nWORKDIR $D", "FROM " + run + "\nARG D\nWORKDIR $D", AnyFinal, 0},

		{"same index", indexedStages, "FROM node:22\nRUN a\nFROM x\nCOPY --from=0 /b /c", "FROM " + dev + "\nRUN a\nFROM x\nCOPY --from=0 /b /c", AnyFinal, 0},
		{"stage inserted", indexedStages, "FROM node:22\nRUN a\nFROM x\nCOPY --from=0 /b /c", "FROM " + dev + "\nRUN z\nFROM node:22\nRUN a\nFROM x\nCOPY --from=0 /b /c", AnyFinal, 6},
		{"index moved with it", indexedStages, "FROM node:22\nRUN a\nFROM x\nCOPY --from=0 /b /c", "FROM " + dev + "\nRUN z\nFROM node:22\nRUN a\nFROM x\nCOPY --from=1 /b /c", AnyFinal, 0},
		{"named stage", indexedStages, "FROM node:22 AS n\nRUN a\nFROM x\nCOPY --from=0 /b /c", "FROM " + dev + "\nRUN a\nFROM node:22 AS n\nFROM x\nCOPY --from=0 /b /c", AnyFinal, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := whole(t, tt.before+"\n", tt.after+"\n")
			in.Final = tt.final
			c, violations := newCheck(in)
			if len(violations) > 0 {
				t.Fatal(texts(violations))
			}
			got := tt.invariant(c)
			if tt.line == 0 && len(got) > 0 || tt.line != 0 && (len(got) != 1 || got[0].Line != max(tt.line, 0)) {
				t.Errorf("%q, want line %d", texts(got), tt.line)
			}
		})
	}
}

// TestNewFaultsOnly: what was wrong before is not held against the result.
func TestNewFaultsOnly(t *testing.T) {
	t.Parallel()
	run, dev := pick(t, "node", catalog.NeedRuntime), pick(t, "node", catalog.NeedDev)
	tests := []struct {
		name, before, after string
		want                []string // rules
	}{
		{"moved well", "FROM node:22\nCMD [\"node\", \"x\"]\n", "FROM " + run + "\nCMD [\"node\", \"x\"]\n", nil},
		{"user unknown before too", "FROM node:22\nUSER app\nCMD [\"node\"]\n", "FROM " + run + "\nUSER app\nCMD [\"node\"]\n", nil},
		{"user known before", "FROM node:22\nUSER www-data\nCMD [\"node\"]\n", "FROM " + run + "\nUSER www-data\nCMD [\"node\"]\n", []string{"nonroot-user"}},
		{"apk in a branch before too", "FROM node:22\nRUN apk add x || apt-get install x\n", "FROM " + dev + "\nRUN apk add x || apt-get install x\n", nil},
		{"hardened before, and broken", "FROM " + run + "\nRUN x\nCMD [\"node\"]\n", "FROM " + run + "\nRUN x\nCMD [\"node\"]\n", nil},
		{"once more than before", "FROM " + run + " AS a\nRUN x\nFROM node:22\nRUN x\nCMD [\"node\"]\n", "FROM " + run + " AS a\nRUN x\nFROM " + run + "\nRUN x\nCMD [\"node\"]\n", []string{"no-shell"}},
		{"port", "FROM node:22\nEXPOSE 80\nCMD [\"node\"]\n", "FROM " + run + "\nEXPOSE 80\nCMD [\"node\"]\n", []string{"ports"}},
		{"port without root before", "FROM node:22\nUSER node\nEXPOSE 80\nCMD [\"node\"]\n", "FROM " + run + "\nUSER node\nEXPOSE 80\nCMD [\"node\"]\n", nil},
		{"start script of the old image", "FROM node:22\nENTRYPOINT [\"docker-entrypoint.sh\"]\nCMD [\"node\"]\n", "FROM " + run + "\nENTRYPOINT [\"docker-entrypoint.sh\"]\nCMD [\"node\"]\n", []string{"entry-point"}},
		{"several", "FROM node:22\nRUN npm ci\nHEALTHCHECK CMD curl x\nCMD npm start\n", "FROM " + run + "\nRUN npm ci\nHEALTHCHECK CMD curl x\nCMD npm start\n", []string{"no-shell", "no-shell", "no-shell"}},
	}
	for _, tt := range tests {
		var got []string
		// The node images differ in their working directory, which is not meant here.
		violations := Check(context.Background(), whole(t, tt.before+"WORKDIR /w\n", tt.after+"WORKDIR /w\n"))
		for _, v := range violations {
			got = append(got, v.Rule)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %s", tt.name, texts(violations))
		}
	}
	in := whole(t, "FROM node:22\nWORKDIR /w\nEXPOSE 80\nCMD [\"node\"]\n", "FROM "+run+"\nWORKDIR /w\nEXPOSE 80\nCMD [\"node\"]\n")
	in.Told = []string{"ports"}
	if got := Check(context.Background(), in); len(got) > 0 {
		t.Errorf("the reader is told: %s", texts(got))
	}
}

// TestNaming: references of a mirror are Docker Hardened Images too.
func TestNaming(t *testing.T) {
	t.Parallel()
	tag := strings.TrimPrefix(pick(t, "node", catalog.NeedRuntime), "dhi.io/node:")
	in := whole(t, "FROM node:22\nWORKDIR /w\nCMD [\"node\"]\n", "FROM registry.example.com/acme/dhi-node:"+tag+"\nWORKDIR /w\nRUN x\nCMD [\"node\"]\n")
	in.Naming = catalog.Naming{Registry: "registry.example.com", Namespace: "acme"}
	if got := Check(context.Background(), in); len(got) != 1 || got[0].Rule != "no-shell" {
		t.Errorf("%s", texts(got))
	}
	in.Naming = catalog.Naming{Registry: "mirror.example.com"}
	in.After = []byte("FROM mirror.example.com/node:nonsense\n")
	in.Edits[0].New = string(in.After)
	if got := Check(context.Background(), in); len(got) != 1 || got[0].Rule != "base-image" {
		t.Errorf("%s", texts(got))
	}
}

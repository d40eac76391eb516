package shell

import (
	"strings"
	"testing"
)

// words is a command as one line: assignments are left out, "?" marks an
// argument that is not literal.
func words(c *Command) string {
	out := []string{}
	for _, w := range c.Wrapped {
		out = append(out, w+">")
	}
	name := c.Name
	if name == "" {
		name = "-"
	}
	out = append(out, name)
	for _, a := range c.Args {
		t := a.Text
		if !a.Literal && !a.Glob {
			t = "?" + t
		}
		out = append(out, t)
	}
	return strings.Join(out, " ")
}

func list(s *Script) string {
	var lines []string
	for _, c := range s.Commands {
		mark := ""
		for _, m := range []struct {
			on bool
			s  string
		}{{c.Conditional, "c"}, {c.Pipe, "p"}, {c.Background, "b"}, {c.Subst, "s"}, {c.OpenArgs, "o"}, {c.Function, "f"}} {
			if m.on {
				mark += m.s
			}
		}
		if mark != "" {
			mark += ": "
		}
		lines = append(lines, mark+words(c))
	}
	return strings.Join(lines, "\n")
}

func parseOK(t *testing.T, text string, lang Lang, opts ...Option) *Script {
	t.Helper()
	s, err := Parse(text, lang, opts...)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return s
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		lang       Lang
		want       string
	}{
		{"and", "apt-get update && apt-get install -y 'curl' \"git\"", Sh, "apt-get update\napt-get install -y curl git"},
		{"continuation", "apt-get update \\\n  # a comment\n\n  && apt-get install -y \\\n# another\n curl", Sh, "apt-get update\napt-get install -y curl"},
		{"crlf", "set -e; \\\r\n  echo a#b", Sh, "set -e\necho a#b"},
		{"pipe", "curl -fsSL https://x/y | bash -", Sh, "p: curl -fsSL https://x/y\np: bash -"},
		{"or", "dpkg -i foo.deb || apt-get -f install -y", Sh, "dpkg -i foo.deb\nc: apt-get -f install -y"},
		{"and or", "a && b && c || d; e", Sh, "a\nc: b\nc: c\nc: d\ne"},
		{"heredocs", "python3 <<P > /a && cat <<-'Q' | tee /b\nimport x\nRUN y\nP\n\tz $A\n\tQ\n", Sh, "python3\np: cat\np: tee /b"},
		{"shell reads a heredoc", "bash <<'E'\napt-get update\nE\n", Sh, "bash> apt-get update"},
		{"comment in text", "apt-get install -y git && echo ${#PATH} \\\n # note\n && echo x#y", Sh, "apt-get install -y git\necho ?${#PATH}\necho x#y"},
		{"all redirections", "(apt-get update & wait) && apt-get install -y wget &> /var/log/apt.log", Bash, "b: apt-get update\nwait\napt-get install -y wget"},
		{"if", "if [ -f x ]; then a; elif b; then c; else d; fi; e", Sh, "[ -f x ]\nc: a\nc: b\nc: c\nc: d\ne"},
		{"loop", "for p in curl wget; do apt-get install -y \"$p\"; done", Sh, "apt-get install -y curl\napt-get install -y wget"},
		{"loop over files", "for p in *.deb; do dpkg -i $p; done", Sh, "c: dpkg -i ?$p"},
		{"case", "case \"$(dpkg --print-architecture)\" in amd64) a=1 ;; *) exit 1 ;; esac; echo $a", Sh, "c: -\nc: exit 1\ns: dpkg --print-architecture\necho ?$a"},
		{"sudo", "sudo -E -u app apt install -yq git", Sh, "sudo> apt install -yq git"},
		{"env", "env -i A=b FOO=bar make all", Sh, "env> make all"},
		{"xargs", "xargs -a packages.txt apt-get install -y", Sh, "o: xargs> apt-get install -y"},
		{"sh -c", "sh -c 'cd /x && make' && bash -euxo pipefail -c \"echo hi\"", Sh, "sh> cd /x\nsh> make\nbash> echo hi"},
		{"su", "su - app -c 'bundle install'", Sh, "su> bundle install"},
		{"eval", "eval \"apt-get install -y jq\"", Sh, "eval> apt-get install -y jq"},
		{"timeout", "timeout -s KILL 10 nice -n 5 go build ./...", Sh, "timeout> nice> go build ./..."},
		{"exec time nohup", "exec nohup time ls", Sh, "exec> nohup> time> ls"},
		{"bash time", "time ls", Bash, "time> ls"},
		{"command -v", "command -v curl", Sh, "command -v curl"},
		{"background", "(apt-get update & wait) && sleep 1 & apt-get install -y git; wait", Sh, "b: apt-get update\nb: wait\nb: sleep 1\napt-get install -y git\nwait"},
		{"substitution", "apt-get install -y $(cat packages.txt) ${EXTRA}", Sh, "apt-get install -y ?$(cat packages.txt) ?${EXTRA}\ns: cat packages.txt"},
		{"variable", "V=1.2 && W=\"a b\" && tool-$V \"$W\" $W", Sh, "-\n-\ntool-1.2 a b a b"},
		{"variable lost in a branch", "V=1; if x; then V=2; fi; y $V", Sh, "-\nx\nc: -\ny ?$V"},
		{"function", "f() { apt-get install -y \"$@\"; }; f curl", Sh, "c: apt-get install -y ?$@\nf: f curl"},
		{"quotes", `echo 'a'"b"\ c don\'t`, Sh, "echo ab c don't"},
		{"braces", "mkdir -p /app/{a,b}", Bash, "mkdir -p /app/a /app/b"},
		{"braces in sh", "mkdir -p /app/{a,b}", Sh, "mkdir -p /app/{a,b}"},
		{"find", `find / -name '*.pyc' -exec rm -f {} \;`, Sh, "find / -name *.pyc -exec rm -f {} ;\nco: find> rm -f {}"},
		{"bashism in sh", "function f { ls; }; a=(1 2); f", Sh, "c: ls\n-\nf: f"},
		{"group", "{ apt-get install -y jq || true; } > /dev/null", Sh, "-\napt-get install -y jq\nc: true"},
		{"trap", "trap 'rm -f x' EXIT", Sh, "trap rm -f x EXIT\nc: trap> rm -f x"},
		{"export", "export A=1 B=$C; echo $A", Bash, "export A=1 ?B=$C\necho 1"},
		{"export sh", "export A=1; echo $A", Sh, "export A=1\necho 1"},
		{"test clause", "[[ -f x ]] && ls", Bash, "[[\nls"},
		{"length is no comment", "echo ${#PATH} \"a # b\" # tail", Sh, "echo ?${#PATH} a # b"},
		{"not json", "[ -f /etc/os-release ] && apt-get install -y wget", Sh, "[ -f /etc/os-release ]\napt-get install -y wget"},
		{"python module", "python -m pip install flask", Sh, "python -m pip install flask"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := list(parseOK(t, tt.text, tt.lang)); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

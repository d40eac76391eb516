package rules

import (
	"fmt"
	"strings"

	"dhibot/rewrite/dockerfile"
	"dhibot/rewrite/strategy"
)

func noShell() *Rule {
	return &Rule{
		ID:    "no-shell",
		Title: "No shell",
		Note: "Runtime images have no shell. A start command in shell form becomes a list when it is one program; a health check in shell form becomes an exec form when the image can run one, " +
			"and a comment when it cannot. What really needs a shell keeps the final stage on a dev image, and the reason is given.",
		Before: "CMD gunicorn app:app",
		After:  "CMD [\"gunicorn\", \"app:app\"]",
		URL:    "https://docs.docker.com/dhi/how-to/troubleshoot/#no-shell",
		Run:    runNoShell,
	}
}

func runNoShell(p *Pass) {
	p.drops()
	p.replaced()
	p.rewrites()
	p.healthCheck()
	p.javaOptions()
	p.notes()
}

func (p *Pass) healthCheck() {
	h := p.Health
	if h.Step == nil || p.Shape == strategy.ShapeNone || p.Shape == strategy.ShapeDev {
		return
	}
	if h.Comment {
		p.check("The health check cannot run in the image any more and is a comment now. Use a probe of your platform (Kubernetes httpGet, for example), or a check that the program itself offers.", h.Step.Lines[0])
	}
	if p.Shape == strategy.ShapeSplit && p.staysBehind(h.Step) || p.Shape == strategy.ShapeRebase && h.Step.Stage != p.Final.Stage {
		return
	}
	before := p.File.Text(h.Step.Span)
	after := ""
	if h.Comment {
		lines := strings.Split(strings.ReplaceAll(before, "\r\n", "\n"), "\n")
		for i := range lines {
			lines[i] = "# " + lines[i]
		}
		after = strings.Join(lines, "\n")
	} else {
		after = "HEALTHCHECK"
		for _, f := range h.Step.Flags {
			after += " " + p.File.Text(f.Span)
		}
		after += " " + h.Text
	}
	p.change(Finding{Edits: []dockerfile.Edit{replace(h.Step.Span, after)}, Lines: h.Step.Lines, Before: before, After: after, Why: sentence(h.Why)})
}

// javaOptions tells where options of the virtual machine go now.
func (p *Pass) javaOptions() {
	for _, r := range []*strategy.Rewrite{p.Start.Entrypoint, p.Start.Cmd} {
		if r == nil || r.Step == nil {
			continue
		}
		old := p.File.Text(r.Step.Span)
		for _, v := range []string{"JAVA_OPTS", "JAVA_OPTIONS", "JVM_OPTS", "JAVA_ARGS"} {
			if strings.Contains(old, "$"+v) || strings.Contains(old, "${"+v) {
				p.renameEnv(v, "JAVA_TOOL_OPTIONS")
				p.check(fmt.Sprintf("%s is not read any more, because no shell expands it. Set JAVA_TOOL_OPTIONS instead, which the virtual machine reads itself, wherever %s is set.", v, v), r.Step.Lines[0])
			}
		}
	}
}

func dockerQuote(v string) string {
	if v != "" && strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@%+-") == "" {
		return v
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(v) + `"`
}

// lower tells whether a file writes its keywords in lower case.
func lower(text string) bool { return text != "" && text[0] >= 'a' && text[0] <= 'z' }

func keywordLower(text string) string {
	k, rest, _ := strings.Cut(text, " ")
	return strings.ToLower(k) + " " + rest
}

// renameEnv renames a variable where the final image sets it.
func (p *Pass) renameEnv(old, now string) {
	why := fmt.Sprintf("No shell expands %s any more; the virtual machine reads %s itself.", old, now)
	for _, st := range p.Final.ChainSteps() {
		if st.Keyword != "ENV" || p.Shape == strategy.ShapeSplit && p.staysBehind(st) || p.Shape == strategy.ShapeRebase && st.Stage != p.Final.Stage {
			continue
		}
		for _, w := range st.Words {
			if w.Text != old && !strings.HasPrefix(w.Text, old+"=") {
				continue
			}
			span := dockerfile.Span{Start: w.Span.Start, End: w.Span.Start + len(old)}
			p.change(Finding{Edits: []dockerfile.Edit{replace(span, now)}, Lines: st.Lines, Before: "ENV " + old, After: "ENV " + now, Why: why})
			break
		}
	}
	if p.New == nil {
		return
	}
	for i, l := range p.New.Lines {
		for _, sep := range []string{"=", " "} {
			if rest, ok := strings.CutPrefix(l.Text, "ENV "+old+sep); ok {
				p.New.Lines[i] = strategy.Line{Rule: "no-shell", Text: "ENV " + now + sep + rest, Why: why}
			}
		}
	}
}

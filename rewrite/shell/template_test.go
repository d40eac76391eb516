package shell

import (
	"fmt"
	"strings"
	"testing"
)

func TestTemplate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`exec gunicorn --bind :$PORT app:app`:        `gunicorn --bind [:|$PORT]s app:app`,
		`uvicorn a:b --port ${PORT:-8000}`:           `uvicorn a:b --port [$PORT:-8000]s`,
		`uvicorn a:b --port "${PORT-8000}"`:          `uvicorn a:b --port [$PORT-8000]`,
		`A=1 gunicorn -w "$WORKERS" 'a b'`:           `A=1 gunicorn -w [$WORKERS] a b`,
		`python manage.py runserver 0.0.0.0:${PORT}`: `python manage.py runserver [0.0.0.0:|$PORT]s`,
		`x "http://$HOST:$PORT/"`:                    `x [http://|$HOST|:|$PORT|/]`,
		`x "$A"$B`:                                   ``, // one part splits, the other not
		`x $1`:                                       ``,
		`x "$@"`:                                     ``,
		`x ${A:=1}`:                                  ``,
		`x ${A:-$B}`:                                 ``,
		`x ${#A}`:                                    ``,
		`x *.py $A`:                                  ``,
		`x $(date) $A`:                               ``,
		`x $A | y`:                                   ``,
		`x $A && y`:                                  ``,
		`x $A > f`:                                   ``,
		`A=$B x`:                                     ``,
		`$A x`:                                       ``,
	} {
		words, env, ok := parseOK(t, text, Sh).Template()
		got := ""
		if ok {
			var parts []string
			for k, v := range env {
				parts = append(parts, k+"="+v)
			}
			for _, w := range words {
				if lit, ok := w.Literal(); ok {
					parts = append(parts, lit)
					continue
				}
				var p []string
				for _, x := range w.Pieces {
					switch {
					case x.Var == "":
						p = append(p, x.Text)
					case x.HasDefault && x.EmptyToo:
						p = append(p, "$"+x.Var+":-"+x.Default)
					case x.HasDefault:
						p = append(p, "$"+x.Var+"-"+x.Default)
					default:
						p = append(p, "$"+x.Var)
					}
				}
				s := fmt.Sprintf("[%s]", strings.Join(p, "|"))
				if w.Splits {
					s += "s"
				}
				parts = append(parts, s)
			}
			got = strings.Join(parts, " ")
		}
		if got != want {
			t.Errorf("Template(%q) = %q, want %q", text, got, want)
		}
	}
}

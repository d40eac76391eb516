package dockerfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestHostile: texts that are small and ask for much. None may take long or
// much memory; what a test cannot hold is a time, so the sizes are such that
// without a bound the test would not end.
func TestHostile(t *testing.T) {
	t.Parallel()
	double := func(keyword string) string {
		return keyword + " A=xxxxxxxxxxxxxxxx\n" + strings.Repeat(keyword+" A=$A$A\n", 60)
	}
	refused := map[string]string{
		"global ARG that doubles": double("ARG") + "FROM a\n",
		"instructions":            "FROM a\n" + strings.Repeat("RUN a\n", MaxInstructions),
		"stages":                  strings.Repeat("FROM a\n", MaxStages+1),
		"pattern":                 "ARG A=" + strings.Repeat("x", 60000) + "\nARG B=${A//x/" + strings.Repeat("y", 60000) + "}\nFROM a\n",
	}
	for name, in := range refused {
		_, err := Parse([]byte(in))
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
	grows := map[string]string{
		"ENV that doubles":        "FROM a\n" + double("ENV"),
		"ARG that doubles":        "FROM a\n" + double("ARG"),
		"a word of many":          "FROM a\nENV A=" + strings.Repeat("x", 4000) + "\nWORKDIR /" + strings.Repeat("$A", 9000) + "\n",
		"a flag of many":          "FROM a\nENV A=" + strings.Repeat("x", 4000) + "\nCOPY --chown=" + strings.Repeat("$A", 9000) + " a b\n",
		"a here-document of many": "FROM a\nENV A=" + strings.Repeat("x", 4000) + "\nCOPY <<E /f\n" + strings.Repeat("$A\n", 9000) + "E\n",
	}
	for name, in := range grows {
		f := mustParse(t, in)
		if f.Grows(f.Final(), nil) == nil {
			t.Errorf("%s was not seen", name)
		}
		if env := f.Env(f.Final().Instructions[len(f.Final().Instructions)-1], nil); len(env["A"]) > 64<<10 {
			t.Errorf("%s: a value of %d bytes", name, len(env["A"]))
		}
	}
	f := mustParse(t, "FROM a\nENV A=1 P=$PATH:/x\nCOPY <<E $P/f\n"+strings.Repeat("$A ", 3000)+"\nE\nRUN ${#P} $A\nCOPY <<E /g\n"+strings.Repeat("location / { proxy_pass http://${A}; }\n", 1500)+"E\n")
	if ins := f.Grows(f.Final(), map[string]string{"PATH": "/bin"}); ins != nil {
		t.Errorf("an ordinary file grows at line %d", ins.Lines[0])
	}

	var many strings.Builder
	many.WriteString("ARG V=22.1\n")
	for i := range MaxStages {
		fmt.Fprintf(&many, "FROM node:${V} AS s%d\n", i)
	}
	f = mustParse(t, many.String())
	var targets []Target
	for _, s := range f.Stages {
		targets = append(targets, target(s.Base, "dhi.io/node:22-debian13"))
	}
	// The references that are left keep the ARG as it is, so none can move.
	got := f.Retarget(targets)
	if errs, out := errorsOf(got), applied(t, f, got); len(errs) != len(targets) || string(out) != many.String() {
		t.Errorf("%d errors, and it became\n%s", len(errs), out)
	}

	chain := "FROM a AS s0\n"
	for i := range MaxStages - 1 {
		chain += fmt.Sprintf("FROM s%d AS s%d\n", i, i+1)
	}
	f = mustParse(t, chain)
	if n := len(f.Final().Chain()); n != MaxStages {
		t.Errorf("chain of %d", n)
	}
}

package campaign

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"dhibot/rewrite"
	"dhibot/rewrite/report"
)

// textRows is how many repositories of the queue Text names.
const textRows = 20

// Text is the plan as a table for a terminal: what was found, the pull requests,
// calls and hours of each wave, and who is next. Names out of GitHub are escaped.
func (p Plan) Text() string {
	var b strings.Builder
	found := 0
	for _, n := range p.Dockerfiles {
		found += n
	}
	fmt.Fprintf(&b, "Repositories: %d\n", len(p.Rows)+p.Unread)
	for _, s := range States() {
		if n := p.Counts[s]; n > 0 {
			fmt.Fprintf(&b, "%7d  %s\n", n, strings.ReplaceAll(s.Words(), "`", ""))
		}
	}
	if p.Unread > 0 {
		fmt.Fprintf(&b, "%7d  not looked into yet\n", p.Unread)
	}
	fmt.Fprintf(&b, "\nDockerfiles: %d\n", found)
	for _, o := range Outcomes() {
		if n := p.Dockerfiles[o]; n > 0 {
			fmt.Fprintf(&b, "%7d  %s\n", n, o)
		}
	}
	p.blocked(&b)
	if p.Left == 0 {
		b.WriteString("\nNo pull request is left to be opened.\n")
		return b.String()
	}
	b.WriteString("\n")
	p.effort(&b)
	p.pace(&b)
	p.queue(&b)
	return b.String()
}

// Outcomes are all of them, in the order in which they are shown.
func Outcomes() []rewrite.Outcome {
	return []rewrite.Outcome{rewrite.Hardened, rewrite.Dev, rewrite.Partial, rewrite.Already, rewrite.Skipped, rewrite.Failed}
}

func (p Plan) effort(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', tabwriter.AlignRight)
	row := func(name string, n int) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", name, n, p.HoursFor(n), callsPerPull*n, writesPerPull*n)
	}
	fmt.Fprint(w, "\tpull requests\thours\tcalls\tof them writes\t\n")
	if p.LeftFirst > 0 {
		row("first wave", p.LeftFirst)
		row("the rest", p.Left-p.LeftFirst)
	}
	row("all", p.Left)
	_ = w.Flush() // a strings.Builder takes everything
}

func (p Plan) pace(b *strings.Builder) {
	fmt.Fprintf(b, "\nAt most %s in an hour, at most %d open at once, %d open now.\n", Count(p.Settings.PerHour, "pull request"), p.Settings.Open, p.Pulls)
	if p.Wave.Stage == FirstWave {
		fmt.Fprintf(b, "First wave: %d of %s opened, %d merged; the rest follows when all of them are merged, or a day after the last one was opened.\n",
			p.Wave.Opened, Count(p.Wave.Size, "pull request"), p.Wave.Merged)
	}
	if p.Held != NotHeld {
		fmt.Fprintf(b, "Now: %s; the next one %s.\n", Count(len(p.Open), "pull request"), p.Held.Words())
	}
	if !p.Earliest.IsZero() {
		fmt.Fprintf(b, "The last one is opened at %s at the earliest, if every one is merged at once.\n", p.Earliest.UTC().Format("2006-01-02 15:04 MST"))
	}
}

func (p Plan) queue(b *strings.Builder) {
	b.WriteString("\nNext:\n")
	n, more := 0, 0
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	for _, r := range p.Rows {
		if r.State != Waiting {
			continue
		}
		if n == textRows {
			more++
			continue
		}
		n++
		fmt.Fprintf(w, "  %s\t%s\t%s by hand\n", line(r.FullName), Count(r.Dockerfiles, "Dockerfile"), Count(r.Checklist, "thing"))
	}
	_ = w.Flush()
	if more > 0 {
		fmt.Fprintf(b, "  … and %d more\n", more)
	}
}

// blocked names where GitHub refused, and what it said.
func (p Plan) blocked(b *strings.Builder) {
	n := 0
	for _, r := range p.Rows {
		if r.State != Blocked {
			continue
		}
		if n++; n == 1 {
			b.WriteString("\nBlocked:\n")
		}
		if n <= textRows {
			fmt.Fprintf(b, "  %s: %s\n", line(r.FullName), line(r.Why))
		}
	}
	if n > textRows {
		fmt.Fprintf(b, "  … and %d more\n", n-textRows)
	}
}

// line makes foreign text fit for one line of a terminal.
func line(s string) string {
	const most = 200
	if rs := []rune(s); len(rs) > most {
		s = string(rs[:most]) + "…"
	}
	return strings.Join(strings.Fields(report.Escape(strings.Join(strings.Fields(s), " "))), " ")
}

// Count is a number and what is counted.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

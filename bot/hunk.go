package bot

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// hunk is one run of changed lines: old lines are replaced by new ones. Numbers
// are 1-based. Of an insertion oldCount is 0 and oldStart the line it comes
// after, 0 at the top; of a removal newCount is 0.
type hunk struct {
	oldStart, oldCount int
	newStart, newCount int
	new                []string // without line ends
}

// hunks lists the runs of lines in which two texts differ.
func hunks(before, after string) ([]hunk, error) {
	u, err := udiff.ToUnifiedDiff("a", "b", before, udiff.Lines(before, after), 0)
	if err != nil {
		return nil, fmt.Errorf("comparing lines: %w", err)
	}
	var list []hunk
	for _, h := range u.Hunks {
		k := hunk{oldStart: h.FromLine, newStart: h.ToLine}
		for _, l := range h.Lines {
			switch l.Kind {
			case udiff.Delete:
				k.oldCount++
			case udiff.Insert:
				k.newCount++
				k.new = append(k.new, strings.TrimSuffix(l.Content, "\n"))
			}
		}
		if k.oldCount == 0 {
			k.oldStart-- // the library counts the line it stands before
		}
		list = append(list, k)
	}
	return list, nil
}

// shown lists the lines of the new side that a patch shows. GitHub takes remarks
// on those only.
func shown(patch string) map[int]bool {
	lines := map[int]bool{}
	at := 0
	for _, l := range strings.Split(patch, "\n") {
		switch {
		case strings.HasPrefix(l, "@@ "):
			_, plus, _ := strings.Cut(l, " +")
			number, _, _ := strings.Cut(plus, " ")
			number, _, _ = strings.Cut(number, ",")
			n, err := strconv.Atoi(number)
			if err != nil {
				return lines
			}
			at = n
		case at > 0 && (strings.HasPrefix(l, "+") || strings.HasPrefix(l, " ")):
			lines[at] = true
			at++
		}
	}
	return lines
}

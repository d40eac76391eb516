package body

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhibot/bot/campaign"
	"dhibot/bot/config"
	"dhibot/rewrite"
)

// CampaignTitle is the title of the status issue of an organisation.
const CampaignTitle = "Docker Hardened Images: status of the migration"

// Campaign is what the status issue of an organisation is made of.
type Campaign struct {
	Plan campaign.Plan
	// Public tells that everybody can read the issue. Private repositories are
	// only counted then, and nothing that was said about them is repeated.
	Public bool
}

// CampaignMarker is what the App remembers in its status issue.
type CampaignMarker struct {
	// Repository is GitHub's id of the repository that the issue is in.
	Repository int64 `json:"r"`
}

// SignCampaign appends the marker as the last line.
func (k Keys) SignCampaign(text string, m CampaignMarker) (string, error) {
	return k.append(ofCampaign, text, m)
}

// ReadCampaign is Read for the status issue. The marker of a pull request is
// forged there.
func (k Keys) ReadCampaign(text string) (CampaignMarker, error) {
	var m CampaignMarker
	if err := k.read(ofCampaign, text, &m); err != nil {
		return CampaignMarker{}, err
	}
	return m, nil
}

// RenderCampaign returns the text of the status issue without its marker. The
// same state of the organisation gives the same text at any time, so it is only
// edited when something has changed. Long lists are cut by rows, with the number
// of rows that are missing; how to stop and steer always stays. SignCampaign has
// room within GitHub's limit.
func RenderCampaign(in Campaign) string {
	return fitRows(func(rows int) string {
		w := &campaignWriter{Campaign: in, rows: rows}
		w.printf("The App moves the Dockerfiles of this organisation to Docker Hardened Images, by pull requests that you review and merge. This issue says what it found and what happens when. It changes when something has happened.\n\n")
		w.status()
		w.found()
		w.next()
		w.list(campaign.Blocked, "Blocked", "GitHub refused the pull request. Once that is mended, `/dhi migrate` there tries again.")
		w.list(campaign.Declined, "Declined", "Somebody closed the pull request without merging it, and it stays closed. `/dhi migrate --again` there proposes it once more.")
		w.unable()
		w.stop()
		w.steer()
		return w.b.String()
	})
}

type campaignWriter struct {
	Campaign
	b    strings.Builder
	rows int
}

func (w *campaignWriter) printf(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }

// status is how things stand, in a sentence.
func (w *campaignWriter) status() {
	p := w.Plan
	switch {
	case p.Paused:
		w.printf("**Paused.** This issue is closed, so nothing new is opened. Reopen it to go on.\n\n")
	case p.Left > 0 && p.Wave.Stage == campaign.FirstWave:
		w.printf("**First wave.** %d of %s opened, %d merged. The rest follows when all of them are merged, ", p.Wave.Opened, count(p.Wave.Size, "pull request"), p.Wave.Merged)
		if p.Wave.Ends.IsZero() {
			w.printf("or a day after the last of them was opened.\n\n")
		} else {
			w.printf("at the latest on %s.\n\n", wholeHour(p.Wave.Ends))
		}
	case p.Left > 0:
		w.printf("**Running.** %s still to be opened, %d open now.\n\n", count(p.Left, "pull request"), p.Pulls)
	case p.Unread > 0:
		w.printf("**Looking around.** The repositories are being looked into.\n\n")
	case p.Pulls > 0:
		w.printf("**Everything is proposed.** %s open, and none is left to be opened.\n\n", count2(p.Pulls, "pull request is", "pull requests are"))
	case p.Counts[campaign.ReportOnly] > 0:
		w.printf("**Report only.** `mode: report` is in force, so nothing is opened. `mode: open` starts it.\n\n")
	default:
		w.printf("**Nothing is left to be opened.** New Dockerfiles are looked at as they come.\n\n")
	}
}

// wholeHour rounds up, so that the text does not pretend to know better.
func wholeHour(t time.Time) string {
	return t.UTC().Add(time.Hour - time.Nanosecond).Truncate(time.Hour).Format("2006-01-02 15:04 UTC")
}

func (w *campaignWriter) found() {
	p := w.Plan
	w.printf("### What was found\n\n")
	if len(p.Rows) > 0 {
		w.printf("| Repositories | |\n|--:|---|\n")
		for _, s := range campaign.States() {
			if n := p.Counts[s]; n > 0 {
				w.printf("| %d | %s |\n", n, s.Words())
			}
		}
		w.printf("\n")
	}
	if p.Unread > 0 {
		w.printf("%s not looked into yet.\n\n", count2(p.Unread, "repository is", "repositories are"))
	}
	total, change := 0, 0
	for _, n := range p.Dockerfiles {
		total += n
	}
	for _, r := range p.Rows {
		change += r.Dockerfiles
	}
	if total == 0 {
		return
	}
	w.printf("%s, of which %d would change:\n\n| Dockerfiles | |\n|--:|---|\n", count(total, "Dockerfile"), change)
	for _, o := range campaign.Outcomes() {
		if n := p.Dockerfiles[o]; n > 0 {
			w.printf("| %d | %s |\n", n, outcomeWords(o))
		}
	}
	w.printf("\n")
}

func outcomeWords(o rewrite.Outcome) string {
	switch o {
	case rewrite.Hardened:
		return "can move to a hardened image"
	case rewrite.Dev:
		return "can move to a dev image, which is not the end of it"
	case rewrite.Partial:
		return "can move in part"
	case rewrite.Already:
		return "on hardened images already"
	case rewrite.Skipped:
		return "left alone, with a reason"
	case rewrite.Failed:
		return "could not be read"
	}
	return string(o)
}

// next is the budget and the queue.
func (w *campaignWriter) next() {
	p := w.Plan
	if p.Left == 0 {
		return
	}
	w.printf("### What happens when\n\n- At most %s in an hour and %d open at once; those that people ask for count, and are never held back.\n", count(p.Settings.PerHour, "pull request"), p.Settings.Open)
	w.printf("- %s left to be opened", count(p.Left, "pull request"))
	if p.LeftFirst > 0 && p.LeftFirst < p.Left {
		w.printf(", %d of them in the first wave", p.LeftFirst)
	}
	w.printf(": %s, if they are merged as fast as they are opened.\n", spread(p.Hours))
	if p.Held != campaign.NotHeld {
		w.printf("- The next one %s.\n", p.Held.Words())
	}
	w.printf("\n")
	var queue []campaign.Row
	for _, r := range p.Rows {
		if r.State == campaign.Waiting {
			queue = append(queue, r)
		}
	}
	if len(queue) == 0 {
		return
	}
	head, hidden, shown := "| Place | Repository | Dockerfiles | To do by hand |\n|--:|---|--:|--:|\n", 0, 0
	for i, r := range queue {
		switch {
		case w.hides(r):
			hidden++
		case shown < w.rows:
			w.printf("%s| %d | %s | %d | %d |\n", head, i+1, Cell(Code(r.FullName, nameLimit)), r.Dockerfiles, r.Checklist)
			head = ""
			shown++
		}
	}
	w.missing(len(queue)-hidden-shown, hidden)
}

func spread(hours int) string {
	if hours <= 1 {
		return "within an hour"
	}
	return fmt.Sprintf("spread over about %d hours", hours)
}

// hides tells that a repository must not be named.
func (w *campaignWriter) hides(r campaign.Row) bool { return w.Public && r.Private }

// missing says what a list does not show.
func (w *campaignWriter) missing(cut, hidden int) {
	w.printf("\n")
	if cut > 0 {
		w.printf("… and %s\n\n", count2(cut, "more repository", "more repositories"))
	}
	if hidden > 0 {
		w.printf("%s not named, because everybody can read this issue.\n\n", count2(hidden, "private repository is", "private repositories are"))
	}
}

// list names the repositories of a state, with what is known of the reason.
func (w *campaignWriter) list(s campaign.State, title, words string) {
	n := w.Plan.Counts[s]
	if n == 0 {
		return
	}
	w.printf("### %s\n\n%s\n\n", title, words)
	shown, hidden := 0, 0
	for _, r := range w.Plan.Rows {
		switch {
		case r.State != s:
		case w.hides(r):
			hidden++
		case shown < w.rows:
			w.printf("- %s", Code(r.FullName, nameLimit))
			if r.Why != "" {
				w.printf(" — %s", Prose(r.Why, proseLimit))
			}
			w.printf("\n")
			shown++
		}
	}
	w.missing(n-shown-hidden, hidden)
}

// unable counts by reason; the names would help nobody.
func (w *campaignWriter) unable() {
	by, hidden := map[string]int{}, 0
	for _, r := range w.Plan.Rows {
		switch {
		case r.State != campaign.Unable:
		case w.hides(r):
			hidden++
		default:
			by[r.Why]++
		}
	}
	if len(by) == 0 && hidden == 0 {
		return
	}
	w.printf("### Not possible\n\n")
	var reasons []string
	for why := range by {
		reasons = append(reasons, why)
	}
	slices.SortFunc(reasons, func(a, b string) int {
		if by[a] != by[b] {
			return by[b] - by[a]
		}
		return strings.Compare(a, b)
	})
	list, more := first(reasons, w.rows)
	for _, why := range list {
		w.printf("- %s: %s\n", count2(by[why], "repository", "repositories"), Prose(why, proseLimit))
	}
	if more > 0 {
		w.printf("- … and %s\n", count(more, "more reason"))
	}
	if hidden > 0 {
		w.printf("- %s\n", count2(hidden, "private repository", "private repositories"))
	}
	w.printf("\n")
}

func (w *campaignWriter) stop() {
	w.printf("### How to stop it\n\n" +
		"- **Everything, at once:** close this issue. Nothing new is opened; what is open stays. Reopening it goes on.\n" +
		"- **Everything, for good:** `mode: report` or `mode: off` in `" + config.Path + "` of this repository, with `lock: [mode]` when repositories say otherwise.\n" +
		"- **One repository:** the same in its own `" + config.Path + "`, or close its pull request, which is taken for a no.\n" +
		"- **One Dockerfile:** the line `# dhi: ignore` at its top, or a pattern under `ignore` in `" + config.Path + "`.\n\n")
}

func (w *campaignWriter) steer() {
	s := w.Plan.Settings
	w.printf("### How to steer it\n\n`%s` of this repository holds the settings of the organisation. In force now: `org_per_hour` %d, `org_open` %d, `first_wave` %s. For example:\n\n",
		config.Path, s.PerHour, s.Open, w.firstWave())
	w.printf("```yaml\n" +
		"mode: open            # open, report, commands or off; repositories can say otherwise\n" +
		"org_per_hour: 5       # pull requests in an hour\n" +
		"org_open: 20          # pull requests open at once\n" +
		"first_wave: [tools-*] # names, a percentage such as 10%%, or none\n" +
		"```\n")
}

func (w *campaignWriter) firstWave() string {
	s := w.Plan.Settings.FirstWave
	switch {
	case s.Percent > 0:
		return fmt.Sprintf("%d%%", s.Percent)
	case s.None():
		return "none"
	}
	list, more := first(s.Names, min(w.rows, 10))
	var names []string
	for _, n := range list {
		names = append(names, Code(n, nameLimit))
	}
	text := strings.Join(names, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// count2 is count for words whose plural is not made with an s.
func count2(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

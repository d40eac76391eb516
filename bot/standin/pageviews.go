package standin

import (
	"html/template"
	"sort"
	"strconv"
	"strings"
	"time"

	"dhibot/bot/standin/internal/gitdb"
	"dhibot/bot/standin/internal/markdown"
)

type userView struct {
	ID    int64
	Login string
	Bot   bool
	Level string // what the user may do in the repository
}

func (a *Account) view() userView {
	if a == nil {
		return userView{Login: "ghost"}
	}
	return userView{ID: a.id, Login: strings.TrimSuffix(a.Login(), "[bot]"), Bot: a.kind == typeBot}
}

type repoView struct {
	Owner, Name, Full, Description, Branch, CloneURL string
	Private, Archived                                bool
	Issues, Pulls                                    int
	Branches                                         []string
	Updated                                          time.Time
}

// view is the head of every page of a repository; the caller holds mu.
func (r *Repository) view() *repoView {
	v := &repoView{
		Owner: r.owner.Login(), Name: r.name, Full: r.full(), Description: r.description, Branch: r.defaultBranch,
		CloneURL: r.html() + ".git", Private: r.private, Archived: r.archived, Branches: r.Branches(), Updated: r.updated,
	}
	for _, i := range r.issues {
		switch {
		case !i.open():
		case i.pull != nil:
			v.Pulls++
		default:
			v.Issues++
		}
	}
	return v
}

// speakers are the people a reader can comment as: collaborators first.
func (r *Repository) speakers() []userView {
	r.s.mu.RLock()
	var people []*Account
	for _, a := range r.s.accountByID {
		if a.kind == typeUser && a.Login() != "ghost" && a.Login() != "web-flow" {
			people = append(people, a)
		}
	}
	r.s.mu.RUnlock()
	sort.Slice(people, func(i, j int) bool {
		a, b := r.levelOf(people[i]), r.levelOf(people[j])
		if a != b {
			return a > b
		}
		return people[i].Login() < people[j].Login()
	})
	out := make([]userView, 0, min(len(people), 100))
	for _, a := range people[:min(len(people), 100)] {
		v := a.view()
		v.Level = r.levelOf(a).String()
		if v.Level == "none" {
			v.Level = "outsider"
		}
		out = append(out, v)
	}
	return out
}

// homeRows is how many repositories the first page lists.
const homeRows = 300

type homeView struct {
	Owner string
	Rows  []*repoView
	Total int
}

func (p *pageRequest) home(owner string) (string, error) {
	var v homeView
	v.Owner = owner
	if owner != "" {
		a := p.s.Account(owner)
		if a == nil {
			return "", pageMissing("There is no account of that name.")
		}
		v.Owner = a.Login()
	}
	for _, r := range p.s.Repositories() {
		name := r.FullName()
		if owner != "" && !strings.HasPrefix(strings.ToLower(name), strings.ToLower(owner)+"/") {
			continue
		}
		v.Total++
		if len(v.Rows) >= homeRows {
			continue
		}
		r.mu.Lock()
		v.Rows = append(v.Rows, r.view())
		r.mu.Unlock()
	}
	p.data.Title, p.data.View = "Repositories", v
	return "home", nil
}

type commitView struct {
	SHA, Subject, Body string
	Author             string
	Login              string
	When               time.Time
	Verified           bool
}

func (r *Repository) commitView(id gitdb.OID) *commitView {
	c, err := r.git.Commit(id)
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(c.Message, "\n")
	v := &commitView{SHA: string(id), Subject: c.Subject(), Body: strings.TrimSpace(rest), Author: c.Author.Name, When: c.Author.When, Verified: r.s.verified(c)}
	if a := r.s.byEmail(c.Author.Email); a != nil {
		v.Login = strings.TrimSuffix(a.Login(), "[bot]")
	}
	return v
}

// links resolve mentions and references of this repository's texts.
func (r *Repository) links() markdown.Links {
	return markdown.Links{
		User: func(login string) string {
			if a := r.s.Account(login); a != nil && a.kind != typeBot {
				return "/" + a.Login()
			}
			return ""
		},
		Issue: func(n int) string {
			if i := r.issues[n]; i != nil {
				return strings.TrimPrefix(r.issueHTML(i), r.s.URL())
			}
			return ""
		},
	}
}

// comment renders a body; the sanitiser makes it safe to put into a page.
func (r *Repository) rendered(body string) template.HTML {
	return template.HTML(r.s.pages().markdown.Comment(body, r.links())) //nolint:gosec // sanitised
}

type listRow struct {
	Number   int
	Title    string
	Kind     string
	State    string
	Author   userView
	When     time.Time
	Comments int
	Labels   []labelView
}

type labelView struct {
	Name  string
	Dark  bool
	Color template.CSS
}

func labelViews(list []*label) []labelView {
	var out []labelView
	for _, l := range list {
		n, err := strconv.ParseUint(l.color, 16, 32)
		bright := (299*(n>>16&255) + 587*(n>>8&255) + 114*(n&255)) / 1000
		out = append(out, labelView{Name: l.name, Dark: err == nil && bright < 140, Color: template.CSS("#" + l.color)}) //nolint:gosec // six hex digits
	}
	return out
}

type listView struct {
	Kind string
	Rows []listRow
}

func (p *pageRequest) list(r *Repository, kind string) (string, error) {
	v := listView{Kind: kind}
	all := r.sortedIssues()
	for n := len(all) - 1; n >= 0; n-- {
		i := all[n]
		if (i.pull != nil) != (kind == "pulls") {
			continue
		}
		row := listRow{Number: i.number, Title: i.title, Kind: "issues", State: i.stateName(), Author: i.author.view(), When: i.created, Comments: len(i.comments), Labels: labelViews(i.labels)}
		if i.pull != nil {
			row.Kind = "pull"
		}
		v.Rows = append(v.Rows, row)
	}
	p.data.Title, p.data.Tab, p.data.View = r.full(), kind, v
	return "list", nil
}

// stateName is what the badge says.
func (i *issue) stateName() string {
	switch {
	case i.pull != nil && i.pull.merged:
		return "merged"
	case !i.open():
		return "closed"
	case i.pull != nil && i.pull.draft:
		return "draft"
	}
	return "open"
}

type checkView struct {
	ID         int64
	Name       string
	State      string // success, failure, neutral, pending …
	Title      string
	Summary    template.HTML
	Text       template.HTML
	App        string
	Notes      []noteView
	Number     int
	AppPicture int64
}

type noteView struct {
	Path, Level, Title, Message string
	Start, End                  int
}

func (r *Repository) checkView(run *checkRun) checkView {
	v := checkView{ID: run.id, Name: run.name, State: run.status, App: run.suite.app.name, AppPicture: run.suite.app.bot.id}
	if run.status == "completed" {
		v.State = run.conclusion
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	v.Title, v.Summary, v.Text = text(run.output.Title), r.rendered(text(run.output.Summary)), r.rendered(text(run.output.Text))
	for _, a := range run.annotations {
		v.Notes = append(v.Notes, noteView{Path: a.Path, Level: a.Level, Title: text(a.Title), Message: a.Message, Start: a.StartLine, End: a.EndLine})
	}
	return v
}

func (p *pageRequest) check(r *Repository, id string) (string, error) {
	for _, run := range r.runs {
		if itoa(run.id) == id {
			v := r.checkView(run)
			for _, i := range r.sortedIssues() {
				if i.pull != nil && i.pull.headSHA == run.head {
					v.Number = i.number
				}
			}
			p.data.Title, p.data.Tab, p.data.View = run.name+" · "+r.full(), "checks", v
			return "check", nil
		}
	}
	return "", pageMissing("There is no such check run.")
}

type commitPage struct {
	Commit *commitView
	Files  []fileDiffView
}

func (p *pageRequest) commit(r *Repository, sha string) (string, error) {
	id, err := r.commitish(sha)
	if err != nil {
		return "", pageMissing("There is no such commit.")
	}
	c, err := r.git.Commit(id)
	if err != nil {
		return "", err
	}
	from := gitdb.EmptyTree
	if len(c.Parents) > 0 {
		from = c.Parents[0]
	}
	files, err := r.diff(p.r.Context(), from, id)
	if err != nil {
		return "", err
	}
	p.data.Title, p.data.Tab = c.Subject()+" · "+r.full(), "code"
	p.data.View = commitPage{Commit: r.commitView(id), Files: r.fileDiffViews(files, nil)}
	return "commit", nil
}

// reactionIcon is the picture of a reaction.
func reactionIcon(content string) string {
	switch content {
	case "+1":
		return "👍"
	case "-1":
		return "👎"
	case "laugh":
		return "😄"
	case "confused":
		return "😕"
	case "heart":
		return "❤️"
	case "hooray":
		return "🎉"
	case "rocket":
		return "🚀"
	case "eyes":
		return "👀"
	}
	return content
}

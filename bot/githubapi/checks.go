package githubapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// CheckRun is a check on a commit.
type CheckRun struct {
	ID         int64
	Name       string
	HeadSHA    string
	ExternalID string
	Status     string // queued, in_progress or completed
	// Conclusion is success, failure, neutral, cancelled, skipped, timed_out or
	// action_required; only with completed.
	Conclusion  string
	DetailsURL  string
	Title       string
	Summary     string // Markdown, at most 65,535 characters
	Text        string // Markdown, at most 65,535 characters
	Annotations []Annotation
	AppID       int64 // read only
}

// Annotation is a remark on lines of a file.
type Annotation struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
	Level     string `json:"annotation_level"` // notice, warning or failure
	Title     string `json:"title,omitempty"`  // at most 255 characters
	Message   string `json:"message"`
}

// annotationsPerCall is GitHub's bound; further ones go into updates, which
// GitHub adds to those it has.
const annotationsPerCall = 50

type apiCheck struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	HeadSHA    string `json:"head_sha"`
	ExternalID string `json:"external_id"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
	DetailsURL string `json:"details_url"`
	Output     struct {
		Title   string `json:"title"`
		Summary string `json:"summary"`
		Text    string `json:"text"`
	} `json:"output"`
	App *struct {
		ID int64 `json:"id"`
	} `json:"app"`
}

func (a apiCheck) check() CheckRun {
	c := CheckRun{
		ID: a.ID, Name: a.Name, HeadSHA: a.HeadSHA, ExternalID: a.ExternalID, Status: a.Status, Conclusion: a.Conclusion,
		DetailsURL: a.DetailsURL, Title: a.Output.Title, Summary: a.Output.Summary, Text: a.Output.Text,
	}
	if a.App != nil {
		c.AppID = a.App.ID
	}
	return c
}

// body is the request for a run with one batch of its annotations.
func (k CheckRun) body(now time.Time, annotations []Annotation) map[string]any {
	b := map[string]any{"name": k.Name}
	for key, value := range map[string]string{"external_id": k.ExternalID, "details_url": k.DetailsURL, "status": k.Status, "conclusion": k.Conclusion} {
		if value != "" {
			b[key] = value
		}
	}
	if k.Conclusion != "" {
		b["status"] = "completed"
		b["completed_at"] = now.UTC().Format(time.RFC3339)
	}
	if k.Title != "" {
		output := map[string]any{"title": k.Title, "summary": k.Summary}
		if k.Text != "" {
			output["text"] = k.Text
		}
		if len(annotations) > 0 {
			output["annotations"] = annotations
		}
		b["output"] = output
	}
	return b
}

// CreateCheckRun makes a check run and returns its id. Each 50 annotations cost
// one call. Annotations need a Title.
func (c *Client) CreateCheckRun(ctx context.Context, r Repo, k CheckRun) (int64, error) {
	if err := checkSHA(k.HeadSHA); err != nil {
		return 0, err
	}
	path, err := r.path("check-runs")
	if err != nil {
		return 0, err
	}
	first := k.Annotations[:min(len(k.Annotations), annotationsPerCall)]
	body := k.body(c.limit.now(), first)
	body["head_sha"] = k.HeadSHA
	a, err := write[apiCheck](ctx, c, "create check run", makes, http.MethodPost, path, body)
	if err != nil {
		return 0, err
	}
	k.ID = a.ID
	return a.ID, c.annotate(ctx, r, k, k.Annotations[len(first):])
}

func (c *Client) annotate(ctx context.Context, r Repo, k CheckRun, rest []Annotation) error {
	for batch := range slices.Chunk(rest, annotationsPerCall) {
		if err := c.updateCheck(ctx, r, k, batch); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) updateCheck(ctx context.Context, r Repo, k CheckRun, annotations []Annotation) error {
	path, err := r.path(fmt.Sprintf("check-runs/%d", k.ID))
	if err != nil {
		return err
	}
	_, err = write[apiCheck](ctx, c, "update check run", makes, http.MethodPatch, path, k.body(c.limit.now(), annotations))
	return err
}

// CheckRuns lists the latest runs of a name on a commit; at most 100.
func (c *Client) CheckRuns(ctx context.Context, r Repo, sha, name string) ([]CheckRun, error) {
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	path, err := r.path("commits/" + sha + "/check-runs?per_page=100&check_name=" + url.QueryEscape(name))
	if err != nil {
		return nil, err
	}
	found, err := get[struct {
		Runs []apiCheck `json:"check_runs"`
	}](ctx, c, "list check runs", path)
	if err != nil {
		return nil, err
	}
	runs := make([]CheckRun, 0, len(found.Runs))
	for _, a := range found.Runs {
		runs = append(runs, a.check())
	}
	return runs, nil
}

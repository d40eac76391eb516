package bot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dhibot/bot/githubapi"
)

// say writes a comment once: topic names it among the comments of the issue, so
// that a second run after a crash finds it. Only comments of the App count.
func (j *job) say(ctx context.Context, issue int, topic, text string) error {
	said, err := j.said(ctx, issue, topic, time.Time{})
	if err != nil || said {
		return err
	}
	if _, err := j.client.Comment(ctx, j.repo, issue, text+"\n\n"+sayMark(topic)); err != nil {
		return fmt.Errorf("commenting on #%d: %w", issue, err)
	}
	return nil
}

// said tells whether the comment is there already.
func (j *job) said(ctx context.Context, issue int, topic string, since time.Time) (bool, error) {
	comments, err := j.client.Comments(ctx, j.repo, issue, since)
	if err != nil {
		return false, fmt.Errorf("reading the comments of #%d: %w", issue, err)
	}
	login, err := j.login(ctx)
	if err != nil {
		return false, err
	}
	for _, c := range comments {
		if j.ours(c, login) && strings.HasSuffix(strings.TrimSpace(c.Body), sayMark(topic)) {
			return true, nil
		}
	}
	return false, nil
}

func (j *job) ours(c githubapi.Comment, login string) bool {
	return c.AppID == j.deps.AppID || c.User.Type == "Bot" && c.User.Login == login
}

// sayOpen starts the hidden name of what we said.
const sayOpen = "<!-- dhibot-said:"

func sayMark(topic string) string { return sayOpen + topic + " -->" }

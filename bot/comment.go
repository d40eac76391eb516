package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dhibot/bot/body"
	"dhibot/bot/command"
	"dhibot/bot/event"
	"dhibot/bot/githubapi"
	"dhibot/bot/inbox"

	"github.com/rs/zerolog"
)

// Reactions tell people how far their comment came: seen, done, refused.
const (
	seen    = "eyes"
	success = "rocket"
	refusal = "confused"
)

// commands returns the commands of a comment event that is to be obeyed.
func (b *Bot) commands(e *event.IssueComment) []command.Invocation {
	// Only what was just written: the sender of an edit need not be the author.
	// Bots and ourselves are dropped before anything is read.
	if e.Action != "created" || e.FromMachine(b.deps.AppID) {
		return nil
	}
	return command.Parse(e.Comment.Body)
}

// Acknowledge reacts to a comment that holds a command, so that people see at
// once that it arrived. The webhook's edge calls it with a short deadline; when
// it fails nothing is lost, because Handle does the work.
func (b *Bot) Acknowledge(ctx context.Context, d inbox.Delivery) error {
	e, err := event.Decode(d.Event, d.Body)
	if err != nil {
		return err
	}
	c, ok := e.(*event.IssueComment)
	if !ok || len(b.commands(c)) == 0 {
		return nil
	}
	client, err := b.deps.GitHub.Installation(c.Installation.ID)
	if err != nil {
		return err
	}
	repo := githubapi.Repo{ID: c.Repository.ID, Owner: c.Repository.Owner.Login, Name: c.Repository.Name}
	return client.React(githubapi.ForCommand(ctx), repo, c.Comment.ID, seen)
}

// asked is a comment with commands that is being worked on.
type asked struct {
	comment githubapi.Comment
	issue   event.Issue
	// permission of the author, asked for once.
	permission string
}

// answer is what one command comes to.
type answer struct {
	text    string
	refused bool
}

// comment obeys the commands of a comment.
func (b *Bot) comment(ctx context.Context, d inbox.Delivery, e *event.IssueComment) error {
	if len(b.commands(e)) == 0 {
		return nil
	}
	ctx = githubapi.ForCommand(ctx)
	j, err := b.open(ctx, d.Installation, d.Repository)
	if errors.Is(err, githubapi.ErrNotFound) {
		return nil // taken out of the installation meanwhile
	}
	if err != nil {
		return err
	}
	err = j.obeyAll(ctx, e)
	var silent *silentRegistry
	if errors.As(err, &silent) {
		text := "The registry " + code(silent.Registry) + " does not answer, and I want to ask it whether it has the images. I keep trying for ten minutes; after that I go on without it, and say so."
		if err := j.say(ctx, int(e.Issue.Number), fmt.Sprintf("trouble-%d", e.Comment.ID), text); err != nil {
			zerolog.Ctx(ctx).Warn().Err(err).Msg("no answer")
		}
		return err
	}
	var limited *githubapi.RateLimitedError
	if err != nil && d.Attempt == patience && !errors.As(err, &limited) && !errors.Is(err, githubapi.ErrGone) {
		// The inbox goes on trying for hours; who asked should know.
		text := "I ran into trouble with this and keep trying. If no answer follows, the App's log has the reason under the delivery " + code(d.GUID) + "."
		if err := j.say(ctx, int(e.Issue.Number), fmt.Sprintf("trouble-%d", e.Comment.ID), text); err != nil {
			zerolog.Ctx(ctx).Warn().Err(err).Msg("no answer")
		}
	}
	return err
}

// patience is the attempt from which on a person is told that it takes longer:
// the third is made after about a minute.
const patience = 3

func (j *job) obeyAll(ctx context.Context, e *event.IssueComment) error {
	c, err := j.client.GetComment(ctx, j.repo, e.Comment.ID)
	if errors.Is(err, githubapi.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("reading the comment: %w", err)
	}
	// One answer per comment: it is the last thing but one that is done, so
	// when it is there, all is done but the reaction.
	topic := fmt.Sprintf("reply-%d", c.ID)
	if answered, err := j.said(ctx, int(e.Issue.Number), topic, c.CreatedAt); err != nil || answered {
		return err
	}
	var answers []answer
	invocations := once(command.Parse(c.Body))
	a := &asked{comment: c, issue: e.Issue}
	if c.Body != e.Comment.Body || !c.UpdatedAt.Equal(e.Comment.UpdatedAt) {
		invocations = nil
		answers = append(answers, answer{refused: true, text: "This comment was edited before I came to it, so I did nothing. Please write a new one."})
	}
	for _, inv := range invocations {
		ans, err := j.obey(ctx, a, inv)
		if err != nil {
			return err
		}
		answers = append(answers, ans)
	}
	err = j.reply(ctx, a, topic, invocations, answers)
	var refused *githubapi.RefusedError
	if errors.As(err, &refused) && !refused.MissingPermission() {
		// Archived or locked meanwhile: nobody can be answered there. A
		// permission that is missing can be granted, so that answer is kept.
		zerolog.Ctx(ctx).Warn().Err(err).Msg("no answer")
		return nil
	}
	return err
}

// once drops commands that stand in a comment a second time.
func once(list []command.Invocation) []command.Invocation {
	var out []command.Invocation
	for _, inv := range list {
		if !slices.ContainsFunc(out, func(o command.Invocation) bool { return o.Verb == inv.Verb && slices.Equal(o.Args, inv.Args) }) {
			out = append(out, inv)
		}
	}
	return out
}

// obey runs one command. Errors that a person has to know about become an
// answer; the others are worth another attempt.
func (j *job) obey(ctx context.Context, a *asked, inv command.Invocation) (answer, error) {
	cmd, req, err := command.Read(inv)
	if err != nil {
		return answer{text: misunderstood(err), refused: true}, nil
	}
	if cmd.Access == command.Writer {
		if a.permission == "" {
			a.permission, err = j.client.Permission(ctx, j.repo, a.comment.User.Login)
			if err != nil && !errors.Is(err, githubapi.ErrNotFound) { // an account that is gone has none
				return answer{}, fmt.Errorf("asking for the permission of the author: %w", err)
			}
		}
		if !githubapi.CanWrite(a.permission) {
			return answer{refused: true, text: fmt.Sprintf("%s is for people who can push to this repository, and you have %s here. Somebody with write access can ask for it.",
				code(command.Prefix+" "+cmd.Name), permissionWord(a.permission))}, nil
		}
	}
	zerolog.Ctx(ctx).Info().Str("command", cmd.Name).Str("by", a.comment.User.Login).Msg("command")
	ans, err := handlers()[cmd.Name](ctx, j, a, req)
	var refused *githubapi.RefusedError
	if errors.As(err, &refused) {
		return answer{text: declined(refused), refused: true}, nil
	}
	return ans, err
}

func permissionWord(p string) string {
	if p == "none" || p == "" {
		return "no access"
	}
	return p + " access"
}

// misunderstood explains a command that could not be read.
func misunderstood(err error) string {
	var unknown *command.UnknownError
	var usage *command.UsageError
	const more = " `/dhi help` shows what I understand."
	switch {
	case errors.As(err, &unknown):
		text := "I do not know the command " + code(unknown.Verb) + "."
		if unknown.Nearest != "" {
			text += " Did you mean " + code(command.Prefix+" "+unknown.Nearest) + "?"
		}
		return text + more
	case errors.As(err, &usage):
		text := "I do not understand " + code(command.Prefix+" "+usage.Command.Name)
		if usage.Argument != "" {
			text += " with " + code(usage.Argument)
		}
		return text + ": " + body.Prose(usage.Problem, 200) + ". Its form is " +
			code(strings.TrimSpace(command.Prefix+" "+usage.Command.Name+" "+usage.Command.Usage)) + "."
	default:
		return body.Prose(err.Error(), 300)
	}
}

// reply answers a comment, once, and marks it.
func (j *job) reply(ctx context.Context, a *asked, topic string, invocations []command.Invocation, answers []answer) error {
	var b strings.Builder
	reaction := success
	for i, ans := range answers {
		if ans.refused {
			reaction = refusal
		}
		if room := (body.Limit - 4000) / len(answers); len(ans.text) > room {
			ans.text = "The answer is too long to stand here together with the others. Please ask for it in a comment of its own."
		}
		if len(answers) > 1 {
			fmt.Fprintf(&b, "**%s**\n\n", code(strings.TrimSpace(command.Prefix+" "+invocations[i].Verb+" "+strings.Join(invocations[i].Args, " "))))
		}
		b.WriteString(ans.text + "\n\n")
	}
	if err := j.say(ctx, int(a.issue.Number), topic, strings.TrimSpace(b.String())); err != nil {
		return err
	}
	if err := j.client.React(ctx, j.repo, a.comment.ID, reaction); err != nil {
		// The answer is there; a missing reaction is not worth doing all again.
		zerolog.Ctx(ctx).Warn().Err(err).Msg("no reaction")
	}
	return nil
}

func code(s string) string { return body.Code(s, 200) }

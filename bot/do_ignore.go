package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"dhibot/bot/body"
	"dhibot/bot/command"
	"dhibot/bot/plan"
)

// maxIgnored bounds the list in a marker. A longer one belongs in the settings.
const maxIgnored = 50

func doIgnore(ctx context.Context, j *job, a *asked, req command.Request) (answer, error) {
	r := req.(command.Ignore)
	today := j.deps.Now().UTC().Format(time.DateOnly)
	if r.Until != "" && r.Until <= today {
		return answer{refused: true, text: code(r.Until) + " is not in the future, so there is nothing to remember."}, nil
	}
	if len(r.What) > 200 {
		return answer{refused: true, text: "That is too long to be remembered; `ignore` in `.github/dhi.yml` takes globs."}, nil
	}
	branch, list, no, err := j.ignoring(ctx, a)
	switch {
	case err != nil:
		return answer{}, err
	case no != nil:
		return *no, nil
	}
	list = slices.DeleteFunc(list, func(i body.Ignored) bool { return i.What == r.What || i.Until != "" && i.Until <= today })
	if len(list) >= maxIgnored {
		return answer{refused: true, text: "I remember 50 such things already. `ignore` and `ignore_images` in `.github/dhi.yml` have room for more."}, nil
	}
	list = append(list, body.Ignored{What: r.What, Until: r.Until, By: a.comment.User.Login})
	until := "from now on"
	if r.Until != "" {
		until = "until " + r.Until
	}
	return j.remember(ctx, branch, list, "I leave "+code(r.What)+" alone "+until+". ")
}

func doUnignore(ctx context.Context, j *job, a *asked, req command.Request) (answer, error) {
	r := req.(command.Unignore)
	branch, list, no, err := j.ignoring(ctx, a)
	switch {
	case err != nil:
		return answer{}, err
	case no != nil:
		return *no, nil
	}
	n := len(list)
	list = slices.DeleteFunc(list, func(i body.Ignored) bool { return i.What == r.What })
	if len(list) == n {
		text := "Nobody told me to ignore " + code(r.What) + "."
		if n > 0 {
			text += " What I was told to ignore: " + ignoredList(list) + "."
		}
		return answer{refused: true, text: text + " What the settings leave out is in `.github/dhi.yml`."}, nil
	}
	return j.remember(ctx, branch, list, "I look at "+code(r.What)+" again. ")
}

// remember carries the new list into the pull request.
func (j *job) remember(ctx context.Context, branch string, list []body.Ignored, text string) (answer, error) {
	ans, err := j.answer(ctx, plan.Ask{Kind: plan.Ignore, Ignored: list}, branch)
	if err == nil && !ans.refused {
		ans.text = text + ans.text
	}
	return ans, err
}

// ignoring is the pull request that a command is about, by its branch, and the
// list that it remembers; no is the answer when there is none.
func (j *job) ignoring(ctx context.Context, a *asked) (branch string, list []body.Ignored, no *answer, err error) {
	if branch, no, err = j.target(ctx, a, true); no != nil || err != nil {
		return "", nil, no, err
	}
	pulls, err := j.pulls(ctx, branch)
	if err != nil {
		return "", nil, nil, err
	}
	if p := newest(pulls); p != nil {
		list = slices.Clone(p.Marker.Ignored)
	}
	return branch, list, nil, nil
}

func ignoredList(list []body.Ignored) string {
	var words []string
	for _, i := range list {
		word := code(i.What)
		if i.Until != "" {
			word += " until " + i.Until
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

package bot

import (
	"context"

	"dhibot/bot/command"
	"dhibot/bot/plan"
)

func doMigrate(ctx context.Context, j *job, _ *asked, req command.Request) (answer, error) {
	r := req.(command.Migrate)
	return j.answer(ctx, plan.Ask{Kind: plan.Migrate, Paths: r.Paths, Distro: r.Distro, Again: r.Again})
}

func doRebase(ctx context.Context, j *job, _ *asked, _ command.Request) (answer, error) {
	return j.answer(ctx, plan.Ask{Kind: plan.Rebase})
}

func doRecreate(ctx context.Context, j *job, _ *asked, _ command.Request) (answer, error) {
	return j.answer(ctx, plan.Ask{Kind: plan.Recreate})
}

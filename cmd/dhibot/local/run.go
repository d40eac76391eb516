package local

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"dhibot/bot/config"
	"dhibot/bot/discover"
	"dhibot/rewrite"
)

// Engine migrates one Dockerfile; it is rewrite.Migrate.
type Engine func(context.Context, rewrite.Input) (*rewrite.Result, error)

// Reason codes for what happens outside of the engine.
const (
	CodeUnreadable rewrite.ReasonCode = "unreadable"
	CodeNotWritten rewrite.ReasonCode = "not-written"
)

// Run works on the jobs with several workers and hands over the results in the
// order of the jobs. It holds no more results than a small multiple of the
// workers. It returns early with the error of emit or of ctx.
func Run(ctx context.Context, jobs []Job, workers int, engine Engine, emit func(Job, *rewrite.Result) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type task struct {
		job  Job
		done chan *rewrite.Result
	}
	// The queue holds tasks in order; its length bounds how far the fastest
	// worker can run ahead of the slowest file.
	queue := make(chan task, 4*workers)
	todo := make(chan task)
	var wait sync.WaitGroup
	wait.Go(func() {
		defer close(queue)
		defer close(todo)
		for _, j := range jobs {
			t := task{j, make(chan *rewrite.Result, 1)}
			select {
			case queue <- t:
			case <-ctx.Done():
				return
			}
			select {
			case todo <- t:
			case <-ctx.Done():
				return
			}
		}
	})
	for range workers {
		wait.Go(func() {
			for t := range todo {
				t.done <- one(ctx, t.job, engine)
			}
		})
	}
	defer wait.Wait()
	defer cancel()
	for t := range queue {
		select {
		case r := <-t.done:
			// A worker may have been stopped in the middle of this one.
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := emit(t.job, r); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// one migrates one file. Whatever goes wrong is a result, so that one file
// cannot stop the others.
func one(ctx context.Context, job Job, engine Engine) (r *rewrite.Result) {
	if job.Skip != "" {
		return &rewrite.Result{Path: job.Shown, Outcome: rewrite.Skipped, Code: job.Code, Reason: job.Skip}
	}
	content, err := job.Repo.ReadFile(job.Path, MaxFile)
	if err != nil {
		return failure(job, nil, CodeUnreadable, err)
	}
	r = Migrate(ctx, engine, rewrite.Input{Path: job.Path, Content: content, FS: job.Repo.shared, Options: job.Options})
	r.Path = job.Shown
	return leave(job, r)
}

// leave takes the changes back when a stage is on an image that people want to
// stay on.
func leave(job Job, r *rewrite.Result) *rewrite.Result {
	if job.Wants == nil || !r.Changed() {
		return r
	}
	for _, s := range r.Stages {
		if s.From == "" {
			continue
		}
		if ok, why := job.Wants(config.ImageName(s.From)); !ok {
			return &rewrite.Result{Path: r.Path, Outcome: rewrite.Skipped, Code: rewrite.ReasonCode(discover.Settings),
				Reason: why + ", and a stage is on `" + s.From + "`", Before: r.Before, After: r.Before, Catalog: r.Catalog}
		}
	}
	return r
}

// Migrate calls the engine and turns an error or a panic into a failed result
// with the file as it was. The engine promises not to panic; should it, the
// other files are worth more than a crash.
func Migrate(ctx context.Context, engine Engine, in rewrite.Input) (r *rewrite.Result) {
	job := Job{Path: in.Path, Shown: in.Path}
	defer func() {
		if p := recover(); p != nil {
			r = failure(job, in.Content, rewrite.CodeInternal, fmt.Errorf("internal error: %v\n%s", p, debug.Stack()))
		}
	}()
	r, err := engine(ctx, in)
	if err != nil {
		return failure(job, in.Content, rewrite.CodeInternal, err)
	}
	return r
}

func failure(job Job, content []byte, code rewrite.ReasonCode, err error) *rewrite.Result {
	return &rewrite.Result{Path: job.Shown, Outcome: rewrite.Failed, Code: code, Reason: err.Error(),
		Before: content, After: content}
}

// Failed turns a result into a failed one because it could not be stored.
func Failed(r *rewrite.Result, err error) *rewrite.Result {
	return &rewrite.Result{Path: r.Path, Outcome: rewrite.Failed, Code: CodeNotWritten,
		Reason: err.Error(), Before: r.Before, After: r.Before}
}

// ErrChanged tells that a file is no longer what was read.
var ErrChanged = errors.New("the file changed while it was being migrated")

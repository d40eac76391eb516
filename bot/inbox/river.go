package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// Names of River's queues, one for each class of work, with workers of its own:
// a few are always free for lanes with a person waiting, and scans neither take
// workers from events nor wait for ever because there are always events.
const (
	queuePeople = "people"
	queueLanes  = "lanes"
	queueScans  = "scans"
)

// queueOf is the queue of a lane whose most urgent delivery has the priority.
func queueOf(p Priority) string {
	switch p {
	case Command:
		return queuePeople
	case Scan:
		return queueScans
	default:
		return queueLanes
	}
}

// elsewhere tells that a worker of the queue leaves deliveries of this priority
// to another queue's: they are less urgent than what it is there for.
func elsewhere(queue string, p Priority) bool {
	return queue == queuePeople && p != Command || queue == queueLanes && p == Scan
}

// fetchCooldown is the least time between two fetches, and between two NOTIFY:
// Postgres commits transactions with one of those one after the other.
const fetchCooldown = 25 * time.Millisecond

// maxRiverAttempts is for failures of the database itself; failures of
// deliveries are counted in the inbox.
const maxRiverAttempts = 1000

// riverQueue implements queue for the transaction type of one driver.
type riverQueue[T any] struct {
	opt      options
	driver   func() riverdriver.Driver[T]
	client   *river.Client[T] // inserts only
	raw      func(tx) T
	complet  func(context.Context, T, *river.Job[laneArgs]) (*river.Job[laneArgs], error)
	uniquely river.UniqueOpts
}

func newRiverQueue[T any](opt options, driver func() riverdriver.Driver[T], raw func(tx) T,
	complete func(context.Context, T, *river.Job[laneArgs]) (*river.Job[laneArgs], error),
) (*riverQueue[T], error) {
	q := &riverQueue[T]{
		opt: opt, driver: driver, raw: raw, complet: complete,
		// One job per lane that is waiting or running. Completed is left out:
		// the inbox knows what is done.
		uniquely: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
			rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}},
	}
	var err error
	q.client, err = river.NewClient(driver(), q.config())
	if err != nil {
		return nil, fmt.Errorf("inbox: job client: %w", err)
	}
	return q, nil
}

// migrateJobs brings River's own tables to the version that its library wants.
// The caller holds the migration lock.
func migrateJobs[T any](ctx context.Context, driver riverdriver.Driver[T], opt options) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: opt.slog()})
	if err != nil {
		return fmt.Errorf("inbox: migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("inbox: migrating the job tables: %w", err)
	}
	return nil
}

// config is what the inserting and the working client share.
func (q *riverQueue[T]) config() *river.Config {
	c := &river.Config{
		Logger:        q.opt.slog(),
		FetchCooldown: fetchCooldown,
		JobTimeout:    -1, // each delivery has its own time
		// The lease recovers what a dead process left. River's rescuer is the
		// last resort, and must not take a lane from a slow but living worker:
		// the longest a worker keeps one is a full drain.
		RescueStuckJobsAfter:        2 * (laneTime + q.opt.handler),
		CompletedJobRetentionPeriod: time.Hour,
		CancelledJobRetentionPeriod: 24 * time.Hour,
		Plugins:                     []rivertype.Plugin{river.HookInsertBeginFunc(q.available)},
	}
	if q.opt.stubbed {
		c.Test.Time = stubbedTime{q.opt.now}
	}
	return c
}

// available undoes River's rule that a job with a time is "scheduled", even
// when that time is past: it would then wait for the leader's next round. We
// use past times to order jobs, see fairness.
func (q *riverQueue[T]) available(_ context.Context, p *rivertype.JobInsertParams) error {
	if p.State == rivertype.JobStateScheduled && !p.ScheduledAt.After(q.opt.now()) {
		p.State = rivertype.JobStateAvailable
	}
	return nil
}

type stubbedTime struct{ now func() time.Time }

func (s stubbedTime) Now() time.Time       { return s.now() }
func (s stubbedTime) NowOrNil() *time.Time { now := s.now(); return &now }

func (q *riverQueue[T]) enqueue(ctx context.Context, t tx, now time.Time, turns []turn) ([]*rivertype.JobInsertResult, error) {
	params := make([]river.InsertManyParams, len(turns))
	for i, turn := range turns {
		params[i] = river.InsertManyParams{Args: laneArgs{Lane: turn.lane}, InsertOpts: &river.InsertOpts{
			MaxAttempts: maxRiverAttempts,
			Priority:    int(turn.priority),
			Queue:       queueOf(turn.priority),
			ScheduledAt: turn.at,
			UniqueOpts:  q.uniquely,
		}}
	}
	// Never InsertManyFast: on a conflict it takes no lock on the existing
	// job, which may be completing in another transaction, and the lane would
	// be forgotten.
	return q.client.InsertManyTx(ctx, q.raw(t), params)
}

func (q *riverQueue[T]) unqueue(ctx context.Context, t tx, id int64) (bool, error) {
	_, err := q.client.JobDeleteTx(ctx, q.raw(t), id)
	switch {
	case errors.Is(err, rivertype.ErrJobRunning), errors.Is(err, rivertype.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

func (q *riverQueue[T]) complete(ctx context.Context, t tx, job *rivertype.JobRow) error {
	done, err := q.complet(ctx, q.raw(t), &river.Job[laneArgs]{JobRow: job})
	if err != nil {
		return err
	}
	if done.State != rivertype.JobStateCompleted || done.Attempt != job.Attempt {
		return errFenced
	}
	return nil
}

// promoteMost bounds one round of promote.
const promoteMost = 200

func (q *riverQueue[T]) promote(ctx context.Context, now time.Time) (int, error) {
	// River's leader does this every five seconds, once there is a leader:
	// after a crash that takes a while.
	list, err := q.client.JobList(ctx, river.NewJobListParams().
		Kinds(laneKind).
		States(rivertype.JobStateScheduled, rivertype.JobStateRetryable).
		OrderBy(river.JobListOrderByScheduledAt, river.SortOrderAsc).
		First(promoteMost))
	if err != nil {
		return 0, fmt.Errorf("inbox: listing waiting jobs: %w", err)
	}
	n := 0
	for _, job := range list.Jobs {
		if job.ScheduledAt.After(now) {
			break
		}
		if _, err := q.client.JobRetry(ctx, job.ID); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
			return n, fmt.Errorf("inbox: waking a job: %w", err)
		}
		n++
	}
	return n, nil
}

func (q *riverQueue[T]) start(ctx context.Context, client string, work func(context.Context, *rivertype.JobRow, int64) error) (func(context.Context) error, error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &laneWorker{work: work}); err != nil {
		return nil, fmt.Errorf("inbox: job worker: %w", err)
	}
	c := q.config()
	c.ID = client
	c.Workers = workers
	c.RetryPolicy = databaseTrouble{q.opt.now}
	c.SoftStopTimeout = max(q.opt.grace, time.Millisecond)
	c.TestOnly = q.opt.stubbed // no random delay before maintenance starts
	c.Queues = map[string]river.QueueConfig{
		// River notifies of inserts at most once per FetchCooldown; one that
		// comes a moment after another is found by the next poll. A person
		// notices a second.
		queueLanes:  {MaxWorkers: q.opt.workers, FetchPollInterval: q.opt.poll},
		queuePeople: {MaxWorkers: q.opt.people, FetchPollInterval: min(q.opt.poll, 200*time.Millisecond)},
		queueScans:  {MaxWorkers: q.opt.scans, FetchPollInterval: q.opt.poll},
	}
	running, err := river.NewClient(q.driver(), c)
	if err != nil {
		return nil, fmt.Errorf("inbox: job client: %w", err)
	}
	if err := running.Start(ctx); err != nil {
		return nil, fmt.Errorf("inbox: starting to work: %w", err)
	}
	return running.Stop, nil
}

type laneWorker struct {
	river.WorkerDefaults[laneArgs]
	work func(context.Context, *rivertype.JobRow, int64) error
}

func (w *laneWorker) Work(ctx context.Context, job *river.Job[laneArgs]) error {
	return w.work(ctx, job.JobRow, job.Args.Lane)
}

// databaseTrouble is the pause after a job that could not be recorded: River's
// own policy reaches weeks, a database is back in seconds.
type databaseTrouble struct{ now func() time.Time }

func (p databaseTrouble) NextRetry(job *rivertype.JobRow) time.Time {
	return p.now().Add(min(30*time.Second, time.Second<<min(len(job.Errors), 5)))
}

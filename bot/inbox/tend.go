package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// tend does what nobody asked for, until ctx ends: it takes over from dead
// processes, wakes lanes whose time has come, and throws away what is old.
// Every process does it; all of it may be done twice.
func (r *runner) tend(ctx context.Context) {
	b := r.box
	tick := time.NewTicker(b.opt.tick)
	defer tick.Stop()
	var rounds int
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.giveWay(ctx); err != nil && ctx.Err() == nil {
			b.opt.log.Warn().Err(err).Msg("cannot look for people behind scans")
		}
		if _, err := b.db.promote(ctx, b.now()); err != nil && ctx.Err() == nil {
			b.opt.log.Warn().Err(err).Msg("cannot wake lanes")
		}
		if rounds%3 == 0 {
			if err := b.reclaim(ctx, r.client); err != nil && ctx.Err() == nil {
				b.opt.log.Warn().Err(err).Msg("cannot look for ended processes")
			}
		}
		if rounds%3 == 1 {
			if err := b.countReplicas(ctx); err != nil && ctx.Err() == nil {
				b.opt.log.Warn().Err(err).Msg("cannot count the processes that work")
			}
		}
		if rounds%60 == 1 {
			if err := b.recall(ctx); err != nil && ctx.Err() == nil {
				b.opt.log.Warn().Err(err).Msg("cannot look for forgotten lanes")
			}
		}
		if rounds%(6*3600) == 2 {
			if err := b.trim(ctx); err != nil && ctx.Err() == nil {
				b.opt.log.Warn().Err(err).Msg("cannot trim")
			}
		}
		r.periodics(ctx)
		rounds++
	}
}

func laneOf(args []byte) (int64, error) {
	var a laneArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return 0, fmt.Errorf("arguments of a job: %w", err)
	}
	return a.Lane, nil
}

// overdue is how long a delivery may be due before somebody checks that its
// lane has a job at all.
const overdue = 5 * time.Minute

// recall gives a job to lanes that lost theirs: deleted by hand, say, or
// discarded after a thousand database failures. Lanes that have one keep it.
func (b *Inbox) recall(ctx context.Context) error {
	return b.db.inTx(ctx, func(t tx) error {
		var lanes []waitingLane
		err := t.query(ctx, func(scan func(...any) error) error {
			var l waitingLane
			var p int64
			if err := scan(&l.lane, &l.installation, &p); err != nil {
				return err
			}
			l.priority = Priority(p)
			lanes = append(lanes, l)
			return nil
		}, "SELECT lane, installation, priority FROM inbox WHERE state = 'pending' AND due < $1 ORDER BY seq LIMIT 500", micros(b.now().Add(-overdue)))
		if err != nil {
			return err
		}
		return b.call(ctx, t, lanes)
	})
}

// trimMost is how many rows one transaction of trim looks at: new deliveries
// must not wait long for it.
const trimMost = 500

// trim deletes payloads of what was done a week ago, and everything that ended
// a month ago. Parked deliveries keep their payload as long as their row, for
// a retry. Rows are in the order in which they arrived, so the walk ends at
// the first young one.
func (b *Inbox) trim(ctx context.Context) error {
	oldBody, oldRow := micros(b.now().Add(-b.opt.keepBody)), micros(b.now().Add(-b.opt.keepRow))
	for after, more := int64(0), true; more; {
		err := b.db.inTx(ctx, func(t tx) error {
			var bodies, rows []int64
			more = false
			err := t.query(ctx, func(scan func(...any) error) error {
				var received, finished int64
				var state string
				if err := scan(&after, &received, &finished, &state); err != nil {
					return err
				}
				more = received < oldBody
				if finished < oldRow {
					rows = append(rows, after)
				}
				if finished < oldRow || finished < oldBody && state != "parked" {
					bodies = append(bodies, after)
				}
				return nil
			}, "SELECT seq, received, COALESCE(finished, $2), state FROM inbox WHERE seq > $1 ORDER BY seq LIMIT $3"+b.db.dialect().forUpdate,
				after, oldBody, trimMost)
			if err != nil {
				return err
			}
			for _, seq := range bodies {
				if _, err := t.exec(ctx, "DELETE FROM inbox_body WHERE seq = $1", seq); err != nil {
					return err
				}
			}
			for _, seq := range rows {
				if _, err := t.exec(ctx, "DELETE FROM inbox WHERE seq = $1", seq); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

package inbox

import (
	"context"
	"fmt"
)

// underWay is a call of the handler in this process.
type underWay struct {
	priority Priority
	cut      context.CancelCauseFunc
}

// giveWay ends the scans of this process in whose lanes a command waits: a
// repository is worked on by one at a time, and a person must not wait for a
// scan to end. The scan is waiting again, behind the command.
func (r *runner) giveWay(ctx context.Context) error {
	scans := map[int64]*underWay{}
	r.busy.Range(func(lane, call any) bool {
		if u := call.(*underWay); u.priority == Scan {
			scans[lane.(int64)] = u
		}
		return true
	})
	if len(scans) == 0 {
		return nil
	}
	return r.box.db.read(ctx, func(t tx) error {
		for lane, u := range scans {
			_, waits, err := one[int64](ctx, t, "SELECT seq FROM inbox WHERE lane = $1 AND priority = $2 AND state = 'pending' AND due <= $3 LIMIT 1",
				lane, int64(Command), micros(r.box.now()))
			if err != nil {
				return fmt.Errorf("inbox: looking for commands: %w", err)
			}
			if waits {
				u.cut(ErrGiveWay)
			}
		}
		return nil
	})
}

package inbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// A batch is committed with one fsync, so that eight posters do not wait for
// eight of them. A Put that comes alone is a batch of its own and waits for
// nobody.
const (
	batchMost  = 64
	batchBytes = 8 << 20
	batchTime  = 20 * time.Second // for one commit; longer is a broken database
)

type putRequest struct {
	d     Delivery
	reply chan putReply // with room for the one reply
}

type putReply struct {
	fresh bool
	err   error
}

// Put stores d and the job that will work it off, in one transaction. When it
// returns nil both are on the disk. fresh is false when there is nothing new
// to do: the same GUID is waiting or done, or another delivery with the same
// Key is. A GUID that was parked is waiting again: a redelivery recovers it.
//
// When ctx ends first the delivery may or may not be stored; putting it again
// is harmless. Errors wrap ErrInvalid or ErrClosed where they apply; all
// others come from the database and may pass.
func (b *Inbox) Put(ctx context.Context, d Delivery) (fresh bool, err error) {
	d, err = d.normal(b.now())
	if err != nil {
		return false, err
	}
	req := &putRequest{d: d, reply: make(chan putReply, 1)}
	select {
	case b.puts <- req:
	case <-b.quit:
		return false, ErrClosed
	case <-ctx.Done():
		return false, fmt.Errorf("inbox: storing delivery %s: %w", d.GUID, ctx.Err())
	}
	select {
	case r := <-req.reply:
		if r.err != nil {
			return false, fmt.Errorf("inbox: storing delivery %s: %w", d.GUID, r.err)
		}
		return r.fresh, nil
	case <-ctx.Done():
		return false, fmt.Errorf("inbox: storing delivery %s: %w", d.GUID, ctx.Err())
	}
}

// putLoop commits batches until Close.
func (b *Inbox) putLoop() {
	defer b.putters.Done()
	for {
		var batch []*putRequest
		select {
		case req := <-b.puts:
			batch = append(batch, req)
		case <-b.quit:
			return
		}
		size := len(batch[0].d.Body)
	gather:
		for len(batch) < batchMost && size < batchBytes {
			select {
			case req := <-b.puts:
				batch = append(batch, req)
				size += len(req.d.Body)
			default:
				break gather
			}
		}
		b.commit(batch)
	}
}

// commit stores a batch; when that fails, one by one, so that a delivery the
// database does not take cannot take others with it.
func (b *Inbox) commit(batch []*putRequest) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTime)
	defer cancel()
	// In one order everywhere: two processes storing the same two deliveries
	// must not each hold one and wait for the other.
	slices.SortStableFunc(batch, func(x, y *putRequest) int { return cmp.Compare(x.d.GUID, y.d.GUID) })
	fresh, err := b.store(ctx, batch)
	if err != nil && len(batch) > 1 && ctx.Err() == nil {
		for _, req := range batch {
			b.commit([]*putRequest{req})
		}
		return
	}
	for i, req := range batch {
		r := putReply{err: err}
		if err == nil {
			r.fresh = fresh[i]
		}
		req.reply <- r
	}
}

// store writes a batch in one transaction.
func (b *Inbox) store(ctx context.Context, batch []*putRequest) ([]bool, error) {
	rows, again := make([]row, 0, len(batch)), []int{}
	place := map[string]int{} // GUID to index in batch
	for i, req := range batch {
		if _, twice := place[req.d.GUID]; twice {
			again = append(again, i)
			continue
		}
		place[req.d.GUID] = i
		rows = append(rows, newRow(req.d, b.now()))
	}
	var fresh []bool
	err := b.db.inTx(ctx, func(t tx) error {
		fresh = make([]bool, len(batch)) // inside: the transaction may run again
		stored, err := b.db.insertNew(ctx, t, rows)
		if err != nil {
			return err
		}
		for _, guid := range stored {
			fresh[place[guid]] = true
		}
		for i, req := range batch {
			if fresh[i] && !slices.Contains(again, i) {
				continue
			}
			if fresh[i], err = b.storeKnown(ctx, t, req.d); err != nil {
				return err
			}
		}
		var waiting []waitingLane
		for i, req := range batch {
			if fresh[i] {
				waiting = append(waiting, waitingLane{req.d.lane(), req.d.Installation, req.d.Priority})
			}
		}
		return b.call(ctx, t, waiting)
	})
	return fresh, err
}

// row is a delivery as it is stored.
type row struct {
	guid, event, fullName          string
	installation, repository, lane int64
	meaning                        *string // nil: none
	priority                       int64
	state                          State
	due, received                  int64
	finished                       *int64
	body                           []byte
}

func newRow(d Delivery, now time.Time) row {
	r := row{guid: d.GUID, event: d.Event, fullName: d.FullName, installation: d.Installation, repository: d.Repository, lane: d.lane(),
		priority: int64(d.Priority), state: Pending, due: micros(now), received: micros(d.Received), body: d.Body}
	if d.Key != "" {
		r.meaning = &d.Key
	}
	if r.body == nil {
		r.body = []byte{}
	}
	return r
}

const insertRow = `INSERT INTO inbox
 (guid, event, installation, repository, lane, full_name, meaning, priority, state, due, received, finished)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
 ON CONFLICT DO NOTHING RETURNING seq`

// insert stores r without its body; ok is false when something is in the way.
func (r row) insert(ctx context.Context, t tx) (seq int64, ok bool, err error) {
	return one[int64](ctx, t, insertRow, r.guid, r.event, r.installation, r.repository, r.lane, r.fullName, r.meaning,
		r.priority, string(r.state), r.due, r.received, r.finished)
}

// storeKnown deals with a delivery that something is in the way of: it was
// here before, or one of equal meaning was. It reports whether it is waiting
// for work that was not waiting before.
func (b *Inbox) storeKnown(ctx context.Context, t tx, d Delivery) (bool, error) {
	seq, known, err := one[int64](ctx, t, "SELECT seq FROM inbox WHERE guid = $1", d.GUID)
	if err != nil {
		return false, err
	}
	if known {
		// Only "done" suppresses. Waiting is waiting; parked gets another chance.
		return b.revive(ctx, t, seq, d.Body)
	}
	r := newRow(d, b.now())
	r.state, r.finished = Duplicate, &r.due
	_, _, err = r.insert(ctx, t)
	return false, err
}

func (b *Inbox) storeBody(ctx context.Context, t tx, seq int64, body []byte) error {
	if body == nil {
		body = []byte{}
	}
	_, err := t.exec(ctx, "INSERT INTO inbox_body (seq, body) VALUES ($1, $2) ON CONFLICT (seq) DO UPDATE SET body = excluded.body", seq, body)
	return err
}

// revive puts a parked row back to work; it reports false for a row in another
// state, or whose meaning somebody else has taken care of since. body, when
// not nil, replaces what was stored.
func (b *Inbox) revive(ctx context.Context, t tx, seq int64, body []byte) (bool, error) {
	n, err := t.exec(ctx, `UPDATE inbox SET state = 'pending', due = $2, held = 0, tries = 0, starts = 0, finished = NULL
		WHERE seq = $1 AND state = 'parked' AND NOT EXISTS (
			SELECT 1 FROM inbox AS other WHERE other.meaning = inbox.meaning AND other.state IN ('pending', 'done'))`,
		seq, micros(b.now()))
	if err != nil || n == 0 {
		return false, err
	}
	if body == nil {
		return true, nil
	}
	return true, b.storeBody(ctx, t, seq, body)
}

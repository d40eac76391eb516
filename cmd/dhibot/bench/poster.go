package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// poster is one sender with a connection of its own that stays open. It writes
// requests as bytes made beforehand: on a small machine a full client would
// take its share from the server that is measured.
type poster struct {
	conn net.Conn
	read *bufio.Reader
}

func newPoster(ctx context.Context, address string) (*poster, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the edge: %w", err)
	}
	return &poster{conn: conn, read: bufio.NewReader(conn)}, nil
}

// request is d as it goes over the wire.
func (d delivery) request() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /api/github/webhooks HTTP/1.1\r\nHost: bench\r\nUser-Agent: GitHub-Hookshot/bench\r\nContent-Type: application/json\r\n"+
		"X-GitHub-Event: %s\r\nX-GitHub-Delivery: %s\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n", d.event, d.guid, d.signature, len(d.body))
	b.Write(d.body)
	return b.Bytes()
}

// post sends a request and waits for 202.
func (p *poster) post(request []byte) error {
	if _, err := p.conn.Write(request); err != nil {
		return fmt.Errorf("posting: %w", err)
	}
	resp, err := http.ReadResponse(p.read, nil)
	if err != nil {
		return fmt.Errorf("posting: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("posting: %w", err)
	}
	if resp.StatusCode != http.StatusAccepted || !bytes.Contains(body, []byte(`"accepted"`)) {
		return fmt.Errorf("posting: answered %s: %s", resp.Status, body)
	}
	return nil
}

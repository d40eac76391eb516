//go:build build

package buildtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// The record types of FastCGI that a web server and php-fpm exchange. Source:
// the FastCGI Specification 1.0, section 8.
const (
	fcgiBegin  = 1
	fcgiEnd    = 3
	fcgiParams = 4
	fcgiStdin  = 5
	fcgiStdout = 6
	fcgiStderr = 7
)

// askFPM has php-fpm run a script, as nginx would, and returns what it answers
// without its headers.
func askFPM(conn net.Conn, script string) (string, error) {
	var params bytes.Buffer
	for _, kv := range [][2]string{{"SCRIPT_FILENAME", script}, {"SCRIPT_NAME", script}, {"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/"}, {"SERVER_PROTOCOL", "HTTP/1.1"}, {"GATEWAY_INTERFACE", "CGI/1.1"}} {
		params.Write([]byte{byte(len(kv[0])), byte(len(kv[1]))}) // both shorter than 128
		params.WriteString(kv[0] + kv[1])
	}
	const responder = 1
	for _, r := range []struct {
		kind byte
		data []byte
	}{{fcgiBegin, []byte{0, responder, 0, 0, 0, 0, 0, 0}}, {fcgiParams, params.Bytes()}, {fcgiParams, nil}, {fcgiStdin, nil}} {
		head := []byte{1, r.kind, 0, 1, 0, 0, 0, 0}
		binary.BigEndian.PutUint16(head[4:], uint16(len(r.data)))
		if _, err := conn.Write(append(head, r.data...)); err != nil {
			return "", fmt.Errorf("asking php-fpm: %w", err)
		}
	}
	var out, errs strings.Builder
	for {
		var head [8]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return "", fmt.Errorf("the answer of php-fpm: %w", err)
		}
		data := make([]byte, int(binary.BigEndian.Uint16(head[4:]))+int(head[6]))
		if _, err := io.ReadFull(conn, data); err != nil {
			return "", fmt.Errorf("the answer of php-fpm: %w", err)
		}
		data = data[:len(data)-int(head[6])]
		switch head[1] {
		case fcgiStdout:
			out.Write(data)
		case fcgiStderr:
			errs.Write(data)
		case fcgiEnd:
			_, body, ok := strings.Cut(out.String(), "\r\n\r\n")
			if !ok {
				return "", errors.New("php-fpm answered without headers: " + errs.String())
			}
			return strings.TrimSpace(body + errs.String()), nil
		}
	}
}

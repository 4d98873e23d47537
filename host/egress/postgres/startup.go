package postgres

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// What a guest may send before it has a connection.
const (
	maxStartup  = 10_000 // PostgreSQL's own bound
	maxPassword = 8 << 10
	maxAsked    = 4 // requests for encryption before the startup message
)

// The codes that stand where a startup message has its version.
const (
	codeCancel = 80877102
	codeTLS    = 80877103
	codeGSS    = 80877104
)

var errStartup = errors.New("this is not PostgreSQL's protocol")

// readPacket reads a packet without a kind: a length, which counts itself, and as
// many bytes.
func readPacket(r io.Reader, most int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 8 || n > uint32(most) {
		return nil, errStartup
	}
	body := make([]byte, n-4)
	_, err := io.ReadFull(r, body)
	return body, err
}

// opening is what a guest has begun with: one of the two.
type opening struct {
	startup *pgproto3.StartupMessage
	cancel  *pgproto3.CancelRequest
}

// readOpening reads up to what a guest wants. Encryption is declined: the bytes do
// not leave this machine.
func readOpening(r io.Reader, w io.Writer) (opening, error) {
	for range maxAsked {
		body, err := readPacket(r, maxStartup)
		if err != nil {
			return opening{}, err
		}
		switch binary.BigEndian.Uint32(body) {
		case codeTLS, codeGSS:
			if _, err := w.Write([]byte{'N'}); err != nil {
				return opening{}, err
			}
		case codeCancel:
			c := &pgproto3.CancelRequest{}
			return opening{cancel: c}, c.Decode(body)
		default:
			s := &pgproto3.StartupMessage{}
			return opening{startup: s}, s.Decode(body)
		}
	}
	return opening{}, errStartup
}

// readPassword reads the answer to AuthenticationCleartextPassword.
func readPassword(r *bufio.Reader) (string, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return "", err
	}
	if kind != 'p' {
		return "", errStartup
	}
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 5 || n > maxPassword {
		return "", errStartup
	}
	body := make([]byte, n-4)
	if _, err := io.ReadFull(r, body); err != nil {
		return "", err
	}
	var m pgproto3.PasswordMessage
	if err := m.Decode(body); err != nil {
		return "", errStartup
	}
	return m.Password, nil
}

// who is for whom a connection is logged in, without the password.
type who struct {
	user, database string
	parameters     string // the other parameters of the startup message, in one order
}

// whoOf reads who asks, and what the parameters besides user and database are.
func whoOf(s *pgproto3.StartupMessage) (who, map[string]string, error) {
	w := who{user: s.Parameters["user"], database: s.Parameters["database"]}
	if w.user == "" {
		return who{}, nil, &pgError{code: "28000", text: "no user name is given in the startup message"}
	}
	if w.database == "" {
		w.database = w.user
	}
	rest := maps.Clone(s.Parameters)
	delete(rest, "user")
	delete(rest, "database")
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		switch {
		case name == "replication":
			return who{}, nil, &pgError{code: "0A000", text: "a connection for replication cannot come from a pool: take the server out of network.pool"}
		case strings.HasPrefix(name, "_pq_."):
			delete(rest, name) // NegotiateProtocolVersion says so
			continue
		}
		fmt.Fprintf(&all, "%s\x00%s\x00", name, rest[name])
	}
	w.parameters = all.String()
	return w, rest, nil
}

// negotiated is the answer to a guest that wants more than version 3.0; nil for
// one that does not.
func negotiated(s *pgproto3.StartupMessage) *pgproto3.NegotiateProtocolVersion {
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		if strings.HasPrefix(name, "_pq_.") {
			unknown = append(unknown, name)
		}
	}
	if s.ProtocolVersion == pgproto3.ProtocolVersion30 && unknown == nil {
		return nil
	}
	return &pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: 0, UnrecognizedOptions: unknown}
}

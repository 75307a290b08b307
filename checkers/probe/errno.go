package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

// failed names the reason of an error of the network and says what was attempted.
func failed(what *checkers.Probe, doing string, err error) checkers.Result {
	r := reason(what, err)
	detail := doing + ": " + why(err)
	if r == checkers.TLS {
		detail = tlsDetail(err)
	}
	if hint := likely(what, r); hint != "" {
		detail += " (" + hint + ")"
	}
	return checkers.Fail(r, detail)
}

// why is the innermost text of an error: the address is known to whoever reads it.
func why(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return why(op.Err)
	}
	if errors.Is(err, unix.EHOSTUNREACH) {
		return "no route to host: nobody answers for the address, or it is out of reach or forbidden on the way"
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err.Error()
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the server closed the connection"
	}
	return err.Error()
}

// reason sorts an error of connect, send or receive. ENETUNREACH can also come from a router's ICMP net unreachable; both mean
// that the way is missing rather than the server.
func reason(what *checkers.Probe, err error) checkers.Reason {
	if r, ok := isForwardFault(err); ok {
		return r
	}
	for _, row := range reasons {
		if errors.Is(err, row.err) {
			switch {
			case row.err == unix.EADDRNOTAVAIL && what.Bind.Addr().IsValid():
				return checkers.NoAddress
			case row.err == unix.EACCES && what.Target.Addr().Is6():
				// What a firewall on the way forbids ("administratively prohibited") comes as EACCES over IPv6 (net/ipv6/icmp.c, tab_unreach), as
				// EHOSTUNREACH over IPv4.
				return checkers.Unreachable
			}
			return row.reason
		}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return checkers.Timeout
	}
	if ofTLS(err) {
		return checkers.TLS
	}
	return checkers.Local
}

// tlsDetail is an error of TLS as a person reads it.
func tlsDetail(err error) string {
	text := strings.TrimPrefix(why(err), "tls: ")
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return "TLS: the server refused: " + text
	}
	return "TLS: " + text
}

// ofTLS says that an established TLS connection ended by TLS' own rules. A server that wants a client certificate says so only then (RFC 8446,
// 4.4.2.4): with TLS 1.3 the client's handshake is over by that time. crypto/tls does not export the type of an alert.
func ofTLS(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error") {
		return true
	}
	var record tls.RecordHeaderError
	return errors.As(err, &record) || strings.HasPrefix(why(err), "tls: ")
}

// starvedBy is the errno of an error that says that this director has run out of descriptors, memory or processes (fork gives EAGAIN for the
// last); nil for other errors.
func starvedBy(err error) error {
	for _, errno := range []syscall.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS, unix.EAGAIN} {
		if errors.Is(err, errno) {
			return errno
		}
	}
	return nil
}

var reasons = []struct {
	err    error
	reason checkers.Reason
}{
	{context.DeadlineExceeded, checkers.Timeout},
	{os.ErrDeadlineExceeded, checkers.Timeout},
	{unix.ETIMEDOUT, checkers.Timeout},
	{unix.ECONNREFUSED, checkers.Refused},
	{unix.EHOSTUNREACH, checkers.Unreachable},
	{unix.EHOSTDOWN, checkers.Unreachable},
	{unix.ENOPROTOOPT, checkers.Unreachable}, // ICMP protocol unreachable
	{unix.ECONNRESET, checkers.Reset},
	{unix.EPIPE, checkers.Reset},
	{unix.ECONNABORTED, checkers.Reset},
	{io.EOF, checkers.Closed},
	{io.ErrUnexpectedEOF, checkers.Closed},
	{unix.ENETUNREACH, checkers.NoRoute},
	{unix.ENETDOWN, checkers.NoRoute},
	{unix.EADDRNOTAVAIL, checkers.NoPorts}, // unless an address was asked for, see above
	{unix.EADDRINUSE, checkers.NoPorts},
	{unix.EAGAIN, checkers.NoPorts}, // connect: no free ephemeral port
	{unix.ENODEV, checkers.NoAddress},
	{unix.EMFILE, checkers.NoFiles},
	{unix.ENFILE, checkers.NoFiles},
	{unix.ENOBUFS, checkers.NoFiles},
	{unix.ENOMEM, checkers.NoFiles},
	{unix.EPERM, checkers.Denied},
	{unix.EACCES, checkers.Denied},
	{context.Canceled, checkers.Local},
}

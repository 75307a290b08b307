package checkers

// Reason says in one word why an attempt failed: log field, metric label and test row.
type Reason uint8

// The reasons. OK is the only one of a successful attempt.
const (
	OK Reason = iota
	// Refused: the target answered with a reset or ICMP port unreachable.
	Refused
	// Timeout: nothing within the time.
	Timeout
	// Unreachable: ICMP unreachable or no neighbour answered (EHOSTUNREACH).
	Unreachable
	// Reset: the connection was reset after it was made.
	Reset
	// Closed: the connection ended before the answer was complete.
	Closed
	// TLS: the handshake failed.
	TLS
	// Certificate: the server's certificate was not accepted.
	Certificate
	// Protocol: the answer is not of the protocol.
	Protocol
	// TooLong: the answer exceeds its bound.
	TooLong
	// Status: a well-formed answer with a status that is not accepted.
	Status
	// Body: the body does not match the regular expression or the expected text.
	Body
	// Digest: the body's MD5 differs.
	Digest
	// Script: the program's exit status says down.
	Script
	// ScriptSignal: the program was killed by a signal.
	ScriptSignal
	// ScriptStart: the program could not be started.
	ScriptStart
	// FileValue: the tracked file says down, or cannot be read as a number.
	FileValue
	// AgentDown: the agent says down, stopped or fail.
	AgentDown
	// AgentMaint: the agent says maint.
	AgentMaint
	// NoRoute: the director has no route (ENETUNREACH).
	NoRoute
	// NoAddress: the source address to bind to is gone, or the interface is (EADDRNOTAVAIL, ENODEV).
	NoAddress
	// NoPorts: the director has no free port (EADDRINUSE, EADDRNOTAVAIL without a source).
	NoPorts
	// NoFiles: no free file descriptor or memory (EMFILE, ENFILE, ENOBUFS, ENOMEM).
	NoFiles
	// Denied: the director's own rules or rights forbid it (EPERM, EACCES).
	Denied
	// Local: another local error.
	Local
	// Invalid: the check cannot be run as it is configured.
	Invalid
	// Panicked: the probe's own code failed; it was contained.
	Panicked
	numReasons
)

var reasonNames = [numReasons]string{"ok", "refused", "timeout", "unreachable", "reset", "closed", "tls", "certificate", "protocol", "too_long",
	"status", "body", "digest", "script", "script_signal", "script_start", "file_value", "agent_down", "agent_maint",
	"no_route", "no_address", "no_ports", "no_files", "denied", "local", "invalid", "panic"}

// String is the word.
func (r Reason) String() string {
	if r < numReasons {
		return reasonNames[r]
	}
	return "?"
}

// Reasons lists them all, OK first.
func Reasons() []Reason {
	all := make([]Reason, numReasons)
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}

// IsLocal says that the attempt failed on the director itself, before anything could be asked of the target. It still counts as
// a failed attempt: a server that cannot be checked must not be kept in rotation on the director's word.
func (r Reason) IsLocal() bool {
	switch r {
	case NoRoute, NoAddress, NoPorts, NoFiles, Denied, Local:
		return true
	}
	return false
}

// MarshalText writes the word.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the word; an unknown one becomes Local.
func (r *Reason) UnmarshalText(b []byte) error {
	*r = Local
	for i, n := range reasonNames {
		if n == string(b) {
			*r = Reason(i)
		}
	}
	return nil
}

package notify

import (
	"time"

	"github.com/holdfast-ha/holdfast/internal/script"
)

// Config is everything that is told, and to whom. Plain values.
type Config struct {
	// Instances and Groups by identity; see Object.
	Instances []Object
	Groups    []Object
	Virtuals  []Virtual
	// All, VRRP and LVS are the pipes for everything, for VRRP and for IPVS; a zero Path means none.
	All, VRRP, LVS FIFO
	Mail           Mail
	// InitialServers tells real servers' first state too (rs_init_notifies).
	InitialServers bool
	// StatesOnReload writes all VRRP states to the pipes again after a reload (fifo_write_vrrp_states_on_reload).
	StatesOnReload bool
}

// Object is an instance or a sync group.
type Object struct {
	// ID is its identity over reloads and renames, unique among instances and among groups.
	ID string
	// Name is what scripts and pipes are told.
	Name string
	// Master, Backup, Fault and Stop run when that state is entered, with the configured arguments only.
	Master, Backup, Fault, Stop script.Command
	// Deleted runs when a reload removes the instance, if ReportDeleted.
	Deleted script.Command
	// Any runs at every change with four more arguments: INSTANCE or GROUP, name, state, priority.
	Any script.Command
	// LowerPriority runs when a MASTER hears a MASTER of lower priority.
	LowerPriority script.Command
	// ReportDeleted makes a removed instance DELETED instead of FAULT (notify_deleted).
	ReportDeleted bool
	// Priorities writes changes of the effective priority to the pipes too (notify_priority_changes).
	Priorities bool
	// Mail sends a mail at every change (smtp_alert).
	Mail bool
}

// Virtual is a virtual server.
type Virtual struct {
	ID string
	// Label is how pipes and mails spell it: "[10.0.0.1]:tcp:80", "[GROUP]:0", "FWM 5".
	Label string
	// QuorumUp and QuorumDown run with the configured arguments only.
	QuorumUp, QuorumDown script.Command
	Mail                 bool
	// Omega tells DOWN for everything that is up when the daemon stops.
	Omega   bool
	Servers []Server
}

// Server is a real server of a virtual server.
type Server struct {
	// ID is unique within the virtual server.
	ID string
	// Label is how pipes and mails spell it: "[10.0.0.2]:tcp:80".
	Label    string
	Up, Down script.Command
	Mail     bool
}

// FIFO is a named pipe.
type FIFO struct {
	Path string
	// User and Group own a pipe that is made; "" for the daemon's own.
	User, Group string
	// Reader is started with the path as its last argument and started again when it ends.
	Reader script.Command
}

func (f FIFO) equal(o FIFO) bool {
	return f.Path == o.Path && f.User == o.User && f.Group == o.Group && f.Reader.Equal(o.Reader)
}

// Mail says how mail is sent. Without Server or To there is none.
type Mail struct {
	// RouterID stands in brackets in front of every subject.
	RouterID string
	// Server is the relay, "host:port".
	Server string
	From   string
	To     []string
	// Helo is how we call ourselves, "" for the host name.
	Helo string
	// Timeout limits connecting and every answer, 30 s by default.
	Timeout time.Duration
	// TLS is "" or "off", "opportunistic" (STARTTLS where the relay offers it), "starttls" (or no mail) or "tls" (from the first byte on).
	TLS string
	// CA is a file with the certificates that may sign the relay's, "" for the system's.
	CA string
	// User and Password are the login, none if User is "". A password "file:PATH" is read from there.
	User, Password string
	// NoFaults suppresses mail for FAULT (no_email_faults).
	NoFaults bool
}

func (m Mail) enabled() bool { return m.Server != "" && len(m.To) > 0 }

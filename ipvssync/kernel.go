package ipvssync

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// The errors a Kernel's answers may be compared with (errors.Is).
var (
	// ErrNoIPVS: the kernel has no IPVS. The text for people is "modprobe ip_vs".
	ErrNoIPVS = errors.New("the kernel has no IPVS; try: modprobe ip_vs")
	// ErrExists: the service or server to add is there already.
	ErrExists = errors.New("exists already")
	// ErrNotFound: the service or server to change is not there.
	ErrNotFound = errors.New("does not exist")
	// ErrRefused: the values make no sense to the kernel, or it would accept and break them.
	ErrRefused = errors.New("refused")
)

// Kernel is IPVS and what belongs to it, on one host and in one network namespace. One goroutine at a time may call it, except
// Close, which may come at any time and ends a call that hangs.
type Kernel interface {
	// Services lists all services, without their servers. The list is not a snapshot: while somebody else writes, entries
	// may be missing or double. Never act on one list alone.
	Services(ctx context.Context) ([]Service, error)
	// Service asks for one service, without its servers; false if it does not exist.
	Service(ctx context.Context, k Key) (Service, bool, error)
	// Servers lists the servers of one service, with their connections; a service that does not exist is an empty list.
	Servers(ctx context.Context, k Key) ([]ServerState, error)
	// Apply does one operation. It refuses with ErrRefused what the kernel accepts and breaks on ([Op.Validate]).
	Apply(ctx context.Context, op Op) error
	// Stats reads the counters of a service and its servers.
	Stats(ctx context.Context, k Key) (ServiceStats, error)

	// FullNAT makes the owned nftables table hold exactly these rules, and removes it when there are none. It answers
	// whether something had to be written.
	FullNAT(ctx context.Context, rules []FullNATRule) (changed bool, err error)

	// SyncDaemons lists the connection synchronisation daemons that run.
	SyncDaemons(ctx context.Context) ([]SyncDaemon, error)
	// StartSync starts one; ErrExists when one of that role runs.
	StartSync(ctx context.Context, d SyncDaemon) error
	// StopSync stops the one of that role, interface and id; ErrNotFound when none runs.
	StopSync(ctx context.Context, d SyncDaemon) error

	// SyncState counts what they did. It may be called from any goroutine, beside other calls.
	SyncState(ctx context.Context) (SyncState, error)

	// Timeouts reads the connection timeouts, SetTimeouts sets those that are not 0, in whole seconds.
	Timeouts(ctx context.Context) (Timeouts, error)
	SetTimeouts(ctx context.Context, t Timeouts) error

	// Sysctl reads a value below /proc/sys by its dotted name, SetSysctl writes one.
	Sysctl(name string) (string, error)
	SetSysctl(name, value string) error

	// Outgoing names the interface by which packets to an address leave this machine, "lo" for its own addresses.
	Outgoing(to netip.Addr) (string, error)
	// Holder names the interface that has an address of this machine's own, "" when none has.
	Holder(own netip.Addr) (string, error)

	// Close gives everything back; calls in flight fail.
	Close() error
}

// ServerState is a server as read back from the kernel.
type ServerState struct {
	Server
	// Active, Inactive and Persistent are its connections.
	Active, Inactive, Persistent uint32
}

// Counters are 64-bit counters and the kernel's own rates, per second.
type Counters struct {
	Connections, InPackets, OutPackets, InBytes, OutBytes     uint64
	CPS, InPacketRate, OutPacketRate, InByteRate, OutByteRate uint64
}

// ServerStats are the counters of one server.
type ServerStats struct {
	ServerState
	Counters
}

// ServiceStats are the counters of a service and of its servers.
type ServiceStats struct {
	Key Key
	Counters
	Servers []ServerStats
}

// SyncRole is the role of a connection synchronisation daemon.
type SyncRole uint8

// The roles (kernel: IP_VS_STATE_*). Both may run at once.
const (
	SyncMaster SyncRole = 1
	SyncBackup SyncRole = 2
)

// String names the role.
func (r SyncRole) String() string {
	if r == SyncMaster {
		return "master"
	}
	return "backup"
}

// SyncDaemon is a connection synchronisation daemon of the kernel. It is comparable.
type SyncDaemon struct {
	// Role is master (sends) or backup (receives).
	Role SyncRole
	// Interface is where it sends or listens.
	Interface string
	// ID is 0..255; a backup with id 0 takes everybody's messages.
	ID uint8
	// MaxLen is the largest message in bytes, 1..65507, 0 for the interface's MTU.
	MaxLen uint16
	// Group is the multicast group, invalid for 224.0.0.81; Port 0 stands for 8848; TTL 0 for 1.
	Group netip.Addr
	Port  uint16
	TTL   uint8
}

// SyncState is what the kernel shows of connection synchronisation besides its daemons.
type SyncState struct {
	// Learned are the connections in the table that a peer told of, Own those made here. Both together are counted up to SyncCounted;
	// More says that there are others.
	Learned, Own int
	More         bool
	// Dropped is how many messages of a peer found no room since the backup daemon started; Waiting is how many bytes of them it has not
	// read yet, Unsent how many the master daemon has not sent yet.
	Dropped, Waiting, Unsent uint64
}

// SyncCounted is how many connections are looked at, at most: the kernel lists them in a time that grows with the square of their number.
const SyncCounted = 20000

// Timeouts are IPVS's connection timeouts; 0 leaves one alone.
type Timeouts struct {
	TCP, TCPFin, UDP time.Duration
}

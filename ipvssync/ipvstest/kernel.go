package ipvstest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Kernel is IPVS in memory. The zero value is not usable; see New.
type Kernel struct {
	mu        sync.Mutex
	missing   bool
	closed    bool
	services  map[ipvssync.Key]*service
	daemons   []ipvssync.SyncDaemon
	syncState ipvssync.SyncState
	timeouts  ipvssync.Timeouts
	sysctls   map[string]string
	fullnat   []ipvssync.FullNATRule
	log       []ipvssync.Op
	writes    int
	reads     int
	fail      func(ipvssync.Op) error
	list      func([]ipvssync.Service) []ipvssync.Service
}

type service struct {
	ipvssync.Service
	servers map[netip.AddrPort]*ipvssync.ServerStats
	order   []netip.AddrPort
	ipvssync.Counters
}

var _ ipvssync.Kernel = (*Kernel)(nil)

// New is an empty IPVS with the kernel's default sysctls and timeouts.
func New() *Kernel {
	return &Kernel{
		services: map[ipvssync.Key]*service{},
		timeouts: ipvssync.Timeouts{TCP: 900e9, TCPFin: 120e9, UDP: 300e9},
		sysctls: map[string]string{
			"net.ipv4.ip_forward": "0", "net.ipv6.conf.all.forwarding": "0", "net.ipv4.vs.conntrack": "0",
			"net.ipv4.vs.expire_nodest_conn": "0", "net.ipv4.vs.expire_quiescent_template": "0",
		},
	}
}

// SetMissing takes the module away or brings it back, empty.
func (k *Kernel) SetMissing(on bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.missing = on
	if on {
		clear(k.services)
		k.daemons = nil
	}
}

// FailWith asks f before every operation; an error is the operation's answer. nil ends that.
func (k *Kernel) FailWith(f func(ipvssync.Op) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail = f
}

// ListWith lets f change what Services answers, as a dump during somebody else's writes does. nil ends that.
func (k *Kernel) ListWith(f func([]ipvssync.Service) []ipvssync.Service) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = f
}

// Writes is how many writes of any kind were asked for, refused ones included.
func (k *Kernel) Writes() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.writes
}

// Reads is how many reads were asked for.
func (k *Kernel) Reads() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reads
}

// Log is every operation applied so far, and forgets it.
func (k *Kernel) Log() []ipvssync.Op {
	k.mu.Lock()
	defer k.mu.Unlock()
	log := k.log
	k.log = nil
	return log
}

// Clear is `ipvsadm -C`, by somebody else.
func (k *Kernel) Clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.services)
}

// Do is an operation by somebody else: it obeys the kernel's rules and is not counted, logged or made to fail.
func (k *Kernel) Do(op ipvssync.Op) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.do(op)
}

// SetConnections makes a server hold so many active and inactive connections.
func (k *Kernel) SetConnections(key ipvssync.Key, a netip.AddrPort, active, inactive uint32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.services[key]; s != nil && s.servers[a] != nil {
		s.servers[a].Active, s.servers[a].Inactive = active, inactive
	}
}

// Table is everything it holds, services ordered by key, servers in the order in which they were added.
func (k *Kernel) Table() []ipvssync.Service {
	k.mu.Lock()
	defer k.mu.Unlock()
	var table []ipvssync.Service
	for _, key := range slices.SortedFunc(maps.Keys(k.services), ipvssync.Key.Compare) {
		s := k.services[key]
		out := s.Service.Clone()
		for _, a := range s.order {
			out.Servers = append(out.Servers, s.servers[a].Server)
		}
		table = append(table, out)
	}
	return table
}

func (k *Kernel) ready(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case k.closed:
		return fmt.Errorf("IPVS handle is closed")
	case k.missing:
		return ipvssync.ErrNoIPVS
	}
	return nil
}

// Services implements ipvssync.Kernel.
func (k *Kernel) Services(ctx context.Context) ([]ipvssync.Service, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reads++
	if err := k.ready(ctx); err != nil {
		return nil, err
	}
	list := make([]ipvssync.Service, 0, len(k.services))
	for _, s := range k.services {
		list = append(list, s.Service)
	}
	if k.list != nil {
		list = k.list(list)
	}
	return list, nil
}

// Service implements ipvssync.Kernel.
func (k *Kernel) Service(ctx context.Context, key ipvssync.Key) (ipvssync.Service, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reads++
	if err := k.ready(ctx); err != nil {
		return ipvssync.Service{}, false, err
	}
	if s := k.services[key]; s != nil {
		return s.Service, true, nil
	}
	return ipvssync.Service{}, false, nil
}

// Servers implements ipvssync.Kernel.
func (k *Kernel) Servers(ctx context.Context, key ipvssync.Key) ([]ipvssync.ServerState, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reads++
	if err := k.ready(ctx); err != nil {
		return nil, err
	}
	s := k.services[key]
	if s == nil {
		return nil, nil
	}
	list := make([]ipvssync.ServerState, 0, len(s.order))
	for _, a := range s.order {
		list = append(list, s.servers[a].ServerState)
	}
	return list, nil
}

// Stats implements ipvssync.Kernel.
func (k *Kernel) Stats(ctx context.Context, key ipvssync.Key) (ipvssync.ServiceStats, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reads++
	if err := k.ready(ctx); err != nil {
		return ipvssync.ServiceStats{}, err
	}
	s := k.services[key]
	if s == nil {
		return ipvssync.ServiceStats{}, fmt.Errorf("service %s: %w", key, ipvssync.ErrNotFound)
	}
	st := ipvssync.ServiceStats{Key: key, Counters: s.Counters}
	for _, a := range s.order {
		st.Servers = append(st.Servers, *s.servers[a])
	}
	return st, nil
}

// Apply implements ipvssync.Kernel.
func (k *Kernel) Apply(ctx context.Context, op ipvssync.Op) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writes++
	if err := k.ready(ctx); err != nil {
		return err
	}
	if k.fail != nil {
		if err := k.fail(op); err != nil {
			return err
		}
	}
	if err := k.do(op); err != nil {
		return err
	}
	k.log = append(k.log, op)
	return nil
}

func (k *Kernel) do(op ipvssync.Op) error {
	if err := op.Validate(); err != nil {
		return err
	}
	key := op.Service.Key
	s := k.services[key]
	if op.Kind == ipvssync.AddService {
		if s != nil {
			return fmt.Errorf("%s: %w", op, ipvssync.ErrExists)
		}
		k.services[key] = &service{Service: stored(op.Service), servers: map[netip.AddrPort]*ipvssync.ServerStats{}}
		return nil
	}
	if s == nil {
		return fmt.Errorf("%s: %w", op, ipvssync.ErrNotFound)
	}
	a := op.Server.Addr
	switch op.Kind {
	case ipvssync.UpdateService:
		s.Service = stored(op.Service)
		return nil
	case ipvssync.DeleteService:
		delete(k.services, key)
		return nil
	case ipvssync.AddServer:
		if s.servers[a] != nil {
			return fmt.Errorf("%s: %w", op, ipvssync.ErrExists)
		}
		if ipvssync.FamilyOf(a.Addr()) != key.Family && len(k.daemons) > 0 {
			return fmt.Errorf("%s: mixed families and a sync daemon: %w", op, ipvssync.ErrRefused)
		}
		s.servers[a] = &ipvssync.ServerStats{ServerState: ipvssync.ServerState{Server: storedServer(op.Server)}}
		s.order = append(s.order, a)
		return nil
	}
	if s.servers[a] == nil {
		return fmt.Errorf("%s: %w", op, ipvssync.ErrNotFound)
	}
	if op.Kind == ipvssync.DeleteServer {
		delete(s.servers, a)
		s.order = slices.DeleteFunc(s.order, func(o netip.AddrPort) bool { return o == a })
		return nil
	}
	s.servers[a].Server = storedServer(op.Server)
	return nil
}

// stored is what the kernel keeps of a service: no local addresses, a full mask.
func stored(s ipvssync.Service) ipvssync.Service {
	s.Servers, s.LocalAddrs, s.FullNAT = nil, nil, false
	if s.Mask == 0 {
		s.Mask = uint8(s.Family.Bits())
	}
	return s
}

// storedServer is what the kernel keeps of a server: FULLNAT is NAT to it.
func storedServer(s ipvssync.Server) ipvssync.Server {
	if s.Forward == ipvssync.FULLNAT {
		s.Forward = ipvssync.NAT
	}
	return s
}

// FullNAT implements ipvssync.Kernel.
func (k *Kernel) FullNAT(ctx context.Context, rules []ipvssync.FullNATRule) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if slices.EqualFunc(k.fullnat, rules, ipvssync.FullNATRule.Equal) {
		return false, nil
	}
	k.writes++
	k.fullnat = slices.Clone(rules)
	return true, nil
}

// FullNATTable is what the nftables table holds.
func (k *Kernel) FullNATTable() []ipvssync.FullNATRule {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.fullnat)
}

// FlushRuleset is `nft flush ruleset`, by somebody else.
func (k *Kernel) FlushRuleset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fullnat = nil
}

// SyncDaemons implements ipvssync.Kernel.
func (k *Kernel) SyncDaemons(ctx context.Context) ([]ipvssync.SyncDaemon, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ready(ctx); err != nil {
		return nil, err
	}
	return slices.SortedFunc(slices.Values(k.daemons), func(a, b ipvssync.SyncDaemon) int { return cmp.Compare(a.Role, b.Role) }), nil
}

// StartSync implements ipvssync.Kernel.
func (k *Kernel) StartSync(ctx context.Context, d ipvssync.SyncDaemon) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writes++
	if err := k.ready(ctx); err != nil {
		return err
	}
	if slices.ContainsFunc(k.daemons, func(o ipvssync.SyncDaemon) bool { return o.Role == d.Role }) {
		return fmt.Errorf("start the %s sync daemon: %w", d.Role, ipvssync.ErrExists)
	}
	k.daemons = append(k.daemons, d.WithDefaults())
	return nil
}

// StopSync implements ipvssync.Kernel.
func (k *Kernel) StopSync(ctx context.Context, d ipvssync.SyncDaemon) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writes++
	if err := k.ready(ctx); err != nil {
		return err
	}
	n := len(k.daemons)
	k.daemons = slices.DeleteFunc(k.daemons, func(o ipvssync.SyncDaemon) bool { return o.Role == d.Role })
	if len(k.daemons) == n {
		return fmt.Errorf("stop the %s sync daemon: %w", d.Role, ipvssync.ErrNotFound)
	}
	return nil
}

// SyncState implements ipvssync.Kernel.
func (k *Kernel) SyncState(ctx context.Context) (ipvssync.SyncState, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.syncState, k.ready(ctx)
}

// SetSyncState is what SyncState answers.
func (k *Kernel) SetSyncState(s ipvssync.SyncState) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.syncState = s
}

// Timeouts implements ipvssync.Kernel.
func (k *Kernel) Timeouts(ctx context.Context) (ipvssync.Timeouts, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.timeouts, k.ready(ctx)
}

// SetTimeouts implements ipvssync.Kernel.
func (k *Kernel) SetTimeouts(ctx context.Context, t ipvssync.Timeouts) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writes++
	if err := k.ready(ctx); err != nil {
		return err
	}
	k.timeouts.TCP = cmp.Or(t.TCP, k.timeouts.TCP)
	k.timeouts.TCPFin = cmp.Or(t.TCPFin, k.timeouts.TCPFin)
	k.timeouts.UDP = cmp.Or(t.UDP, k.timeouts.UDP)
	return nil
}

// Provide makes a setting that the kernel has.
func (k *Kernel) Provide(name, value string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sysctls[name] = value
}

// Holder implements ipvssync.Kernel: every address is on eth1.
func (k *Kernel) Holder(netip.Addr) (string, error) { return "eth1", nil }

// Outgoing implements ipvssync.Kernel: everything leaves by eth0.
func (k *Kernel) Outgoing(netip.Addr) (string, error) { return "eth0", nil }

// Sysctl implements ipvssync.Kernel.
func (k *Kernel) Sysctl(name string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.sysctls[name]
	if !ok {
		return "", fmt.Errorf("sysctl %s: %w", name, ipvssync.ErrNotFound)
	}
	return v, nil
}

// SetSysctl implements ipvssync.Kernel.
func (k *Kernel) SetSysctl(name, value string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writes++
	if _, ok := k.sysctls[name]; !ok {
		return fmt.Errorf("sysctl %s: %w", name, ipvssync.ErrNotFound)
	}
	k.sysctls[name] = value
	return nil
}

// Close implements ipvssync.Kernel.
func (k *Kernel) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	return nil
}

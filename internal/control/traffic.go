package control

import (
	"net/netip"
	"time"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// IPVS is about the kernel's tables.
type IPVS struct {
	// Services and Servers are how many are wanted, Foreign the services of other owners.
	Services int `json:"services"`
	Servers  int `json:"servers"`
	Foreign  int `json:"foreign"`
	// Writes and Repairs count since the balancer started.
	Writes  uint64 `json:"writes"`
	Repairs uint64 `json:"repairs"`
	// LastCheck is when the tables were last read back, LastRound when every server had been looked at.
	LastCheck time.Time `json:"last_check,omitzero"`
	LastRound time.Time `json:"last_round,omitzero"`
	// Overrides are weights set by hand in the kernel, Contended services that somebody else keeps changing, Problems what it refuses.
	Overrides map[string]int `json:"overrides,omitempty"`
	Contended []string       `json:"contended,omitempty"`
	Problems  []string       `json:"problems,omitempty"`
	// Sync is about connection synchronisation; nil where none is configured.
	Sync *Sync `json:"sync,omitempty"`
}

// Sync is about the synchronisation of connections with the peer.
type Sync struct {
	// Daemons are those that run in the kernel.
	Daemons []SyncDaemon `json:"daemons"`
	// Counted says that the kernel told what follows.
	Counted bool `json:"counted"`
	// Learned are connections that a peer told of, Own those made here; More that there are others, which were not counted.
	Learned int  `json:"connections_learned"`
	Own     int  `json:"connections_own"`
	More    bool `json:"more,omitempty"`
	// Dropped are messages of a peer that found no room; Waiting and Unsent are bytes not read and not sent yet.
	Dropped uint64 `json:"messages_dropped"`
	Waiting uint64 `json:"bytes_waiting"`
	Unsent  uint64 `json:"bytes_unsent"`
}

// SyncDaemon is one daemon of the kernel.
type SyncDaemon struct {
	Role      string `json:"role"`
	Interface string `json:"interface"`
	ID        int    `json:"id"`
	Group     string `json:"group"`
	Port      int    `json:"port"`
	MaxLen    int    `json:"maxlen,omitempty"`
	TTL       int    `json:"ttl"`
}

// FromSync is the synchronisation as the kernel shows it; nil without daemons.
func FromSync(daemons []ipvssync.SyncDaemon, s ipvssync.SyncState, counted bool) *Sync {
	if len(daemons) == 0 {
		return nil
	}
	out := &Sync{Counted: counted, Learned: s.Learned, Own: s.Own, More: s.More, Dropped: s.Dropped, Waiting: s.Waiting, Unsent: s.Unsent}
	for _, d := range daemons {
		d = d.WithDefaults()
		out.Daemons = append(out.Daemons, SyncDaemon{Role: d.Role.String(), Interface: d.Interface, ID: int(d.ID), Group: d.Group.String(), Port: int(d.Port),
			MaxLen: int(d.MaxLen), TTL: int(d.TTL)})
	}
	return out
}

// Traffic are the kernel's counters of a virtual or real server, over all its services.
type Traffic struct {
	Active      uint32 `json:"active_connections"`
	Inactive    uint32 `json:"inactive_connections"`
	Persistent  uint32 `json:"persistent_connections"` // templates of persistence: clients, not connections
	Connections uint64 `json:"connections"`
	InPackets   uint64 `json:"in_packets"`
	OutPackets  uint64 `json:"out_packets"`
	InBytes     uint64 `json:"in_bytes"`
	OutBytes    uint64 `json:"out_bytes"`
	// Rates of the kernel, per second.
	ConnectionRate uint64 `json:"connection_rate"`
	InPacketRate   uint64 `json:"in_packet_rate"`
	OutPacketRate  uint64 `json:"out_packet_rate"`
	InByteRate     uint64 `json:"in_byte_rate"`
	OutByteRate    uint64 `json:"out_byte_rate"`
}

func (t *Traffic) add(c ipvssync.Counters) {
	t.Connections += c.Connections
	t.InPackets += c.InPackets
	t.OutPackets += c.OutPackets
	t.InBytes += c.InBytes
	t.OutBytes += c.OutBytes
	t.ConnectionRate += c.CPS
	t.InPacketRate += c.InPacketRate
	t.OutPacketRate += c.OutPacketRate
	t.InByteRate += c.InByteRate
	t.OutByteRate += c.OutByteRate
}

// AddTraffic fills in the counters of a virtual server from those of its services, by key. Servers of port 0 have the service's port.
func (v *VirtualServer) AddTraffic(spec ipvssync.VirtualServer, stats map[ipvssync.Key]ipvssync.ServiceStats) {
	addr := map[string]netip.AddrPort{}
	for _, rs := range spec.Servers {
		addr[rs.ID] = rs.Addr
	}
	for _, k := range spec.Keys {
		s, ok := stats[k]
		if !ok {
			continue
		}
		if v.Traffic == nil {
			v.Traffic = &Traffic{}
		}
		v.Traffic.add(s.Counters)
		for _, d := range s.Servers {
			v.Traffic.Active += d.Active
			v.Traffic.Inactive += d.Inactive
			v.Traffic.Persistent += d.Persistent
			for i := range v.Servers {
				r := &v.Servers[i]
				a := addr[r.ID]
				if a.Addr().Unmap() != d.Addr.Addr() || a.Port() != 0 && a.Port() != d.Addr.Port() && d.Addr.Port() != k.Port {
					continue
				}
				if r.Traffic == nil {
					r.Traffic = &Traffic{}
				}
				r.Traffic.Active += d.Active
				r.Traffic.Inactive += d.Inactive
				r.Traffic.Persistent += d.Persistent
				r.Traffic.add(d.Counters)
				break
			}
		}
	}
}

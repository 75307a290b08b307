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
	// SyncDaemons are the connection synchronisation daemons that run.
	SyncDaemons []string `json:"sync_daemons,omitempty"`
}

// Traffic are the kernel's counters of a virtual or real server, over all its services.
type Traffic struct {
	Active      uint32 `json:"active_connections"`
	Inactive    uint32 `json:"inactive_connections"`
	Connections uint64 `json:"connections"`
	InPackets   uint64 `json:"in_packets"`
	OutPackets  uint64 `json:"out_packets"`
	InBytes     uint64 `json:"in_bytes"`
	OutBytes    uint64 `json:"out_bytes"`
	// Rates of the kernel, per second.
	ConnectionRate uint64 `json:"connection_rate"`
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
				r.Traffic.add(d.Counters)
				break
			}
		}
	}
}

package assemble

import (
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// SyncDaemons are the connection synchronisation daemons that should run, as lvs_sync_daemon asks: with an instance named, one in the role
// of that instance (isMaster tells it), otherwise both.
func SyncDaemons(m *config.Model, isMaster func(instance string) bool) []ipvssync.SyncDaemon {
	s := LVSSync(m)
	if s.Interface == "" {
		return nil
	}
	d := ipvssync.SyncDaemon{Interface: s.Interface, MaxLen: uint16(s.MaxLen), Group: s.Group, Port: s.Port, TTL: uint8(s.TTL)}
	switch in := m.Instance(s.Instance); {
	case s.ID >= 0:
		d.ID = uint8(s.ID)
	case in != nil:
		d.ID = uint8(in.VRID)
	}
	master, backup := d, d
	master.Role, backup.Role = ipvssync.SyncMaster, ipvssync.SyncBackup
	switch {
	case s.Instance == "":
		return []ipvssync.SyncDaemon{master, backup}
	case isMaster(s.Instance):
		return []ipvssync.SyncDaemon{master}
	}
	return []ipvssync.SyncDaemon{backup}
}

// LVSSync is lvs_sync_daemon, or what an instance's lvs_sync_daemon_interface (keepalived's older form) means: a daemon that follows it. The zero
// Interface is none.
func LVSSync(m *config.Model) config.LVSSyncDaemon {
	if m.Global.LVSSync.Interface != "" {
		return m.Global.LVSSync
	}
	for i := range m.Instances {
		if in := &m.Instances[i]; in.LVSSyncInterface != "" {
			return config.LVSSyncDaemon{Interface: in.LVSSyncInterface, Instance: in.Name, ID: -1}
		}
	}
	return config.LVSSyncDaemon{}
}

// Timeouts are IPVS's connection timeouts, 0 where the kernel's stay.
func Timeouts(m *config.Model) ipvssync.Timeouts {
	return ipvssync.Timeouts{TCP: m.Global.LVSTimeoutTCP, TCPFin: m.Global.LVSTimeoutTCPFin, UDP: m.Global.LVSTimeoutUDP}
}

// IPVSSysctls are the kernel settings that the configuration asks for besides those of FULLNAT.
func IPVSSysctls(m *config.Model) map[string]string {
	if !m.Global.ManageIPVSSysctls {
		return nil
	}
	return map[string]string{"net.ipv4.vs.expire_nodest_conn": "1", "net.ipv4.vs.expire_quiescent_template": "1"}
}

// MasterOnly names the instance for each virtual server that is balanced only while that instance is MASTER (ipvs_when).
func MasterOnly(m *config.Model) map[string]string {
	only := map[string]string{}
	eachVirtualServer(m, func(id string, vs *config.VirtualServer) {
		if vs.MasterOf != "" {
			only[id] = vs.MasterOf
		}
	})
	return only
}

package metrics

import (
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/holdfast-ha/holdfast/internal/control"
)

// Write writes everything there is to tell.
func Write(out io.Writer, s control.Status) error {
	w := newWriter(out)
	daemon(w, s)
	vrrp(w, s.Instances)
	tracked(w, s.Tracked)
	virtualServers(w, s.VirtualServers)
	realServers(w, s.VirtualServers)
	traffic(w, s.VirtualServers)
	checks(w, s.VirtualServers)
	checksAtAll(w, s.Checks)
	return w.out.Flush()
}

// Down writes what there is to tell of a daemon that does not answer.
func Down(out io.Writer) error {
	w := newWriter(out)
	up(w, false)
	return w.out.Flush()
}

func up(w *writer, isUp bool) {
	w.begin("holdfast_up", "1 if the daemon answered.")
	w.series(yes(isUp))
}

func daemon(w *writer, s control.Status) {
	up(w, true)
	w.begin("holdfast_info", "The version that runs.")
	w.series(1, "version", s.Version)
	w.begin("holdfast_ready", "1 if this director could serve: IPVS filled, every check ran once.")
	w.series(yes(s.Ready))
	w.begin("holdfast_config_generation", "Number of the configuration in force.")
	w.series(float64(s.Config.Generation))
	w.begin("holdfast_config_loaded_timestamp_seconds", "When the configuration in force was loaded.")
	w.series(stamp(s.Config.Loaded))
	w.begin("holdfast_config_last_reload_successful", "0 if the last reload was refused: the file and what runs differ.")
	w.series(yes(s.Config.Rejected == ""))
	w.begin("holdfast_config_warnings", "Warnings about the configuration in force.")
	w.series(float64(s.Config.Warnings))
	w.begin("holdfast_config_problems", "Parts of the configuration that wait for something, for instance an interface.")
	w.series(float64(len(s.Config.Problems)))
	w.begin("holdfast_ipvs_in_sync", "1 if the kernel's IPVS table holds what it should, as of the last look.")
	w.series(yes(s.IPVS == ""))
	syncs(w, s.Kernel)
	w.begin("holdfast_log_lines_lost_total", "Log lines that found no room or that the log refused.")
	w.series(float64(s.LogLinesLost))

	w.begin("holdfast_router_up", "1 if the router process answers.")
	w.series(yes(!s.Router.Away))
	w.begin("holdfast_router_lateness_max_seconds", "How late VRRP timers fired at most since the last look.")
	w.series(float64(s.Router.LatenessMaxMicros) / 1e6)
	w.begin("holdfast_router_lateness_p99_seconds", "99th percentile of how late VRRP timers fired since the last look.")
	w.series(float64(s.Router.LatenessP99Micros) / 1e6)
	w.histogram("holdfast_router_lateness_seconds", "How late VRRP timers fired.", s.Router.Lateness)
	w.begin("holdfast_router_balancer_restarts_total", "How often the router had to start the balancer again.")
	w.series(float64(s.Router.BalancerRestarts))
	w.begin("holdfast_router_unknown_adverts_total", "Advertisements for no instance here, by reason.")
	for _, reason := range slices.Sorted(maps.Keys(s.Router.UnknownAdverts)) {
		w.series(float64(s.Router.UnknownAdverts[reason]), "reason", reason)
	}
}

// syncs is about the synchronisation of connections.
func syncs(w *writer, k *control.IPVS) {
	var s control.Sync
	if k != nil && k.Sync != nil {
		s = *k.Sync
	}
	w.begin("holdfast_sync_daemon", "1 for each daemon of the kernel that synchronises connections.")
	for _, d := range s.Daemons {
		w.series(1, "role", d.Role, "interface", d.Interface, "id", strconv.Itoa(d.ID))
	}
	each := func(name, help string, value uint64) {
		w.begin(name, help)
		if s.Counted {
			w.series(float64(value))
		}
	}
	w.begin("holdfast_sync_connections", "Connections in the kernel by origin: learned from a peer, or own. The first 20000 are counted.")
	if s.Counted {
		w.series(float64(s.Learned), "origin", "learned")
		w.series(float64(s.Own), "origin", "own")
	}
	each("holdfast_sync_messages_dropped_total", "Messages of a peer that found no room since the backup daemon started.", s.Dropped)
	each("holdfast_sync_waiting_bytes", "Messages of a peer that the backup daemon has not read yet.", s.Waiting)
	each("holdfast_sync_unsent_bytes", "Messages that the master daemon has not sent yet.", s.Unsent)
}

// states are keepalived's numbers for states, which its exporters use as well.
var states = map[string]float64{"INIT": 0, "BACKUP": 1, "MASTER": 2, "FAULT": 3}

func vrrp(w *writer, all []control.Instance) {
	labels := make([][]string, len(all))
	for i, in := range all {
		labels[i] = []string{"vrrp_instance", in.Name, "interface", in.Interface, "family", strconv.Itoa(in.Family), "vrid", strconv.Itoa(in.VRID)}
	}
	each := func(name, help string, value func(in control.Instance) float64) {
		w.begin(name, help)
		for i, in := range all {
			w.series(value(in), labels[i]...)
		}
	}
	each("holdfast_vrrp_state", "0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT.", func(in control.Instance) float64 { return states[in.State] })
	each("holdfast_vrrp_state_since_timestamp_seconds", "When the instance entered its state.", func(in control.Instance) float64 { return stamp(in.Since) })
	each("holdfast_vrrp_priority", "Effective priority.", func(in control.Instance) float64 { return float64(in.Priority) })
	each("holdfast_vrrp_base_priority", "Configured priority.", func(in control.Instance) float64 { return float64(in.BasePriority) })
	each("holdfast_vrrp_addresses", "Addresses configured, held while MASTER.", func(in control.Instance) float64 { return float64(len(in.Addresses)) })
	each("holdfast_vrrp_addresses_denied", "Addresses that the kernel refused to set when this director last was MASTER.", func(in control.Instance) float64 { return float64(len(in.Denied)) })
	each("holdfast_vrrp_split_brain", "1 while this director is MASTER and hears another MASTER that does not yield, or refuses its adverts.", func(in control.Instance) float64 {
		if in.SplitBrain != "" {
			return 1
		}
		return 0
	})
	each("holdfast_vrrp_adverts_received_total", "Advertisements received.", func(in control.Instance) float64 { return float64(in.Counters.AdvertsReceived) })
	each("holdfast_vrrp_adverts_sent_total", "Advertisements sent.", func(in control.Instance) float64 { return float64(in.Counters.AdvertsSent) })
	each("holdfast_vrrp_became_master_total", "Transitions to MASTER.", func(in control.Instance) float64 { return float64(in.Counters.BecameMaster) })
	each("holdfast_vrrp_released_master_total", "Transitions from MASTER.", func(in control.Instance) float64 { return float64(in.Counters.ReleasedMaster) })
	each("holdfast_vrrp_priority_zero_sent_total", "Advertisements of priority 0 sent.", func(in control.Instance) float64 { return float64(in.Counters.PriorityZeroSent) })
	each("holdfast_vrrp_priority_zero_received_total", "Advertisements of priority 0 received.", func(in control.Instance) float64 { return float64(in.Counters.PriorityZeroReceived) })
	w.begin("holdfast_vrrp_adverts_refused_total", "Advertisements refused, by reason.")
	for i, in := range all {
		for _, reason := range slices.Sorted(maps.Keys(in.Counters.Refused)) {
			w.series(float64(in.Counters.Refused[reason]), append(labels[i], "reason", reason)...)
		}
	}
}

func tracked(w *writer, all []control.Tracked) {
	w.begin("holdfast_track_ok", "1 if a tracked script or process is good; absent before the first result.")
	for _, t := range all {
		if t.Known {
			w.series(yes(t.OK), "track", t.ID)
		}
	}
	w.begin("holdfast_track_value", "The number in a tracked file.")
	for _, t := range all {
		w.series(float64(t.Value), "track", t.ID)
	}
}

func virtualServers(w *writer, all []control.VirtualServer) {
	each := func(name, help string, value func(v control.VirtualServer) float64) {
		w.begin(name, help)
		for _, v := range all {
			w.series(value(v), "virtual_server", v.ID)
		}
	}
	each("holdfast_virtual_server_quorum", "1 if the quorum is held.", func(v control.VirtualServer) float64 { return yes(v.Quorum) })
	each("holdfast_virtual_server_weight_up", "Sum of the weights of the real servers that are up.", func(v control.VirtualServer) float64 { return float64(v.Weight) })
	each("holdfast_virtual_server_sorry", "1 while the sorry server serves.", func(v control.VirtualServer) float64 { return yes(v.Sorry) })
	each("holdfast_virtual_server_panic", "1 while so many real servers failed that the checks are not believed.", func(v control.VirtualServer) float64 { return yes(v.Panic) })
	each("holdfast_virtual_server_real_servers", "Real servers configured.", func(v control.VirtualServer) float64 { return float64(len(v.Servers)) })
	each("holdfast_virtual_server_real_servers_up", "Real servers up.", func(v control.VirtualServer) float64 {
		n := 0
		for _, s := range v.Servers {
			if s.Up {
				n++
			}
		}
		return float64(n)
	})
}

func realServers(w *writer, all []control.VirtualServer) {
	each := func(name, help string, value func(s control.RealServer) float64) {
		w.begin(name, help)
		for _, v := range all {
			for _, s := range v.Servers {
				w.series(value(s), "virtual_server", v.ID, "real_server", s.ID)
			}
		}
	}
	each("holdfast_real_server_up", "1 if all its checks pass.", func(s control.RealServer) float64 { return yes(s.Up) })
	each("holdfast_real_server_in_table", "1 if it is wanted in the kernel's table.", func(s control.RealServer) float64 { return yes(s.InTable) })
	each("holdfast_real_server_weight", "Its weight now.", func(s control.RealServer) float64 { return float64(s.Weight) })
	each("holdfast_real_server_configured_weight", "Its weight in the configuration.", func(s control.RealServer) float64 { return float64(s.Configured) })
	each("holdfast_real_server_drained", "1 while it is out of the table because somebody drained it.", func(s control.RealServer) float64 { return yes(s.Drained) })
	each("holdfast_real_server_draining", "1 while it gets no new connections.", func(s control.RealServer) float64 { return yes(s.Draining) })
}

func traffic(w *writer, all []control.VirtualServer) {
	families := []struct {
		name, help string
		value      func(t *control.Traffic) float64
	}{
		{"connections_active", "Established connections in the kernel.", func(t *control.Traffic) float64 { return float64(t.Active) }},
		{"connections_inactive", "Other connections in the kernel.", func(t *control.Traffic) float64 { return float64(t.Inactive) }},
		{"connections_persistent", "Clients that the kernel keeps with their server (persistence).", func(t *control.Traffic) float64 { return float64(t.Persistent) }},
		{"connections_per_second", "The kernel's rate of new connections.", func(t *control.Traffic) float64 { return float64(t.ConnectionRate) }},
		{"in_packets_per_second", "The kernel's rate of packets from clients.", func(t *control.Traffic) float64 { return float64(t.InPacketRate) }},
		{"out_packets_per_second", "The kernel's rate of packets to clients (NAT only).", func(t *control.Traffic) float64 { return float64(t.OutPacketRate) }},
		{"in_bytes_per_second", "The kernel's rate of bytes from clients.", func(t *control.Traffic) float64 { return float64(t.InByteRate) }},
		{"out_bytes_per_second", "The kernel's rate of bytes to clients (NAT only).", func(t *control.Traffic) float64 { return float64(t.OutByteRate) }},
		{"connections_total", "Connections since the kernel made the entry.", func(t *control.Traffic) float64 { return float64(t.Connections) }},
		{"in_packets_total", "Packets from clients.", func(t *control.Traffic) float64 { return float64(t.InPackets) }},
		{"out_packets_total", "Packets to clients (NAT only: with DR and TUN they do not pass here).", func(t *control.Traffic) float64 { return float64(t.OutPackets) }},
		{"in_bytes_total", "Bytes from clients.", func(t *control.Traffic) float64 { return float64(t.InBytes) }},
		{"out_bytes_total", "Bytes to clients (NAT only).", func(t *control.Traffic) float64 { return float64(t.OutBytes) }},
	}
	for _, f := range families {
		w.begin("holdfast_virtual_server_"+f.name, f.help)
		for _, v := range all {
			if v.Traffic != nil {
				w.series(f.value(v.Traffic), "virtual_server", v.ID)
			}
		}
		w.begin("holdfast_real_server_"+f.name, f.help)
		for _, v := range all {
			for _, s := range v.Servers {
				if s.Traffic != nil {
					w.series(f.value(s.Traffic), "virtual_server", v.ID, "real_server", s.ID)
				}
			}
		}
	}
}

func checks(w *writer, all []control.VirtualServer) {
	each := func(name, help string, value func(c control.Check) float64) {
		w.begin(name, help)
		for _, v := range all {
			for _, s := range v.Servers {
				for i, c := range s.Checks {
					w.series(value(c), "virtual_server", v.ID, "real_server", s.ID, "check", checkName(s.Checks, i), "target", c.Target)
				}
			}
		}
	}
	each("holdfast_check_up", "1 if the check's verdict is up.", func(c control.Check) float64 { return yes(c.Up) })
	each("holdfast_check_passed_total", "Attempts that passed.", func(c control.Check) float64 { return float64(c.Passed) })
	each("holdfast_check_failed_total", "Attempts that failed.", func(c control.Check) float64 { return float64(c.Failed) })
	each("holdfast_check_latency_seconds", "How long the last attempt took.", func(c control.Check) float64 { return float64(c.Micros) / 1e6 })
}

// checksAtAll is about the checks as a whole.
func checksAtAll(w *writer, c *control.Checks) {
	if c == nil {
		return
	}
	one := func(name, help string, value float64) {
		w.begin(name, help)
		w.series(value)
	}
	one("holdfast_checks", "Checks configured.", float64(c.Configured))
	one("holdfast_checks_probes", "Probes that serve them: equal checks share one.", float64(c.Probes))
	one("holdfast_checks_in_flight", "Attempts under way.", float64(c.InFlight))
	one("holdfast_checks_waiting", "Attempts that are due and wait for a free place.", float64(c.Waiting))
	one("holdfast_checks_local_fault", "1 while every check fails on this director's own side.", yes(c.LocalFault))
	one("holdfast_checks_panics_total", "Faults in a check's own code, contained.", float64(c.Panics))
	w.histogram("holdfast_checks_lateness_seconds", "How much later than due attempts started.", c.Lateness)
	one("holdfast_checks_lateness_max_seconds", "How much later than due an attempt started at most.", c.Lateness.MaxSeconds)
	w.begin("holdfast_checks_attempts_total", "Attempts by kind of check and by how they ended; ok is a pass.")
	for _, a := range c.Attempts {
		w.series(float64(a.Count), "check", a.Kind, "reason", a.Reason)
	}
}

// checkName tells the checks of a server apart: the kind, numbered from the second of a kind on.
func checkName(all []control.Check, i int) string {
	n := 1
	for _, c := range all[:i] {
		if c.Kind == all[i].Kind {
			n++
		}
	}
	if n == 1 {
		return all[i].Kind
	}
	return all[i].Kind + " #" + strconv.Itoa(n)
}

package control

import (
	"fmt"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// Status is everything the daemon tells of itself. Its JSON is what "holdfast status -o json" prints.
type Status struct {
	Version string `json:"version"`
	Config  Config `json:"config"`
	Router  Router `json:"router"`
	// Ready: this director could serve; NotReady says what is missing.
	Ready    bool   `json:"ready"`
	NotReady string `json:"not_ready,omitempty"`
	// IPVS is what the last reconcile said: "" when the kernel holds what it should.
	IPVS string `json:"ipvs_error,omitempty"`
	// Kernel is about the tables in the kernel; nil without virtual servers.
	Kernel         *IPVS           `json:"ipvs,omitempty"`
	Instances      []Instance      `json:"instances"`
	VirtualServers []VirtualServer `json:"virtual_servers"`
	// Checks is about the checks as a whole; nil without any.
	Checks  *Checks       `json:"checks,omitempty"`
	Tracked []Tracked     `json:"tracked,omitempty"`
	Events  []event.Event `json:"events,omitempty"`
	// LogLinesLost is how many log lines of the balancer found no room.
	LogLinesLost uint64 `json:"log_lines_lost,omitempty"`
	// LogError is why the log took the last of them not; "" when it only was too slow.
	LogError string `json:"log_error,omitempty"`
}

// Config is about the configuration in force.
type Config struct {
	File       string    `json:"file"`
	Generation uint64    `json:"generation"`
	Loaded     time.Time `json:"loaded"`
	// Rejected is why the last reload was refused, "" when it was not.
	Rejected   string    `json:"rejected,omitempty"`
	RejectedAt time.Time `json:"rejected_at,omitzero"`
	// Warnings count the diagnostics of the configuration in force.
	Warnings int `json:"warnings,omitempty"`
	// Problems are parts that wait for something.
	Problems []string `json:"problems,omitempty"`
}

// Router is about the router process.
type Router struct {
	PID               int               `json:"pid,omitempty"`
	Away              bool              `json:"away,omitempty"`
	LatenessMaxMicros int64             `json:"lateness_max_us"`
	LatenessP99Micros int64             `json:"lateness_p99_us"`
	Lateness          Lateness          `json:"lateness"`
	BalancerRestarts  uint64            `json:"balancer_restarts"`
	UnknownAdverts    map[string]uint64 `json:"unknown_adverts,omitempty"`
	// Foreign are virtual routers heard on the segments that no instance here belongs to.
	Foreign []Foreign `json:"foreign,omitempty"`
	Adopted bool      `json:"adopted,omitempty"`
}

// Foreign is a virtual router of somebody else.
type Foreign struct {
	Interface string    `json:"interface"`
	Family    int       `json:"family"`
	VRID      int       `json:"vrid"`
	Version   int       `json:"version"`
	Master    string    `json:"master"`
	Priority  int       `json:"priority"`
	Last      time.Time `json:"last"`
	Count     uint64    `json:"count"`
}

// Instance is one VRRP instance.
type Instance struct {
	Name           string    `json:"name"`
	Interface      string    `json:"interface"`
	Family         int       `json:"family"`
	VRID           int       `json:"vrid"`
	State          string    `json:"state"`
	Since          time.Time `json:"since"`
	Reason         string    `json:"reason,omitempty"`
	Priority       int       `json:"priority"`
	BasePriority   int       `json:"base_priority"`
	Master         string    `json:"master,omitempty"`
	MasterPriority int       `json:"master_priority,omitempty"`
	Group          string    `json:"sync_group,omitempty"`
	Faults         []string  `json:"faults,omitempty"`
	Addresses      []string  `json:"addresses"`
	// Denied are those addresses that the kernel refused when this director last was MASTER, with the reasons.
	Denied []Denied `json:"addresses_denied,omitempty"`
	// SplitBrain says who else is MASTER, while this director is; "" for nobody.
	SplitBrain string   `json:"split_brain,omitempty"`
	Counters   Counters `json:"counters"`
}

// Denied is an address that the kernel does not set.
type Denied struct {
	Address   string `json:"address"`
	Interface string `json:"interface"`
	Reason    string `json:"reason"`
}

// Counters are the counters of an instance.
type Counters struct {
	AdvertsReceived      uint64            `json:"adverts_received"`
	AdvertsSent          uint64            `json:"adverts_sent"`
	BecameMaster         uint64            `json:"became_master"`
	ReleasedMaster       uint64            `json:"released_master"`
	PriorityZeroSent     uint64            `json:"priority_zero_sent"`
	PriorityZeroReceived uint64            `json:"priority_zero_received"`
	Refused              map[string]uint64 `json:"refused,omitempty"`
}

// VirtualServer is one pool.
type VirtualServer struct {
	ID        string       `json:"id"`
	Services  []string     `json:"services"`
	Scheduler string       `json:"scheduler"`
	Quorum    bool         `json:"quorum"`
	Weight    int          `json:"weight_up"`
	Sorry     bool         `json:"sorry_server,omitempty"`
	Panic     bool         `json:"panic,omitempty"`
	Suspended bool         `json:"suspended,omitempty"`
	Servers   []RealServer `json:"real_servers"`
	// Traffic is what the kernel counts; nil when it did not answer in time.
	Traffic *Traffic `json:"traffic,omitempty"`
}

// RealServer is one server of a pool.
type RealServer struct {
	ID         string `json:"id"`
	Forward    string `json:"forward"`
	Up         bool   `json:"up"`
	InTable    bool   `json:"in_table"`
	Weight     int    `json:"weight"`
	Configured int    `json:"configured_weight"`
	Draining   bool   `json:"draining,omitempty"`
	Drained    bool   `json:"drained,omitempty"`
	Leaving    bool   `json:"leaving,omitempty"`
	DrainedBy  string `json:"drained_by,omitempty"`
	DrainWhy   string `json:"drain_why,omitempty"`
	// DrainSince is when it was asked for; DrainUntil when the server leaves with what connections it has, zero for never.
	DrainSince  time.Time `json:"drain_since,omitzero"`
	DrainUntil  time.Time `json:"drain_until,omitzero"`
	Override    *int      `json:"weight_override,omitempty"`
	Connections int       `json:"connections"`
	Checks      []Check   `json:"checks,omitempty"`
	// Traffic is what the kernel counts; nil while the server is not in the table.
	Traffic *Traffic `json:"traffic,omitempty"`
}

// Check is one check of a server.
type Check struct {
	Kind     string    `json:"kind"`
	Target   string    `json:"target"`
	Up       bool      `json:"up"`
	Ran      bool      `json:"ran"`
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	LastAt   time.Time `json:"last_at,omitzero"`
	Micros   int64     `json:"latency_us,omitempty"`
	Passed   uint64    `json:"passed"`
	Failed   uint64    `json:"failed"`
	Suspend  bool      `json:"suspended,omitempty"`
	Streak   int       `json:"streak,omitempty"`
	SharedBy int       `json:"shared_by,omitempty"`
	// Phases are the parts of latency_us that the last attempt got to.
	Phases Phases `json:"phases_us,omitzero"`
	// Next is when the next attempt is due; zero while one runs.
	Next time.Time `json:"next,omitzero"`
	// Weight is the server's own word about its weight, "" for none: "50", "50%", "+5".
	Weight string `json:"weight,omitempty"`
}

// Tracked is a tracked script, file or process.
type Tracked struct {
	ID     string    `json:"id"`
	Known  bool      `json:"known"`
	OK     bool      `json:"ok"`
	Value  int       `json:"value,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
}

// FromInstance is an instance as the router reports it.
func FromInstance(s vrrp.Status) Instance {
	in := Instance{
		Name: s.Name, Interface: s.ID.Interface, Family: int(s.ID.Family), VRID: int(s.ID.VRID), State: s.State.String(), Since: s.Since,
		Reason: s.Reason, Priority: int(s.Priority), BasePriority: int(s.Base), Master: s.MasterAddr, MasterPriority: int(s.MasterPriority),
		Group: s.Group, Faults: s.Faults, Addresses: []string{},
		Counters: Counters{
			AdvertsReceived: s.Counters.AdvertsReceived, AdvertsSent: s.Counters.AdvertsSent, BecameMaster: s.Counters.BecameMaster,
			ReleasedMaster: s.Counters.ReleasedMaster, PriorityZeroSent: s.Counters.PriorityZeroSent,
			PriorityZeroReceived: s.Counters.PriorityZeroRcvd, Refused: s.Counters.Refused,
		},
	}
	for _, a := range s.Addresses {
		in.Addresses = append(in.Addresses, a.Prefix.String())
	}
	if r := s.Rival; r.Addr != "" && time.Now().Before(r.Until) {
		in.SplitBrain = fmt.Sprintf("%s (priority %d) is MASTER too, since %s", r.Addr, r.Priority, r.Since.Local().Format("15:04:05"))
		if r.Refused != "" {
			in.SplitBrain += ", and its adverts are refused here: " + r.Refused
		} else {
			in.SplitBrain += ": it does not hear this director or refuses what it hears"
		}
	}
	for _, d := range s.Denied {
		in.Denied = append(in.Denied, Denied{Address: d.Prefix.String(), Interface: d.Interface, Reason: d.Reason})
	}
	return in
}

// FromPool is a virtual server with the checks of its servers; checks has those of this virtual server.
func FromPool(s ipvssync.Status, spec ipvssync.VirtualServer, checks []checkers.CheckStatus) VirtualServer {
	v := VirtualServer{ID: s.ID, Scheduler: spec.Template.Scheduler, Quorum: s.Quorum, Weight: s.Sum, Sorry: s.Sorry, Panic: s.Panic, Suspended: s.Suspended,
		Services: []string{}, Servers: []RealServer{}}
	for _, k := range s.Keys {
		v.Services = append(v.Services, k.String())
	}
	forward := map[string]string{}
	for _, rs := range spec.Servers {
		forward[rs.ID] = rs.Forward.String()
	}
	byServer := map[string][]Check{}
	for _, c := range checks {
		byServer[c.ID.Real] = append(byServer[c.ID.Real], fromCheck(c))
	}
	for _, m := range s.Servers {
		r := RealServer{ID: m.ID, Forward: forward[m.ID], Up: m.Up, InTable: m.Present, Weight: m.Weight, Configured: m.Configured, Draining: m.Draining,
			Drained: m.Drained, Leaving: m.Leaving, DrainedBy: m.Drain.By, DrainWhy: m.Drain.Why, Connections: max(m.Connections, 0), Checks: byServer[m.ID]}
		if m.Override >= 0 {
			r.Override = &m.Override
		}
		if d := m.Drain; m.Draining {
			if r.DrainSince = d.Since; d.Timeout > 0 && !d.Since.IsZero() {
				r.DrainUntil = d.Since.Add(d.Timeout)
			}
		}
		v.Servers = append(v.Servers, r)
	}
	return v
}

func fromCheck(c checkers.CheckStatus) Check {
	out := Check{Kind: c.Kind, Target: c.Target, Up: c.Up, Ran: c.Ran, Since: c.Since, LastAt: c.LastAt, Micros: c.Last.Latency.Total.Microseconds(),
		Passed: c.Passed, Failed: c.Failed, Suspend: c.Suspended, Streak: c.Streak}
	if !c.Last.OK && (c.Ran || c.Last.Reason != checkers.OK) {
		out.Reason, out.Detail = c.Last.Reason.String(), c.Last.Detail
	}
	if c.Shared > 1 {
		out.SharedBy = c.Shared
	}
	out.Next, out.Weight = c.Next, c.Weight.String()
	out.Phases = phases(c.Last.Latency)
	return out
}

package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"sort"
	"strings"
	"time"
)

// Op is what happens to an object at a reload.
type Op string

// The operations.
const (
	Add    Op = "add"
	Remove Op = "remove"
	Update Op = "update"
)

// Change is one step of a reload.
type Change struct {
	Op Op `json:"op"`
	// Kind and Name say what: "real_server", "192.0.2.1:80 tcp 10.0.0.1:80".
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Fields are the values that an Update changes.
	Fields []FieldChange `json:"fields,omitempty"`
	// Splits says that from this change on the directors refuse each other's advertisements until both have it.
	Splits bool `json:"splits,omitempty"`
	// Note is a consequence worth knowing.
	Note string `json:"note,omitempty"`
}

// FieldChange is one value; secrets are not shown.
type FieldChange struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// String is one line.
func (c Change) String() string { return string(c.Op) + " " + c.Object() }

// Object says what is changed, and the values that an Update changes.
func (c Change) Object() string {
	s := c.Kind
	if c.Name != "" {
		s += " " + c.Name
	}
	if len(c.Fields) > 0 {
		parts := make([]string, len(c.Fields))
		for i, f := range c.Fields {
			parts[i] = f.Name + " " + f.Old + " -> " + f.New
		}
		s += ": " + strings.Join(parts, ", ")
	}
	return visible(s)
}

// Consequence is the note, "" when there is nothing to add.
func (c Change) Consequence() string { return visible(c.Note) }

// Lines are what people see: + added, - removed, ~ changed, ! changed so that the directors refuse each other's advertisements until each
// has it; the consequence follows on a line of its own.
func (c Change) Lines() []string {
	mark := map[Op]string{Add: "+", Remove: "-", Update: "~"}[c.Op]
	if c.Splits {
		mark = "!"
	}
	lines := []string{mark + " " + c.String()}
	if c.Note != "" {
		lines = append(lines, "    "+c.Consequence())
	}
	return lines
}

// Diff lists what a reload from old to new changes, in the order of the design: first what is added or updated, last what goes.
func Diff(old, new *Model) []Change {
	d := &differ{}
	d.object("global_defs", "", &old.Global, &new.Global, nil)
	d.object("SSL", "", &old.SSL, &new.SSL, nil)
	d.object("daemon", "", &daemonWords{old.UsePidDir, old.ChildWaitTime, old.LinkDelays, old.LinkPolling, old.LinkPollAll},
		&daemonWords{new.UsePidDir, new.ChildWaitTime, new.LinkDelays, new.LinkPolling, new.LinkPollAll}, nil)
	if old.NetNamespace != new.NetNamespace || old.NetNamespaceIPVS != new.NetNamespaceIPVS || old.NetNamespaceIPVSSet != new.NetNamespaceIPVSSet || old.InstanceName != new.InstanceName {
		d.add(Change{Op: Update, Kind: "daemon", Name: "net_namespace or instance", Note: "not changed by a reload: restart"})
	}
	named(d, "vrrp_script", old.Scripts, new.Scripts, func(x *VRRPScript) string { return x.Name })
	named(d, "track_file", old.TrackFiles, new.TrackFiles, func(x *TrackFile) string { return x.Name })
	named(d, "vrrp_track_process", old.TrackProcesses, new.TrackProcesses, func(x *TrackProcess) string { return x.Name })
	named(d, "bfd_instance", old.BFDs, new.BFDs, func(x *BFDInstance) string { return x.Name })
	named(d, "track_group", old.TrackGroups, new.TrackGroups, func(x *TrackGroup) string { return x.Name })
	named(d, "garp_group", old.GarpGroups, new.GarpGroups, func(x *GarpGroup) string { return strings.Join(x.Interfaces, " ") })
	named(d, "static_ipaddress", old.StaticAddresses, new.StaticAddresses, func(x *Address) string { return x.Prefix.String() + " " + x.Dev })
	named(d, "static_routes", old.StaticRoutes, new.StaticRoutes, func(x *Route) string { return x.Dst.String() + " " + x.Table + " " + x.Dev })
	named(d, "static_rules", old.StaticRules, new.StaticRules, func(x *Rule) string { return fmt.Sprint(x.Priority, x.From, x.To, x.Table) })
	d.instances(old, new)
	named(d, "vrrp_sync_group", old.Groups, new.Groups, func(x *SyncGroup) string { return x.Name })
	named(d, "virtual_server_group", old.VirtualServerGroups, new.VirtualServerGroups, func(x *VirtualServerGroup) string { return x.Name })
	named(d, "local_address_group", old.LocalAddressGroups, new.LocalAddressGroups, func(x *LocalAddressGroup) string { return x.Name })
	d.servers(old, new)
	sort.SliceStable(d.list, func(i, j int) bool { return d.list[i].Op != Remove && d.list[j].Op == Remove })
	return d.list
}

// daemonWords are the words outside of blocks that a reload can change.
type daemonWords struct {
	UsePidDir          bool
	ChildWaitTime      time.Duration
	LinkDelays         []LinkDelay
	LinkbeatInterfaces []LinkPoll
	LinkbeatUsePolling bool
}

type differ struct{ list []Change }

func (d *differ) add(c Change) { d.list = append(d.list, c) }

// object compares two structs field by field; skip names fields that are compared elsewhere.
func (d *differ) object(kind, name string, old, new any, skip map[string]bool) *Change {
	fields := fieldChanges(old, new, skip)
	if len(fields) == 0 {
		return nil
	}
	d.add(Change{Op: Update, Kind: kind, Name: name, Fields: fields})
	return &d.list[len(d.list)-1]
}

func fieldChanges(old, new any, skip map[string]bool) []FieldChange {
	return valueChanges(nil, reflect.ValueOf(old).Elem(), reflect.ValueOf(new).Elem(), skip)
}

func valueChanges(out []FieldChange, a, b reflect.Value, skip map[string]bool) []FieldChange {
	t := a.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type != metaType && !skip[f.Name] {
			out = valueChanges(out, a.Field(i), b.Field(i), skip)
			continue
		}
		if skip[f.Name] || f.Type == metaType || f.Name == "Pos" || same(a.Field(i), b.Field(i)) {
			continue
		}
		c := FieldChange{Name: snake(f.Name), Old: show(a.Field(i)), New: show(b.Field(i))}
		if f.Name == "AuthPass" || f.Name == "SMTPPassword" || f.Name == "Password" || f.Name == "AuthHMAC" {
			c.Old, c.New = "(secret)", "(another secret)"
			if a.Field(i).IsZero() {
				c.Old, c.New = "none", "(secret)"
			} else if b.Field(i).IsZero() {
				c.New = "none"
			}
		}
		out = append(out, c)
	}
	return out
}

var spellings = map[string]string{"VRID": "virtual_router_id", "VIPs": "virtual_ipaddress", "ExcludedVIPs": "virtual_ipaddress_excluded", "SrcIP": "unicast_src_ip", "UnicastPeers": "unicast_peer",
	"Unicast": "unicast", "McastDst": "mcast_dst_ip", "Scheduler": "lb_algo", "Method": "lb_kind", "Sorry": "sorry_server", "AuthPass": "auth_pass", "IPv6": "ipv6", "NoPreempt": "nopreempt", "OPS": "ops",
	"RouterID": "router_id", "UThreshold": "uthreshold", "LThreshold": "lthreshold", "VirtualHost": "virtualhost", "NotifyRxLower": "notify_master_rx_lower_pri", "Strict": "strict_mode", "URLs": "url", "LinkDelays": "interface_up_down_delays",
	"NFTablesIPVSStartFwmark": "nftables_ipvs_start_fwmark", "MasterOf": "ipvs_when", "LocalAddressGroup": "laddr_group_name"}

// snake is a field's name as a keyword.
func snake(s string) string {
	if k := spellings[s]; k != "" {
		return k
	}
	upper := func(i int) bool { return s[i] >= 'A' && s[i] <= 'Z' }
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if upper(i) {
			// A word begins after a small letter, and with the last of several capitals.
			if i > 0 && (!upper(i-1) || i+1 < len(s) && !upper(i+1)) {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

// show is a value for people.
func show(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return timeText(x, time.Second) + "s"
	case string:
		if x == "" {
			return "none"
		}
		return clip(x)
	case Command:
		if x.Line == "" {
			return "none"
		}
		return clip(fmt.Sprintf("%q", x.Line))
	case []Address:
		out := make([]string, len(x))
		for i := range x {
			out[i] = x[i].Prefix.String()
		}
		return clip("[" + strings.Join(out, " ") + "]")
	case []UnicastPeer:
		out := make([]string, len(x))
		for i := range x {
			out[i] = x[i].Addr.String()
		}
		return clip("[" + strings.Join(out, " ") + "]")
	case []Track:
		out := make([]string, len(x))
		for i := range x {
			out[i] = fmt.Sprintf("%s %+d", x[i].Name, x[i].Weight)
		}
		return clip("[" + strings.Join(out, ", ") + "]")
	case Method:
		return string(x.Forward)
	case *SorryServer:
		if x == nil {
			return "none"
		}
		return netip.AddrPortFrom(x.Addr, x.Port).String()
	case FIFO:
		return clip(x.Path)
	case netip.Addr:
		if !x.IsValid() {
			return "default"
		}
		return x.String()
	case Tri:
		return [...]string{"unset", "off", "on"}[x]
	}
	switch v.Kind() {
	case reflect.Slice:
		return fmt.Sprintf("%d entries", v.Len())
	case reflect.Struct, reflect.Pointer:
		return "changed"
	}
	return clip(fmt.Sprint(v.Interface()))
}

// named compares two lists of objects by name.
func named[T any](d *differ, kind string, old, new []T, name func(*T) string) {
	before := make(map[nth]*T, len(old))
	count := occurrences{}
	for i := range old {
		before[count.next(name(&old[i]))] = &old[i]
	}
	count = occurrences{}
	for i := range new {
		n := count.next(name(&new[i]))
		if o := before[n]; o != nil {
			d.object(kind, n.name, o, &new[i], nil)
			delete(before, n)
		} else {
			d.add(Change{Op: Add, Kind: kind, Name: n.name})
		}
	}
	count = occurrences{}
	for i := range old {
		if n := count.next(name(&old[i])); before[n] == &old[i] {
			d.add(Change{Op: Remove, Kind: kind, Name: n.name})
		}
	}
}

// nth tells objects of one name apart: the second of two, of which only one runs, is compared with the second.
type nth struct {
	name string
	n    int
}

type occurrences map[string]int

func (o occurrences) next(name string) nth {
	o[name]++
	return nth{name, o[name]}
}

// splitting are the fields of an instance on which both directors must agree.
var splitting = map[string]string{"AuthType": "", "AuthPass": "", "Version": "", "UnicastPeers": "", "Unicast": "", "McastDst": "", "IPv6": "", "V3ChecksumAsV2": "", "OldChecksum": "", "AuthHMAC": ""}

func (d *differ) instances(old, new *Model) {
	type id struct {
		vrid int
		six  bool
		dev  string
	}
	key := func(i *VRRPInstance) id { return id{i.VRID, i.IPv6, i.Interface} }
	byName, byID := map[string]*VRRPInstance{}, map[id]*VRRPInstance{}
	for k := range old.Instances {
		i := &old.Instances[k]
		byName[i.Name], byID[key(i)] = i, i
	}
	used := map[*VRRPInstance]bool{}
	for k := range new.Instances {
		n := &new.Instances[k]
		o := byID[key(n)]
		if same := byName[n.Name]; same != nil && key(same) == key(n) && !used[same] {
			o = same // several may share the number
		}
		if o == nil || used[o] {
			if o = byName[n.Name]; o != nil && !used[o] {
				used[o] = true
				c := d.object("vrrp_instance", n.Name, o, n, map[string]bool{"PrioritySet": true})
				if c != nil {
					c.Splits = true
					c.Note = "another virtual router than before: the old one is given up, the new one starts as BACKUP"
				}
				continue
			}
			d.add(Change{Op: Add, Kind: "vrrp_instance", Name: n.Name})
			continue
		}
		used[o] = true
		c := d.object("vrrp_instance", n.Name, o, n, map[string]bool{"PrioritySet": true})
		if c == nil {
			continue
		}
		for f := range splitting {
			if len(fieldChanges(o, n, except(f))) > 0 {
				c.Splits = true
			}
		}
		if n.Version == 2 && o.AdvertInt != n.AdvertInt {
			c.Splits = true
		}
		if c.Splits {
			c.Note = "the directors refuse each other's advertisements until each has it; this one speaks and hears the former form as well for " +
				secs(new.Global.TransitionWindow) + " after its reload: reload the others in that time"
		}
	}
	for k := range old.Instances {
		if o := &old.Instances[k]; !used[o] {
			d.add(Change{Op: Remove, Kind: "vrrp_instance", Name: o.Name, Note: "its addresses go"})
		}
	}
}

// except makes fieldChanges look at one field only.
func except(field string) map[string]bool {
	out := map[string]bool{}
	t := reflect.TypeFor[VRRPInstance]()
	for i := range t.NumField() {
		if t.Field(i).Name != field {
			out[t.Field(i).Name] = true
		}
	}
	return out
}

// ServiceName is how a virtual server is called in plans and logs.
func (v *VirtualServer) ServiceName() string {
	s := v.label()
	if v.Addr.IsValid() {
		s = netip.AddrPortFrom(v.Addr, v.Port).String()
	}
	if v.Protocol != "" {
		s += " " + v.Protocol
	}
	if v.IPv6 && !v.Addr.IsValid() {
		s += " inet6"
	}
	return s
}

func (d *differ) servers(old, new *Model) {
	before := make(map[nth]*VirtualServer, len(old.VirtualServers))
	count := occurrences{}
	for i := range old.VirtualServers {
		before[count.next(old.VirtualServers[i].ServiceName())] = &old.VirtualServers[i]
	}
	count = occurrences{}
	for i := range new.VirtualServers {
		n := &new.VirtualServers[i]
		key := count.next(n.ServiceName())
		o := before[key]
		if o == nil {
			d.add(Change{Op: Add, Kind: "virtual_server", Name: key.name, Note: fmt.Sprintf("%d real servers", len(n.RealServers))})
			continue
		}
		delete(before, key)
		d.object("virtual_server", key.name, o, n, map[string]bool{"RealServers": true})
		d.reals(key.name, o, n)
	}
	count = occurrences{}
	for i := range old.VirtualServers {
		if key := count.next(old.VirtualServers[i].ServiceName()); before[key] == &old.VirtualServers[i] {
			d.add(Change{Op: Remove, Kind: "virtual_server", Name: key.name})
		}
	}
}

func (d *differ) reals(service string, old, new *VirtualServer) {
	before := make(map[netip.AddrPort]*RealServer, len(old.RealServers))
	key := func(r *RealServer) netip.AddrPort { return netip.AddrPortFrom(r.Addr, r.Port) }
	for i := range old.RealServers {
		before[key(&old.RealServers[i])] = &old.RealServers[i]
	}
	for i := range new.RealServers {
		n := &new.RealServers[i]
		name := service + " " + key(n).String()
		o := before[key(n)]
		if o == nil {
			d.add(Change{Op: Add, Kind: "real_server", Name: name})
			continue
		}
		delete(before, key(n))
		d.object("real_server", name, o, n, map[string]bool{"Checks": true})
		if !Same(o.Checks, n.Checks) {
			d.checks(name, o.Checks, n.Checks)
		}
	}
	for i := range old.RealServers {
		if o := &old.RealServers[i]; before[key(o)] == o {
			d.add(Change{Op: Remove, Kind: "real_server", Name: service + " " + key(o).String()})
		}
	}
}

func (d *differ) checks(server string, old, new []Check) {
	for i := range max(len(old), len(new)) {
		switch {
		case i >= len(old):
			d.add(Change{Op: Add, Kind: "check", Name: server + " " + string(new[i].Kind)})
		case i >= len(new):
			d.add(Change{Op: Remove, Kind: "check", Name: server + " " + string(old[i].Kind)})
		default:
			d.object("check", server+" "+string(new[i].Kind), &old[i], &new[i], nil)
		}
	}
}

package assemble

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// hurried is the longest interval between adverts that makes the router a real-time process without being asked: a process of ordinary priority waited
// up to 100 ms for a processor that others kept busy (measured), and three such intervals are what a peer waits.
const hurried = 100 * time.Millisecond

// unasked chooses how the router runs where the file says nothing: a better nice value, and real time where adverts are hurried.
func unasked(m *config.Model, c *vrrp.Config) {
	p := &c.Process
	p.Unasked = !m.Global.Has("vrrp_priority") && !m.Global.Has("vrrp_rt_priority")
	if !p.Unasked || m.Global.Has("max_auto_priority") {
		return
	}
	for n := range c.Instances {
		if c.Instances[n].Interval <= hurried {
			p.RealTime = 1 // any real-time priority is before all ordinary processes
		}
	}
}

// VRRP is the router's part of the Model.
func VRRP(m *config.Model) vrrp.Config {
	c := vrrp.Config{StartupDelay: m.Global.StartupDelay, DelayAfterBoot: m.Global.DelayAfterBoot, TransitionWindow: m.Global.TransitionWindow,
		Process: vrrp.Process{Nice: m.Global.VRRPPriority, RealTime: m.Global.VRRPRTPriority, Resident: m.Global.VRRPNoSwap,
			CPUs: strings.Trim(fmt.Sprint(m.Global.VRRPCPUs), "[]"), MaxAuto: max(m.Global.MaxAutoPriority, 0), AutoDelay: m.Global.MinAutoPriorityDelay}}
	ids := map[string]vrrp.ID{}
	virtual := newVirtual(m)
	taken := map[vrrp.ID]bool{}
	for i := range m.Instances {
		in := instance(m, &m.Instances[i])
		virtual.instance(&in, &m.Instances[i])
		in.Part = part(&in, taken)
		taken[in.ID()] = true
		ids[in.Name] = in.ID()
		c.Instances = append(c.Instances, in)
	}
	for i := range m.Groups {
		g := &m.Groups[i]
		c.Groups = append(c.Groups, group(m, g, ids))
		if g.Blocked != "" {
			block(c.Instances, g)
		}
	}
	unasked(m, &c)
	c.StaticRoutes, c.StaticRules = routes(m.StaticRoutes), rules(m.StaticRules)
	for i := range m.StaticAddresses {
		c.Statics = append(c.Statics, address(&m.StaticAddresses[i], m.Global.DefaultInterface, false))
	}
	for i := range c.Instances {
		if c.Instances[i].Serves {
			c.HoldWithoutBalancer = m.Global.BalancerDownFault
		}
	}
	return c
}

// part tells an instance from those before it in the file that share its interface, family and number: by its first peer, by its group, or by its
// name. The first of them needs nothing.
func part(in *vrrp.Instance, taken map[vrrp.ID]bool) string {
	candidates := []string{""}
	if len(in.Peers) > 0 {
		least := in.Peers[0].Addr
		for _, p := range in.Peers {
			if p.Addr.Less(least) {
				least = p.Addr
			}
		}
		candidates = append(candidates, least.String())
	} else if in.Group.IsValid() {
		candidates = append(candidates, in.Group.String())
	}
	for _, c := range candidates {
		id := in.ID()
		if id.Part = c; !taken[id] {
			return c
		}
	}
	return in.Name
}

// block carries a sync group's configuration error to its members: the group moves as one.
func block(all []vrrp.Instance, g *config.SyncGroup) {
	for i := range all {
		for _, name := range g.Members {
			if all[i].Name == name && all[i].Blocked == "" {
				all[i].Blocked = "sync group " + g.Name + ": " + g.Blocked
			}
		}
	}
}

func instance(m *config.Model, in *config.VRRPInstance) vrrp.Instance {
	v := vrrp.Instance{
		Name: in.Name, Interface: in.Interface, Family: vrrp.IPv4, VRID: uint8(in.VRID), Version: uint8(in.Version),
		Priority: uint8(in.Priority), Interval: in.AdvertInt, NoPreempt: in.NoPreempt, LateBackup: uint8(in.TimerExpiredBackup), PreemptDelay: in.PreemptDelay,
		StartMaster: in.State == "MASTER", Source: in.SrcIP, TrackSource: in.TrackSrcIP, Group: in.McastDst, UnicastFaultNoPeer: in.UnicastFaultNoPeer,
		CheckUnicastSource: in.CheckUnicastSrc, TTL: 255, ChecksumAsV2: in.V3ChecksumAsV2, OldUnicastChecksum: in.OldChecksum == "yes", SkipCheckAdvAddr: in.SkipCheckAdvAddr,
		DownTimerAdverts: in.DownTimerAdverts, LowerPrioNoAdvert: in.LowerPrioNoAdvert, HigherPrioSendAdvert: in.HigherPrioSendAdvert,
		OwnerIgnoreAdverts: in.OwnerIgnoreAdverts, DontTrackPrimary: in.DontTrackPrimary, Blocked: in.Blocked, NoAccept: !in.Accept,
		Gratuitous: gratuitous(m, in),
	}
	if in.IPv6 {
		v.Family = vrrp.IPv6
	}
	if in.VRF != "" {
		v.Interface, v.VRF = in.VRF, true
	}
	if v.Interface == "" {
		v.Interface = m.Global.DefaultInterface
	}
	if in.Unicast && in.UnicastTTL > 0 {
		v.TTL = uint8(in.UnicastTTL)
	}
	if v.Version == 2 && in.AuthType != "" {
		v.Auth = vrrp.Auth{Type: in.AuthType, Key: in.AuthPass}
	}
	v.HMAC = signature(&in.AuthHMAC)
	for _, p := range in.UnicastPeers {
		v.Peers = append(v.Peers, vrrp.Peer{Addr: p.Addr, MinTTL: ttl(p.MinTTL), MaxTTL: ttl(p.MaxTTL)})
	}
	dev := ""
	if in.VRF != "" { // a VRF device carries no addresses that anybody on a segment could ask for
		dev = m.Global.DefaultInterface
	}
	for i := range in.VIPs {
		v.Addresses = append(v.Addresses, address(&in.VIPs[i], dev, false))
	}
	for i := range in.ExcludedVIPs {
		v.Addresses = append(v.Addresses, address(&in.ExcludedVIPs[i], dev, true))
	}
	v.Routes, v.Rules = routes(in.Routes), rules(in.Rules)
	v.TrackInterfaces = trackInterfaces(in.TrackInterfaces)
	v.Tracks = append(tracks(m, in.TrackScripts, in.TrackFiles, in.TrackProcesses), poolTracks(in.TrackVirtualServers)...)
	v.Serves = len(m.VirtualServers) > 0 || len(v.Tracks) > 0
	return v
}

// signature is auth_hmac, nil for none.
func signature(h *config.AuthHMAC) *vrrp.HMAC {
	if !h.Given {
		return nil
	}
	out := &vrrp.HMAC{Active: uint8(h.ActiveKey), Mode: vrrp.HMACMode(h.Mode), Monotonic: h.AntiReplay == "monotonic", Window: h.TimeWindow}
	for _, k := range h.Keys {
		out.Keys = append(out.Keys, vrrp.HMACKey{ID: uint8(k.ID), Key: k.Secret})
	}
	return out
}

// ttl is a bound of a peer's TTL as the VRRP room has it: 0 for none.
func ttl(n int) uint8 {
	if n < 0 {
		return 0
	}
	return uint8(n)
}

func gratuitous(m *config.Model, in *config.VRRPInstance) vrrp.Gratuitous {
	g := vrrp.Gratuitous{
		Repeat: in.GarpMasterRepeat, Delay: in.GarpMasterDelay, Refresh: in.GarpMasterRefresh, RefreshRepeat: in.GarpMasterRefreshRepeat,
		LowerPrioDelay: in.GarpLowerPrioDelay, LowerPrioRepeat: in.GarpLowerPrioRepeat,
		Interval: m.Global.GarpInterval, NAInterval: m.Global.GnaInterval, ExtraInterval: in.GarpExtraIf, ExtraAll: in.GarpExtraIfAll,
	}
	for _, group := range m.GarpGroups {
		for _, name := range group.Interfaces {
			if name == in.Interface {
				g.Interval, g.NAInterval = group.GarpInterval, group.GnaInterval
			}
		}
	}
	return g
}

func group(m *config.Model, g *config.SyncGroup, ids map[string]vrrp.ID) vrrp.Group {
	out := vrrp.Group{
		Name: g.Name, TrackingWeight: g.TrackingWeight, TrackInterfaces: trackInterfaces(g.TrackInterfaces),
		Tracks: append(tracks(m, g.TrackScripts, g.TrackFiles, g.TrackProcesses), poolTracks(g.TrackVirtualServers)...),
	}
	for _, name := range g.Members {
		if id, ok := ids[name]; ok {
			out.Members = append(out.Members, id)
		}
	}
	return out
}

func trackInterfaces(list []config.Track) (out []vrrp.TrackInterface) {
	for _, t := range list {
		out = append(out, vrrp.TrackInterface{Name: t.Name, Weight: t.Weight, Reverse: t.Reverse})
	}
	return out
}

func poolTracks(list []config.Track) (out []vrrp.TrackRef) {
	for _, t := range list {
		out = append(out, vrrp.TrackRef{ID: TrackID("virtual_server", t.Name), Weight: t.Weight, Reverse: t.Reverse})
	}
	return out
}

// TrackedPools are the pools behind each tracked virtual server: track id to pool ids. One name may be several (TCP and UDP).
func TrackedPools(m *config.Model) map[string][]string {
	used := map[string]bool{}
	for i := range m.Instances {
		for _, t := range poolTracks(m.Instances[i].TrackVirtualServers) {
			used[t.ID] = true
		}
	}
	for i := range m.Groups {
		for _, t := range poolTracks(m.Groups[i].TrackVirtualServers) {
			used[t.ID] = true
		}
	}
	out := map[string][]string{}
	eachVirtualServer(m, func(id string, vs *config.VirtualServer) {
		if name := TrackID("virtual_server", vs.TrackName()); used[name] {
			out[name] = append(out[name], id)
		}
	})
	return out
}

// TrackID names a tracked thing across the seam.
func TrackID(kind, name string) string { return kind + "/" + name }

// tracks lists what an instance or group tracks. A line without a weight of its own has that of the tracked object.
func tracks(m *config.Model, scripts, files, processes []config.Track) (out []vrrp.TrackRef) {
	add := func(kind string, t config.Track, weight int, reverse bool) {
		if t.WeightSet {
			weight, reverse = t.Weight, false
		}
		out = append(out, vrrp.TrackRef{ID: TrackID(kind, t.Name), Weight: weight, Reverse: t.Reverse || reverse})
	}
	for _, t := range scripts {
		if s := m.Script(t.Name); s != nil {
			add("script", t, s.Weight, s.Reverse)
		}
	}
	for _, t := range files {
		if f := m.TrackFile(t.Name); f != nil {
			add("file", t, f.Weight, f.Reverse)
		}
	}
	for _, t := range processes {
		if p := m.TrackProcess(t.Name); p != nil {
			add("process", t, p.Weight, p.Reverse)
		}
	}
	return out
}

func address(a *config.Address, dev string, excluded bool) vrrp.Address {
	if a.Dev != "" {
		dev = a.Dev
	}
	out := vrrp.Address{
		Prefix: a.Prefix, Interface: dev, Label: a.Label, Broadcast: broadcast(a.Broadcast, a.Prefix), Scope: scope(a.Scope),
		Excluded: excluded, NoTrack: a.NoTrack, Deprecated: a.PreferredLft == "0",
		Peer: a.Peer, DAD: a.DAD, Home: a.Home, MngTmpAddr: a.MngTmpAddr, NoPrefixRoute: a.NoPrefixRt, AutoJoin: a.AutoJoin,
	}
	if n, err := strconv.ParseUint(a.PreferredLft, 10, 32); err == nil {
		out.Preferred = time.Duration(n) * time.Second
	}
	// A single IPv6 address is no source address unless it is said to be one (RFC 4429 and keepalived's own default).
	if a.PreferredLft == "" && a.Prefix.Addr().Is6() && a.Prefix.IsSingleIP() {
		out.Deprecated = true
	}
	if out.Peer.IsValid() { // the length is the peer's, as in keepalived and in the kernel
		out.Prefix = netip.PrefixFrom(out.Prefix.Addr(), out.Peer.Bits())
	}
	return out
}

// scopes are the names of ip-address(8).
var scopes = map[string]uint8{"": 0, "global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}

func scope(word string) uint8 {
	if n, ok := scopes[word]; ok {
		return n
	}
	n, _ := strconv.ParseUint(word, 0, 8)
	return uint8(n)
}

// broadcast is the address that "brd" names: "+" is the prefix with all host bits set, "-" with all of them clear.
func broadcast(word string, p netip.Prefix) netip.Addr {
	switch {
	case word == "" || !p.Addr().Is4():
		return netip.Addr{}
	case word == "-":
		return p.Masked().Addr()
	case word == "+":
		b := p.Masked().Addr().As4()
		for bit := p.Bits(); bit < 32; bit++ {
			b[bit/8] |= 1 << (7 - bit%8)
		}
		return netip.AddrFrom4(b)
	}
	a, _ := netip.ParseAddr(word)
	return a
}

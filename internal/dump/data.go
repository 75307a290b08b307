package dump

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

func cut(id string) (kind, name string) {
	kind, name, _ = strings.Cut(id, "/")
	return kind, name
}

// Data prints keepalived.data: the lines that exporters and scripts look for.
func Data(s Source) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "------< Global definitions >------\n Router ID = %s\n", s.RouterID)
	fmt.Fprint(&b, "------< VRRP Topology >------\n")
	for _, i := range s.Instances {
		instanceData(&b, i, s.Groups)
	}
	if len(s.Groups) > 0 {
		fmt.Fprint(&b, "------< VRRP Sync groups >------\n")
		for _, g := range s.Groups {
			fmt.Fprintf(&b, " VRRP Sync Group = %s, %s\n", g.Name, groupState(s, g))
			for _, m := range g.Members {
				for _, i := range s.Instances {
					if i.Config.ID() == m {
						fmt.Fprintf(&b, "   monitor = %s\n", i.Config.Name)
					}
				}
			}
		}
	}
	if len(s.Scripts) > 0 {
		fmt.Fprint(&b, "------< VRRP Scripts >------\n")
		for _, c := range s.Scripts {
			status := "INIT"
			switch {
			case c.OK:
				status = "GOOD"
			case c.Known:
				status = "BAD"
			}
			fmt.Fprintf(&b, " VRRP Script = %s\n   Command = %s\n   Interval = %s sec\n   Timeout = %s sec\n   Weight = %d\n   Rise = %d\n   Fall = %d\n   Status = %s\n   State = idle\n",
				c.Name, c.Command, seconds(c.Interval), seconds(c.Timeout), c.Weight, c.Rise, c.Fall, status)
		}
	}
	return b.Bytes()
}

func groupState(s Source, g vrrp.Group) string {
	for _, m := range g.Members {
		for _, i := range s.Instances {
			if i.Config.ID() == m {
				return i.Status.State.String()
			}
		}
	}
	return vrrp.Init.String()
}

func instanceData(b *bytes.Buffer, i Instance, groups []vrrp.Group) {
	c, st := i.Config, i.Status
	p := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	p(" VRRP Instance = %s", c.Name)
	p("   VRRP Version = %d", c.Version)
	for _, g := range groups {
		if slices.Contains(g.Members, c.ID()) {
			p("   Sync group = %s", g.Name)
		}
	}
	p("   State = %s", st.State)
	if st.State == vrrp.Backup && st.MasterAddr != "" {
		p("   Master router = %s", st.MasterAddr)
		p("   Master priority = %d", st.MasterPriority)
	}
	p("   Wantstate = %s", st.State)
	p("   Last transition = %s", stamp(st.Since))
	p("   Interface = %s", c.Interface)
	if c.Source.IsValid() {
		p("   Using src_ip = %s", c.Source)
	}
	if len(c.Peers) == 0 && c.Group.IsValid() {
		p("   Multicast address %s", c.Group)
	}
	p("   Gratuitous ARP delay = %s", seconds(c.Gratuitous.Delay))
	p("   Gratuitous ARP repeat = %d", c.Gratuitous.Repeat)
	p("   Gratuitous ARP refresh = %s", seconds(c.Gratuitous.Refresh))
	p("   Gratuitous ARP refresh repeat = %d", c.Gratuitous.RefreshRepeat)
	p("   Gratuitous ARP lower priority delay = %s", seconds(c.Gratuitous.LowerPrioDelay))
	p("   Gratuitous ARP lower priority repeat = %d", c.Gratuitous.LowerPrioRepeat)
	p("   Down timer adverts = %d", c.DownTimerAdverts)
	p("   Send advert after receive lower priority advert = %t", !c.LowerPrioNoAdvert)
	p("   Send advert after receive higher priority advert = %t", c.HigherPrioSendAdvert)
	p("   Virtual Router ID = %d", c.VRID)
	p("   Priority = %d", c.Priority)
	p("   Effective priority = %d", st.Priority)
	p("   Total priority = %d", st.Priority)
	p("   Advert interval = %s", interval(c))
	p("   Accept = %s", able(i.Accept))
	p("   Preempt = %s", able(!c.NoPreempt))
	if c.PreemptDelay > 0 {
		p("   Preempt delay = %s secs", seconds(c.PreemptDelay))
	}
	auth := "none"
	switch c.Auth.Type {
	case "PASS":
		auth = "SIMPLE_PASSWORD"
	case "AH":
		auth = "IPSEC_AH"
	}
	p("   Authentication type = %s", auth)
	addressesData(b, "Virtual IP", advertised(c, false), c.Interface, st.State == vrrp.Master)
	addressesData(b, "Virtual IP Excluded", advertised(c, true), c.Interface, st.State == vrrp.Master)
	if len(c.Peers) > 0 {
		p("   Unicast Peer (%d):", len(c.Peers))
		for _, peer := range c.Peers {
			p("     %s", peer.Addr)
		}
	}
	if len(c.TrackInterfaces) > 0 {
		p("   Tracked interfaces (%d):", len(c.TrackInterfaces))
		for _, t := range c.TrackInterfaces {
			p("     %s weight %d", t.Name, t.Weight)
		}
	}
	scripts := 0
	for _, t := range c.Tracks {
		if kind, _ := cut(t.ID); kind == "script" {
			scripts++
		}
	}
	if scripts > 0 {
		p("   Tracked scripts (%d):", scripts)
		for _, t := range c.Tracks {
			if kind, name := cut(t.ID); kind == "script" {
				p("     %s weight %d", name, t.Weight)
			}
		}
	}
	p("   Using smtp notification = %s", yes(i.SMTPAlert))
}

func addressesData(b *bytes.Buffer, title string, list []vrrp.Address, iface string, set bool) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "   %s (%d):\n", title, len(list))
	for _, a := range list {
		fmt.Fprintf(b, "     %s\n", addressText(a, iface, set))
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "0.000000 (never)"
	}
	return fmt.Sprintf("%d.%06d (%s)", t.Unix(), t.Nanosecond()/1000, t.Local().Format("Mon Jan _2 15:04:05.000000 2006"))
}

func interval(c vrrp.Instance) string {
	if c.Version == 3 && c.Interval%time.Second != 0 {
		return fmt.Sprintf("%d milli-sec", c.Interval.Milliseconds())
	}
	return seconds(c.Interval) + " sec"
}

func able(b bool) string {
	if b {
		return "enabled"
	}
	return "disabled"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// CheckData prints keepalived_check.data.
func CheckData(s Source) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "------< Global definitions >------\n Router ID = %s\n------< LVS Topology >------\n", s.RouterID)
	for _, p := range s.Pools {
		for _, k := range p.Spec.Keys {
			fmt.Fprintf(&b, " VIP = %s\n", k)
		}
		fmt.Fprintf(&b, "   lb_algo = %s\n   quorum = %d, hysteresis = %d\n   alive = %d\n", p.Spec.Template.Scheduler, p.Spec.Quorum, p.Spec.Hysteresis, alive(p))
		for _, r := range p.Status.Servers {
			fmt.Fprintf(&b, "   RIP = %s, weight = %d\n     alive = %s\n", r.Addr, r.Weight, yes(r.Up))
		}
	}
	return b.Bytes()
}

func alive(p Pool) (n int) {
	for _, r := range p.Status.Servers {
		if r.Up {
			n++
		}
	}
	return n
}

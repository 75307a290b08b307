package assemble

import (
	"net/netip"
	"testing"

	"github.com/holdfast-ha/holdfast/config"
)

func run(words ...string) config.Command { return config.Command{Line: words[0], Argv: words} }

func TestNotify(t *testing.T) {
	m := &config.Model{
		Global: config.GlobalDefs{RouterID: "R1", SMTPServer: "2001:db8::25", NotificationEmail: []string{"a@b"}, ScriptUser: "nobody",
			NotifyFIFO: config.FIFO{Path: "/run/f"}, NotifyFIFOScript: run("/bin/reader"), LVSNotifyFIFO: config.FIFO{Path: "/run/l", User: "root"}},
		Instances: []config.VRRPInstance{{Name: "VI_1", Interface: "eth0", VRID: 51, NotifyMaster: run("m"), NotifyBackup: run("b"), NotifyFault: run("f"),
			NotifyStop: run("s"), NotifyDeleted: run("d"), Notify: run("any"), NotifyRxLower: run("low"), ReportDeleted: true, NotifyPriorityChanges: true, SMTPAlert: true}},
		Groups: []config.SyncGroup{{Name: "G", Notify: run("gany"), NotifyMaster: run("gm")}},
		VirtualServers: []config.VirtualServer{
			{Addr: netip.MustParseAddr("10.0.0.1"), Port: 80, Protocol: "TCP", QuorumUp: run("qu"), QuorumDown: run("qd"), SMTPAlert: true, Omega: true,
				RealServers: []config.RealServer{{Addr: netip.MustParseAddr("2001:db8::2"), Port: 8080, NotifyUp: run("up"), NotifyDown: run("down")}}},
			{Fwmark: 7, Protocol: "tcp"},
			{Group: "web", Protocol: "tcp"},
			{Addr: netip.MustParseAddr("10.0.0.9"), Port: 1, Protocol: "udp", Blocked: "x"},
		},
	}
	c := Notify(m)
	in := c.Instances[0]
	got := []string{in.ID, in.Name, in.Master.String(), in.Backup.String(), in.Fault.String(), in.Stop.String(), in.Deleted.String(), in.Any.String(),
		in.LowerPriority.String(), in.Master.User, c.Groups[0].ID, c.Groups[0].Any.String(), c.Groups[0].Master.String(),
		c.Mail.Server, c.Mail.RouterID, c.All.Path, c.All.Reader.String(), c.All.User, c.LVS.User, c.VRRP.Path,
		c.Virtuals[0].Label, c.Virtuals[0].QuorumUp.String(), c.Virtuals[0].QuorumDown.String(), c.Virtuals[1].Label, c.Virtuals[2].Label,
		c.Virtuals[0].Servers[0].ID, c.Virtuals[0].Servers[0].Label, c.Virtuals[0].Servers[0].Up.String(), c.Virtuals[0].Servers[0].Down.String()}
	want := []string{VRRP(m).Instances[0].ID().String(), "VI_1", "m", "b", "f", "s", "d", "any", "low", "nobody", "G", "gany", "gm",
		"[2001:db8::25]:25", "R1", "/run/f", "/bin/reader", "nobody", "root", "",
		"[10.0.0.1]:tcp:80", "qu", "qd", "FWM 7", "[web]:0",
		VirtualServers(m)[0].Servers[0].ID, "[2001:db8::2]:tcp:8080", "up", "down"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("fact %d is %q, want %q", i, got[i], want[i])
		}
	}
	if !in.ReportDeleted || !in.Priorities || !in.Mail || !c.Virtuals[0].Omega || !c.Virtuals[0].Mail || len(c.Virtuals) != 3 || c.Virtuals[0].ID != VirtualServers(m)[0].ID {
		t.Errorf("got %+v", c)
	}
}

func TestNotifyLeavesOutWhoTellsNobody(t *testing.T) {
	m := &config.Model{Global: config.GlobalDefs{SMTPServer: "192.0.2.25", NotificationEmail: []string{"a@b"}}, VirtualServers: []config.VirtualServer{
		{Addr: netip.MustParseAddr("10.0.0.1"), Port: 80, Protocol: "tcp", RealServers: []config.RealServer{{Addr: netip.MustParseAddr("10.0.0.2"), Port: 80},
			{Addr: netip.MustParseAddr("10.0.0.3"), Port: 80, NotifyDown: run("down")}}},
		{Addr: netip.MustParseAddr("10.0.0.4"), Port: 80, Protocol: "tcp", RealServers: []config.RealServer{{Addr: netip.MustParseAddr("10.0.0.5"), Port: 80}}},
		{Addr: netip.MustParseAddr("10.0.0.6"), Port: 80, Protocol: "tcp", SMTPAlert: true},
	}}
	c := Notify(m)
	if len(c.Virtuals) != 2 || len(c.Virtuals[0].Servers) != 1 || c.Virtuals[0].Servers[0].ID != "10.0.0.3:80" || !c.Virtuals[1].Mail {
		t.Errorf("got %+v", c.Virtuals)
	}
	m.Global.NotificationEmail = nil
	if c = Notify(m); len(c.Virtuals) != 1 {
		t.Errorf("nobody gets mail: %+v", c.Virtuals)
	}
}

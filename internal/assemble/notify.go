package assemble

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/notify"
)

// Notify is who is told of what. Virtual and real servers of which nobody is told are left out.
func Notify(m *config.Model) notify.Config {
	g := &m.Global
	c := notify.Config{
		All:            fifo(m, g.NotifyFIFO, g.NotifyFIFOScript),
		VRRP:           fifo(m, g.VRRPNotifyFIFO, g.VRRPFIFOScript),
		LVS:            fifo(m, g.LVSNotifyFIFO, g.LVSFIFOScript),
		InitialServers: g.RSInitNotifies,
		StatesOnReload: g.FIFOWriteStatesOnReload,
		Mail: notify.Mail{RouterID: g.RouterID, From: g.NotificationEmailFrom, To: g.NotificationEmail, Helo: g.SMTPHeloName,
			Timeout: g.SMTPConnectTimeout, TLS: g.SMTPTLS, CA: g.SMTPTLSCA, User: g.SMTPUser, Password: g.SMTPPassword, NoFaults: g.NoEmailFaults},
	}
	if g.SMTPServer != "" {
		port := g.SMTPPort
		if port == 0 {
			port = 25
		}
		c.Mail.Server = net.JoinHostPort(g.SMTPServer, strconv.Itoa(int(port)))
	}
	for i := range m.Instances {
		in := &m.Instances[i]
		v := instance(m, in)
		c.Instances = append(c.Instances, notify.Object{
			ID: v.ID().String(), Name: in.Name,
			Master: command(m, in.NotifyMaster, 0), Backup: command(m, in.NotifyBackup, 0), Fault: command(m, in.NotifyFault, 0),
			Stop: command(m, in.NotifyStop, 0), Deleted: command(m, in.NotifyDeleted, 0), Any: command(m, in.Notify, 0),
			LowerPriority: command(m, in.NotifyRxLower, 0), ReportDeleted: in.ReportDeleted,
			Priorities: in.NotifyPriorityChanges, Mail: in.SMTPAlert,
		})
	}
	for i := range m.Groups {
		s := &m.Groups[i]
		c.Groups = append(c.Groups, notify.Object{
			ID: s.Name, Name: s.Name,
			Master: command(m, s.NotifyMaster, 0), Backup: command(m, s.NotifyBackup, 0), Fault: command(m, s.NotifyFault, 0),
			Stop: command(m, s.NotifyStop, 0), Any: command(m, s.Notify, 0), Mail: s.SMTPAlert,
		})
	}
	// With tens of thousands of servers, those of which nobody is told would cost more than their checks.
	everyone, mail := c.All.Path != "" || c.LVS.Path != "", len(c.Mail.To) > 0
	eachVirtualServer(m, func(id string, vs *config.VirtualServer) {
		v := notify.Virtual{ID: id, Label: virtualLabel(vs), QuorumUp: command(m, vs.QuorumUp, 0), QuorumDown: command(m, vs.QuorumDown, 0),
			Mail: vs.SMTPAlert, Omega: vs.Omega}
		eachRealServer(vs, func(name string, rs *config.RealServer) {
			if !everyone && !(mail && rs.SMTPAlert) && rs.NotifyUp.IsZero() && rs.NotifyDown.IsZero() {
				return
			}
			v.Servers = append(v.Servers, notify.Server{ID: name, Label: triple(rs.Addr, vs.Protocol, rs.Port),
				Up: command(m, rs.NotifyUp, 0), Down: command(m, rs.NotifyDown, 0), Mail: rs.SMTPAlert})
		})
		if everyone || v.Servers != nil || mail && vs.SMTPAlert || !vs.QuorumUp.IsZero() || !vs.QuorumDown.IsZero() {
			c.Virtuals = append(c.Virtuals, v)
		}
	})
	return c
}

// fifo is a pipe; what reads it has no time limit.
func fifo(m *config.Model, f config.FIFO, reader config.Command) notify.FIFO {
	if f.Path == "" {
		return notify.FIFO{}
	}
	out := notify.FIFO{Path: f.Path, User: f.User, Group: f.Group, Reader: command(m, reader, 0)}
	if out.User == "" && out.Group == "" {
		out.User, out.Group = m.Global.ScriptUser, m.Global.ScriptGroup
	}
	return out
}

// virtualLabel is keepalived's spelling of a virtual server in pipes and mails.
func virtualLabel(vs *config.VirtualServer) string {
	switch {
	case vs.Group != "":
		return fmt.Sprintf("[%s]:%d", vs.Group, vs.Port)
	case vs.Fwmark != 0:
		return fmt.Sprintf("FWM %d", vs.Fwmark)
	}
	return triple(vs.Addr, vs.Protocol, vs.Port)
}

// triple is [10.0.0.1]:tcp:80.
func triple(a netip.Addr, protocol string, port uint16) string {
	return fmt.Sprintf("[%s]:%s:%d", a, strings.ToLower(protocol), port)
}

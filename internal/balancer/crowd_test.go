package balancer

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/mirror"
	"github.com/holdfast-ha/holdfast/internal/pools"
	"github.com/holdfast-ha/holdfast/internal/seam"
)

// crowd is so many virtual servers with the same eight real servers: one attempt decides about a server in all of them.
func crowd(services int) *config.Model {
	m := model("10.255.0.1")
	m.VirtualServers = nil
	for i := range services {
		v := config.VirtualServer{Addr: netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), Port: 80, Protocol: "tcp", Scheduler: "rr", Quorum: 1}
		for j := range 8 {
			a := benchServer(0, j)
			v.RealServers = append(v.RealServers, config.RealServer{Addr: a, Port: 80, Weight: 1, Method: config.Method{Forward: config.DR},
				Checks: []config.Check{{Kind: config.TCPCheck, ConnectIP: a, ConnectPort: 80, DelayLoop: time.Second}}})
		}
		m.VirtualServers = append(m.VirtualServers, v)
	}
	return m
}

// Forty thousand verdicts at once: what is told and written of them keeps the balancer busy, and the router must go on hearing from it. It stays
// MASTER, with the balancer that it has.
func TestEveryServerFailsAtOnce(t *testing.T) {
	const services = 5000
	d := newDirector(t, crowd(services))
	slowly := func(what string, ok func() bool) {
		t.Helper()
		eventuallyWithin(t, 2*time.Minute, what, func() bool { time.Sleep(50 * time.Millisecond); return ok() })
	}
	slowly("this director is ready", func() bool { return d.happened("daemon.ready") == 1 })
	moves := d.happened("vrrp.transition")
	for j := range 8 {
		d.servers.set(netip.AddrPortFrom(benchServer(0, j), 80).String(), true)
	}
	slowly("every table is empty", func() bool {
		for _, s := range d.ipvs.Table() {
			if len(s.Servers) > 0 {
				return false
			}
		}
		return d.happened("check.down") == 8*services
	})
	if n := d.happened("vrrp.transition"); n != moves || d.happened("balancer.hangs") > 0 || d.happened("balancer.lost") > 0 || d.starts != 1 {
		t.Errorf("%d transitions, %d balancers, called hanging %d times", n-moves, d.starts, d.happened("balancer.hangs"))
	}
}

// The owner is behind by a minute of work, in small pieces: the router hears from it every few seconds all the same.
func TestHeartbeatsGoOnWhileTheInboxIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		router, conn := seam.NewConn(a), seam.NewConn(b)
		d := &daemon{ctx: t.Context(), conn: conn, inbox: newInbox(), router: mirror.New(conn.Send), pools: pools.New(t.Context(), pools.Options{})}
		for range 40_000 {
			d.inbox.post(func() { time.Sleep(1500 * time.Microsecond) })
		}
		d.inbox.post(func() { d.finish(ExitClean) })
		began, last, longest := time.Now(), time.Now(), time.Duration(0)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			for {
				m, err := router.Receive()
				if err != nil {
					return
				}
				if m.Heartbeat != nil {
					longest = max(longest, time.Since(last))
					last = time.Now()
				}
			}
		}()
		d.loop()
		conn.Close()
		<-gone
		router.Close()
		if took := time.Since(began); took != time.Minute || time.Since(last) > 3*heartbeat || longest > 3*heartbeat {
			t.Errorf("in %v the router waited %v for a sign of life", took, max(longest, time.Since(last)))
		}
	})
}

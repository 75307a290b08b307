//go:build vm

package suite

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

const udpConf = `global_defs {
    manage_ipvs_sysctls
}
virtual_server 10.81.0.1 5300 {
    delay_loop 1
    lb_algo rr
    lb_kind %s
    protocol UDP
    real_server 10.82.0.21 5300 {
        TCP_CHECK {
            connect_port 80
            connect_timeout 2
        }
    }
    real_server 10.82.0.22 5300 {
        TCP_CHECK {
            connect_port 80
            connect_timeout 2
        }
    }
}
`

// A client of UDP that never pauses and never changes its port leaves a server that failed, also where connection tracking has an entry for it.
func TestUDPClientLeavesADeadServer(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"NAT", "FNAT"} {
		lab.Scenario(t, "UDP client leaves a dead server "+kind, func(l *lab.Lab) {
			director, client := l.Node("dir"), l.Node("client")
			front, back := l.LAN("sw"), l.LAN("swb")
			front.Attach(client, "eth0", "10.81.0.50/24")
			front.Attach(director, "eth0", "10.81.0.1/24")
			back.Attach(director, "eth1", "10.82.0.1/24")
			web := map[string]*lab.Server{}
			for i, a := range []string{"10.82.0.21/24", "10.82.0.22/24"} {
				rs := l.Node(fmt.Sprintf("rs%d", i+1))
				back.Attach(rs, "eth0", a)
				if kind == "NAT" {
					director.Sysctl("net/ipv4/ip_forward=1")
					rs.IP("route add default via 10.82.0.1")
				}
				web[rs.Name] = rs.Serve(":80")
				echoName(l, rs, ":5300")
			}
			file, run := filepath.Join(l.Dir, "director.conf"), filepath.Join(l.Dir, "run")
			if err := errors.Join(os.WriteFile(file, fmt.Appendf(nil, udpConf, kind), 0o644), os.MkdirAll(run, 0o755)); err != nil {
				l.Fatalf("%v", err)
			}
			director.Start("holdfast", lab.Binary(), "run", "-c", file, "--run-dir", run, "--state-dir", filepath.Join(l.Dir, "state"), "--log-format", "json")
			l.Eventually("the table is full", func() bool { return len(director.Table()) == 3 })
			var answer atomic.Value
			answer.Store("")
			end, ended := make(chan struct{}), make(chan struct{})
			client.Go(func() {
				defer close(ended)
				ask(end, "10.81.0.1:5300", &answer)
			})
			defer func() { close(end); <-ended }()
			who := func() string { return answer.Load().(string) }
			l.Eventually("a server answers", func() bool { return web[who()] != nil })
			first := who()
			l.Step("%s dies while the client goes on", first)
			web[first].Refuse()
			l.Eventually("it leaves the table", func() bool { return len(director.Table()) == 2 })
			took := l.Eventually("the other one answers", func() bool { return who() != first && web[who()] != nil })
			l.Note("%s: the client was with the other server %v after the table changed", kind, took.Round(10*time.Millisecond))
		})
	}
}

// echoName answers every datagram with the node's name.
func echoName(l *lab.Lab, n *lab.Node, addr string) {
	var c net.PacketConn
	var err error
	n.Do(func() { c, err = net.ListenPacket("udp4", addr) })
	if err != nil {
		l.Fatalf("%v", err)
	}
	go func() {
		buf := make([]byte, 64)
		for {
			_, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo([]byte(n.Name), from)
		}
	}()
}

// ask sends a datagram every tenth of a second from one socket and keeps the last answer.
func ask(end chan struct{}, addr string, last *atomic.Value) {
	c, err := net.Dial("udp4", addr)
	if err != nil {
		return
	}
	defer c.Close()
	buf := make([]byte, 64)
	for {
		select {
		case <-end:
			return
		default:
		}
		_, _ = c.Write([]byte("who?"))
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if n, err := c.Read(buf); err == nil {
			last.Store(string(buf[:n]))
			<-time.After(100 * time.Millisecond)
		}
	}
}

//go:build vm

package suite

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/examples"
	"github.com/holdfast-ha/holdfast/integration/lab"
)

// classic runs one of the classic examples as it is shipped.
type classic struct {
	*lab.Lab
	example          string
	director, client *lab.Node
	daemon           *lab.Process
}

// script runs a script of the example in a node.
func (c *classic) script(n *lab.Node, name string) {
	text, err := fs.ReadFile(examples.Classic, "classic/"+c.example+"/"+name)
	if err != nil {
		c.Fatalf("%v", err)
	}
	n.Run("sh", "-c", string(text))
}

// start starts the daemon with the example's configuration and waits until the table has that many lines.
func (c *classic) start(lines int) {
	text, err := fs.ReadFile(examples.Classic, "classic/"+c.example+"/director.conf")
	if err != nil {
		c.Fatalf("%v", err)
	}
	file, run := filepath.Join(c.Dir, "director.conf"), filepath.Join(c.Dir, "run")
	if err := errors.Join(os.WriteFile(file, text, 0o644), os.MkdirAll(run, 0o755)); err != nil {
		c.Fatalf("%v", err)
	}
	c.daemon = c.director.Start("holdfast of the director", lab.Binary(), "run", "-c", file, "--run-dir", run, "--state-dir", filepath.Join(c.Dir, "state"), "--log-format", "json")
	c.Eventually("the table is full", func() bool { return len(c.director.Table()) == lines })
}

// asks returns who answered n requests, one after the other.
func (c *classic) asks(addr string, n int) map[string]int {
	got := map[string]int{}
	for range n {
		body, err := c.client.Get(addr, 10*time.Second)
		if err != nil {
			body = err.Error()
		}
		got[body]++
	}
	return got
}

func TestClassic(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "classic NAT with weights and FTP", func(l *lab.Lab) {
		c := &classic{Lab: l, example: "nat-weighted", director: l.Node("dir"), client: l.Node("client")}
		front, back := l.LAN("sw"), l.LAN("swb")
		front.Attach(c.client, "eth0", "202.103.106.50/24")
		front.Attach(c.director, "eth0", "202.103.106.2/24")
		back.Attach(c.director, "eth1", "172.16.0.11/24")
		rs2, rs3 := l.Node("rs2"), l.Node("rs3")
		back.Attach(rs2, "eth0", "172.16.0.2/24")
		back.Attach(rs3, "eth0", "172.16.0.3/24")
		for _, n := range []*lab.Node{rs2, rs3} {
			c.script(n, "realserver.sh")
		}
		c.script(c.director, "director.sh")
		rs2.Serve(":80")
		rs3.Serve(":8000")
		serveFTP(l, rs3, netip.MustParseAddr("172.16.0.3"), "a file")
		c.start(2 + 3)
		const vip = "202.103.106.5"
		l.Eventually("the director answers", func() bool { return c.asks(vip+":80", 1)["rs2"]+c.asks(vip+":80", 1)["rs3"] > 0 })

		l.Step("requests divide 1:2, seen on both wires")
		outside := c.director.Start("tcpdump outside", "tcpdump", "-l", "-n", "-i", "eth0", "tcp", "and", "host", vip)
		inside := c.director.Start("tcpdump inside", "tcpdump", "-l", "-n", "-i", "eth1", "tcp", "and", "host", "202.103.106.50")
		l.Eventually("tcpdump listens", func() bool { return outside.Said("listening on") && inside.Said("listening on") })
		if got := c.asks(vip+":80", 30); got["rs2"] != 10 || got["rs3"] != 20 {
			l.Errorf("30 requests: %v", got)
		}
		for _, want := range []struct {
			p    *lab.Process
			what string
		}{
			{outside, "> 202.103.106.5.80:"}, {inside, "> 172.16.0.2.80:"}, {inside, "> 172.16.0.3.8000:"},
			{inside, "172.16.0.3.8000 > 202.103.106.50."}, {outside, "202.103.106.5.80 > 202.103.106.50."},
		} {
			l.Eventually("the wire shows "+want.what, func() bool { return want.p.Said(want.what) })
		}

		l.Step("FTP with a data connection through the helper")
		text, at, err := getFTP(c.client, vip+":21")
		if err != nil || text != "a file" || at.Addr().String() != vip {
			l.Errorf("FTP: %q from %s, %v", text, at, err)
		}

		l.Step("other ports are refused")
		began := time.Now()
		_, err = c.client.Get(vip+":22", 20*time.Second)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			l.Errorf("port 22 after %s: %v", time.Since(began), err)
		}
	})
	lab.Scenario(t, "classic NAT between two networks", func(l *lab.Lab) {
		c := &classic{Lab: l, example: "nat-two-networks", director: l.Node("dir"), client: l.Node("client")}
		front, back := l.LAN("sw"), l.LAN("swb")
		front.Attach(c.client, "eth0", "12.0.0.12/24")
		front.Attach(c.director, "eth0", "12.0.0.1/24")
		back.Attach(c.director, "eth1", "192.168.200.1/24")
		for i, a := range []string{"192.168.200.110/24", "192.168.200.120/24"} {
			rs := l.Node(fmt.Sprintf("rs%d", i+1))
			back.Attach(rs, "eth0", a)
			c.script(rs, "realserver.sh")
			rs.Serve(":80")
		}
		c.script(c.director, "director.sh")
		c.start(1 + 2)
		if got := c.asks("12.0.0.1:80", 10); got["rs1"] != 5 || got["rs2"] != 5 {
			l.Errorf("10 requests: %v", got)
		}
	})
	lab.Scenario(t, "classic DR on one network", func(l *lab.Lab) {
		c := &classic{Lab: l, example: "dr-one-network", director: l.Node("dir"), client: l.Node("client")}
		lan, vip := l.LAN("sw"), netip.MustParseAddr("192.0.2.100")
		lan.Attach(c.client, "eth0", "192.0.2.50/24")
		lan.Attach(c.director, "eth0", "192.0.2.11/24")
		c.director.Sysctl("net/ipv4/ip_forward=0")
		var servers []*lab.Node
		for i, a := range []string{"192.0.2.21/24", "192.0.2.22/24"} {
			rs := l.Node(fmt.Sprintf("rs%d", i+1))
			lan.Attach(rs, "eth0", a)
			c.script(rs, "realserver.sh")
			rs.Serve(":80")
			servers = append(servers, rs)
		}
		c.start(1 + 2)
		l.Eventually("the director has the address", func() bool { return c.director.Holds(vip.String()) })
		if got := c.asks(vip.String()+":80", 10); got["rs1"] != 5 || got["rs2"] != 5 {
			l.Errorf("10 requests: %v", got)
		}
		own := netip.MustParseAddr("192.0.2.50")
		l.Eventually("ARP is answered by the director alone", func() bool {
			who := c.client.WhoHas("eth0", own, vip)
			return len(who) == 1 && who[0] == c.director.MAC("eth0").String()
		})

		l.Step("mistake: a server that does not keep quiet")
		servers[0].Sysctl("net/ipv4/conf/all/arp_ignore=0")
		l.Eventually("ARP is answered by two", func() bool { return len(c.client.WhoHas("eth0", own, vip)) == 2 })
		servers[0].Sysctl("net/ipv4/conf/all/arp_ignore=1")
		c.client.IP("neigh flush dev eth0") // it may have believed the wrong one

		l.Step("mistake: a server behind a router")
		router, far, beyond := l.Node("router"), l.Node("rs3"), l.LAN("swr")
		lan.Attach(router, "eth0", "192.0.2.254/24")
		beyond.Attach(router, "eth1", "198.51.100.1/24")
		router.Sysctl("net/ipv4/ip_forward=1", "net/ipv4/conf/eth0/send_redirects=0", "net/ipv4/conf/all/send_redirects=0")
		beyond.Attach(far, "eth0", "198.51.100.21/24")
		far.IP("route add default via 198.51.100.1")
		c.script(far, "realserver.sh")
		far.Serve(":80")
		c.director.IP("route add 198.51.100.0/24 via 192.0.2.254")
		right, err := os.ReadFile(filepath.Join(c.Dir, "director.conf"))
		if err != nil {
			l.Fatalf("%v", err)
		}
		reload := func(text string) {
			if err := os.WriteFile(filepath.Join(c.Dir, "director.conf"), []byte(text), 0o644); err != nil {
				l.Fatalf("%v", err)
			}
			c.daemon.Signal(syscall.SIGHUP)
		}
		wrong := strings.TrimSuffix(strings.TrimSpace(string(right)), "}") + "    real_server 198.51.100.21 80 {\n        TCP_CHECK {\n            %sconnect_timeout 3\n        }\n    }\n}\n"
		at := fmt.Sprintf("director.conf:%d:", strings.Count(string(right), "\n"))
		has := func() bool { return balanced(c.director, netip.MustParseAddr("198.51.100.21")) }
		reload(fmt.Sprintf(wrong, ""))
		l.Eventually("its check passes and it is in the table", has)
		lost := 0
		for range 3 {
			if _, err := c.client.Get(vip.String()+":80", 2*time.Second); err != nil {
				lost++
			}
		}
		if lost != 1 {
			l.Errorf("%d of 3 requests fail: that of the server behind the router should", lost)
		}
		out, _ := c.director.Try(lab.Binary(), "check", filepath.Join(c.Dir, "director.conf"))
		if !strings.Contains(out, at) || !strings.Contains(out, "the router 192.0.2.254") {
			l.Errorf("check does not say %s and the router:\n%s", at, out)
		}
		l.Eventually("the log names it too", func() bool { return c.daemon.Said("the router 192.0.2.254") && c.daemon.Said(at) })
		reload(fmt.Sprintf(wrong, "check_via forward\n            "))
		l.Eventually("a check through the real path finds it", func() bool { return !has() && c.daemon.Said("is it on this director's LAN") })
		reload(string(right))
		l.Eventually("without it", func() bool { return len(c.director.Table()) == 3 })

		l.Step("mistake: the virtual address missing on a server")
		servers[1].IP("addr del " + vip.String() + "/32 dev lo")
		lost = 0
		for range 4 {
			if _, err := c.client.Get(vip.String()+":80", 2*time.Second); err != nil {
				lost++
			}
		}
		if lost == 0 {
			l.Errorf("no request fails, half of them should")
		}

		l.Step("the balancer is killed and the daemon stopped at once: nothing stays")
		c.daemon.SignalChild(syscall.SIGKILL)
		c.daemon.Signal(syscall.SIGTERM)
		c.daemon.Wait()
		if table := c.director.Table(); len(table) != 0 || c.director.Holds(vip.String()) {
			l.Errorf("left: %v", table)
		}
	})
}

// serveFTP is just enough of an FTP server: whatever is asked for over a passive data connection is text.
func serveFTP(l *lab.Lab, n *lab.Node, own netip.Addr, text string) {
	listen := func(addr string) (s net.Listener, err error) {
		n.Do(func() { s, err = net.Listen("tcp4", addr) })
		return s, err
	}
	s, err := listen(":21")
	if err != nil {
		l.Fatalf("%v", err)
	}
	serve := func(conn net.Conn) {
		defer conn.Close()
		fmt.Fprint(conn, "220 ready\r\n")
		var data net.Listener
		for in := bufio.NewScanner(conn); in.Scan(); {
			switch word := in.Text(); {
			case word == "PASV":
				if data, err = listen(own.String() + ":0"); err != nil {
					return
				}
				defer data.Close()
				port := data.Addr().(*net.TCPAddr).Port
				fmt.Fprintf(conn, "227 Entering Passive Mode (%s,%d,%d).\r\n", strings.ReplaceAll(own.String(), ".", ","), port>>8, port&255)
			case strings.HasPrefix(word, "RETR ") && data != nil:
				d, err := data.Accept()
				if err != nil {
					return
				}
				fmt.Fprint(d, text)
				d.Close()
				fmt.Fprint(conn, "226 done\r\n")
			default:
				fmt.Fprint(conn, "200 ok\r\n")
			}
		}
	}
	go func() {
		for {
			conn, err := s.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
}

// getFTP fetches a file passively and answers which address the server's answer named.
func getFTP(n *lab.Node, addr string) (text string, data netip.AddrPort, err error) {
	done := make(chan struct{})
	n.Go(func() {
		defer close(done)
		text, data, err = fetchFTP(addr)
	})
	<-done
	return text, data, err
}

func fetchFTP(addr string) (string, netip.AddrPort, error) {
	const patience = 30 * time.Second
	var none netip.AddrPort
	conn, err := net.DialTimeout("tcp4", addr, patience)
	if err != nil {
		return "", none, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(conn)
	if _, err := in.ReadString('\n'); err != nil {
		return "", none, err
	}
	fmt.Fprint(conn, "PASV\r\n")
	line, err := in.ReadString('\n')
	if err != nil {
		return "", none, err
	}
	var a [4]byte
	var hi, lo int
	if _, err := fmt.Sscanf(line[strings.Index(line, "(")+1:], "%d,%d,%d,%d,%d,%d", &a[0], &a[1], &a[2], &a[3], &hi, &lo); err != nil {
		return "", none, fmt.Errorf("%q: %w", line, err)
	}
	at := netip.AddrPortFrom(netip.AddrFrom4(a), uint16(hi<<8|lo))
	d, err := net.DialTimeout("tcp4", at.String(), patience)
	if err != nil {
		return "", at, err
	}
	defer d.Close()
	_ = d.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(conn, "RETR file\r\n")
	text, err := io.ReadAll(d)
	return string(text), at, err
}

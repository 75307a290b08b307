//go:build linux

package lab

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Mode is how directors forward to real servers.
type Mode string

// The forwarding methods; None is a site without real servers.
const (
	None Mode = ""
	DR   Mode = "DR"
	NAT  Mode = "NAT"
	TUN  Mode = "TUN"
	// FNAT is FULLNAT: the real servers know no way to the client.
	FNAT Mode = "FNAT"
)

// Site is the usual set-up: two directors, real servers and a client on a switch; with NAT the real servers are on a second one, behind the directors.
type Site struct {
	// Front is where the client is; Back is where NAT's real servers are (nil otherwise).
	Front, Back *LAN
	// D are the directors: d1 at 10.77.0.11, d2 at 10.77.0.12.
	D []*Director
	// RS are the real servers' nodes, Web the servers on them, Sorry the one that apologises.
	RS    []*Node
	Web   []*Server
	Sorry *Server
	// Client asks; Tap listens beside it.
	Client *Node
	Tap    *Tap
	// VIP is 10.77.0.100; VIP6 is fd77::100, on the same switch. With V6 both are fd77::100.
	VIP, VIP6 netip.Addr
	// V6 says that real servers, what is balanced, and VRRP are IPv6; the digits of each address are the same.
	V6 bool
	// Mode is how this site forwards.
	Mode Mode

	lab *Lab
}

// ClientAddr is the client's address.
var ClientAddr = netip.MustParseAddr("10.77.0.50")

// Site builds the set-up with this many real servers. Nothing runs on the directors yet.
func (l *Lab) Site(mode Mode, servers int) *Site { return l.site(&Site{Mode: mode}, servers) }

// Site6 is Site in IPv6.
func (l *Lab) Site6(mode Mode, servers int) *Site {
	return l.site(&Site{Mode: mode, V6: true}, servers)
}

// At is the address with that last number in front, or at the back.
func (s *Site) At(back bool, n int) netip.Addr {
	net := byte(77)
	if back {
		net = 78
	}
	if s.V6 { // the digits are meant to look alike
		return netip.MustParseAddr(fmt.Sprintf("fd%d::%d", net, n))
	}
	return netip.AddrFrom4([4]byte{10, net, 0, byte(n)})
}

// Prefix is the address with the length of its network's prefix.
func (s *Site) Prefix(back bool, n int) string {
	if s.V6 {
		return s.At(back, n).String() + "/64"
	}
	return s.At(back, n).String() + "/24"
}

// Gateway is the address behind which NAT's real servers find the client; it moves with the VIP.
const gateway = 1

// Service is where the client finds the virtual server.
func (s *Site) Service() string { return netip.AddrPortFrom(s.VIP, 80).String() }

func (l *Lab) site(s *Site, servers int) *Site {
	s.lab, s.VIP, s.VIP6 = l, s.At(false, 100), netip.MustParseAddr("fd77::100")
	s.Front = l.LAN("sw")
	s.Client = l.Node("client")
	s.Front.Attach(s.Client, "eth0", "10.77.0.50/24", "fd77::50/64")
	s.Tap = s.Client.Tap("eth0")
	if s.Mode == NAT || s.Mode == FNAT {
		s.Back = l.LAN("swb")
	}
	for range 2 {
		s.AddDirector()
	}
	for i := 1; i <= servers; i++ {
		rs := l.Node(fmt.Sprintf("rs%d", i))
		s.RS = append(s.RS, rs)
		s.attachServer(rs, i)
		s.Web = append(s.Web, rs.Serve(":80"))
	}
	if servers > 0 {
		sorry := l.Node("sorry")
		s.attachServer(sorry, 9)
		s.Sorry = sorry.Serve(":80")
	}
	return s
}

// linkLocal is the address that the kernel gives an interface with that hardware address (RFC 4291 appendix A).
func linkLocal(mac net.HardwareAddr) netip.Addr {
	return netip.AddrFrom16([16]byte{0xfe, 0x80, 8: mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]})
}

// AddDirector adds one more: di at 10.77.0.1i.
func (s *Site) AddDirector() *Director {
	i := len(s.D) + 1
	d := &Director{Node: s.lab.Node(fmt.Sprintf("d%d", i)), Addr: netip.AddrFrom4([4]byte{10, 77, 0, byte(10 + i)}), Addr6: netip.MustParseAddr(fmt.Sprintf("fd77::1%d", i)), site: s}
	s.Front.Attach(d.Node, "eth0", d.Addr.String()+"/24", d.Addr6.String()+"/64")
	d.Wire = s.Front.Tap(d.Node, "eth0")
	if s.V6 { // adverts come from the link-local address
		d.Addr = linkLocal(d.MAC("eth0"))
	}
	if s.Back != nil {
		s.Back.Attach(d.Node, "eth1", s.Prefix(true, 10+i))
	}
	switch {
	case s.Mode == NAT && s.V6: // FNAT sets it by itself
		d.Sysctl("net/ipv6/conf/all/forwarding=1")
	case s.Mode == NAT:
		d.Sysctl("net/ipv4/ip_forward=1")
	}
	d.Dir = filepath.Join(s.lab.Dir, d.Name)
	if err := os.MkdirAll(d.Dir, 0o755); err != nil {
		s.lab.Fatalf("%v", err)
	}
	s.D = append(s.D, d)
	return d
}

// ServerAddr is the address of real server i (from 1).
func (s *Site) ServerAddr(i int) netip.Addr { return s.At(s.Back != nil, 20+i) }

// attachServer does the real server's side of each forwarding method, as the README tells it.
func (s *Site) attachServer(n *Node, i int) {
	addr := s.Prefix(s.Back != nil, 20+i)
	switch s.Mode {
	case NAT:
		s.Back.Attach(n, "eth0", addr)
		n.IP("route add default via " + s.At(true, gateway).String())
	case FNAT:
		s.Back.Attach(n, "eth0", addr)
	default:
		s.Front.Attach(n, "eth0", addr)
		if s.V6 { // neighbour discovery answers for the addresses of the interface alone: nothing to quieten
			n.IP("addr add " + s.VIP.String() + "/128 dev lo")
			return
		}
		n.Sysctl("net/ipv4/conf/all/arp_ignore=1", "net/ipv4/conf/all/arp_announce=2", "net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/eth0/rp_filter=0")
		if s.Mode == TUN {
			n.Sysctl("net/ipv4/conf/tunl0/rp_filter=0")
			n.IP("link set tunl0 up", "addr add "+s.VIP.String()+"/32 dev tunl0")
		} else {
			n.IP("addr add " + s.VIP.String() + "/32 dev lo")
		}
	}
}

// Director is a node that runs Holdfast or keepalived.
type Director struct {
	*Node
	// Addr and Addr6 are its own addresses.
	Addr, Addr6 netip.Addr
	// Wire records what it sends through eth0, under whatever address.
	Wire *Tap
	// Dir holds its files; Daemon is what runs, nil before Start.
	Dir    string
	Daemon *Process

	site  *Site
	kind  string
	runs  int
	zebra *Process
}

// Kind is a daemon to run.
type Kind string

// The daemons.
const (
	Holdfast   Kind = "holdfast"
	Keepalived Kind = "keepalived"
)

// File is the path of the director's configuration.
func (d *Director) File() string { return filepath.Join(d.Dir, "director.conf") }

// RunDir is Holdfast's run directory.
func (d *Director) RunDir() string { return filepath.Join(d.Dir, "run") }

// Write replaces the director's configuration.
func (d *Director) Write(text string) {
	tmp := d.File() + ".new"
	err := os.WriteFile(tmp, []byte(text), 0o644)
	if err == nil {
		err = os.Rename(tmp, d.File())
	}
	if err != nil {
		d.lab.Fatalf("write the configuration: %v", err)
	}
}

// Binary is the Holdfast under test: what HOLDFAST names.
func Binary() string {
	if path := os.Getenv("HOLDFAST"); path != "" {
		return path
	}
	return "holdfast"
}

// Start starts the daemon with the file written last.
func (d *Director) Start(kind Kind) {
	d.runs++
	d.kind = string(kind)
	name := fmt.Sprintf("%s of %s (start %d)", kind, d.Name, d.runs)
	if kind == Keepalived {
		// keepalived takes the zombie of a killed child for a running daemon.
		for _, pid := range []string{"keepalived.pid", "vrrp.pid", "checkers.pid"} {
			_ = os.Remove(filepath.Join(d.Dir, pid))
		}
		d.Daemon = d.Node.Start(name, "keepalived", "-n", "-l", "-D", "-f", d.File(),
			"-p", filepath.Join(d.Dir, "keepalived.pid"), "-r", filepath.Join(d.Dir, "vrrp.pid"), "-c", filepath.Join(d.Dir, "checkers.pid"))
		return
	}
	if err := os.MkdirAll(d.RunDir(), 0o755); err != nil {
		d.lab.Fatalf("%v", err)
	}
	d.Daemon = d.Node.Start(name, Binary(), "run", "-c", d.File(), "--run-dir", d.RunDir(), "--state-dir", filepath.Join(d.Dir, "state"), "--log-format", "json")
}

// Kind is the daemon started last.
func (d *Director) Kind() Kind { return Kind(d.kind) }

// Holdfast runs one of the other subcommands in the director.
func (d *Director) Holdfast(argv ...string) (string, error) {
	return d.Try(append([]string{Binary()}, argv...)...)
}

// HasVIP tells whether the director holds the site's VIP.
func (d *Director) HasVIP() bool { return d.Holds(d.site.VIP.String()) }

// Adverts counts the director's adverts since then.
func (d *Director) Adverts(since time.Time) int { return len(d.site.Tap.Adverts(d.Addr, since)) }

// Owner waits until the wire says that d owns the VIP: it announced it, holds it, and sends adverts, and the other director does not hold it.
func (s *Site) Owner(d *Director) time.Duration {
	return s.lab.Eventually(d.Name+" owns the VIP", func() bool {
		if !d.HasVIP() || d.Adverts(time.Now().Add(-6*time.Second)) == 0 {
			return false
		}
		for _, other := range s.D {
			if other != d && other.HasVIP() {
				return false
			}
		}
		return true
	})
}

// Answering lists who answers ARP for the VIP, by name.
func (s *Site) Answering() []string {
	var names []string
	for _, mac := range s.Client.WhoHas("eth0", ClientAddr, s.VIP) {
		name := mac
		for _, n := range s.lab.nodes {
			if n.MAC("eth0").String() == mac {
				name = n.Name
			}
		}
		names = append(names, name)
	}
	return names
}

// Table is what IPVS holds in the node, as ipvsadm -Sn prints it, without flags and timeouts. It reads what the kernel shows in /proc, for it is asked often.
func (n *Node) Table() []string {
	var text []byte
	n.Do(func() { text = readAtOnce("/proc/thread-self/net/ip_vs") })
	var table []string
	service := ""
	for _, line := range strings.Split(string(text), "\n") {
		f := strings.Fields(line)
		switch {
		case len(f) >= 3 && (f[0] == "TCP" || f[0] == "UDP" || f[0] == "SCTP") && f[1] != "->":
			service = map[string]string{"TCP": "-t ", "UDP": "-u ", "SCTP": "--sctp-service "}[f[0]] + endpoint(f[1])
			table = append(table, "-A "+service+" -s "+f[2])
		case len(f) >= 3 && f[0] == "FWM":
			service = "-f " + f[1]
			table = append(table, "-A "+service+" -s "+f[2])
		case len(f) >= 4 && f[0] == "->" && f[1] != "RemoteAddress:Port":
			flag := map[string]string{"Route": "-g", "Masq": "-m", "Tunnel": "-i", "Local": "-g"}[f[2]]
			table = append(table, "-a "+service+" -r "+endpoint(f[1])+" "+flag+" -w "+f[3])
		}
	}
	return table
}

// readAtOnce reads a file of /proc with as few calls as the kernel lets it. Between two of them ip_vs_info_seq_next (net/netfilter/ipvs/ip_vs_ctl.c) counts the
// services of all network namespaces and ip_vs_info_array those of one: a listing read in small pieces lacks some where another namespace has services.
func readAtOnce(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	text := make([]byte, 0, 256<<10)
	for {
		n, err := f.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if err != nil || n == 0 {
			return text
		}
	}
}

// endpoint turns the kernel's 0A4D0064:0050 into 10.77.0.100:80, and [fd00:0077:...]:0050 likewise; anything else stays.
func endpoint(text string) string {
	host, p, ok := cutLast(text, ":")
	port, err := hex.DecodeString(p)
	if !ok || err != nil || len(port) != 2 {
		return text
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		b, err := hex.DecodeString(host)
		if err != nil || len(b) != 4 {
			return text
		}
		addr = netip.AddrFrom4([4]byte(b))
	}
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(port)).String()
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// InTable tells whether a real server is in the node's table, and its weight.
func (n *Node) InTable(server netip.Addr) (weight string, ok bool) {
	for _, line := range n.Table() {
		f := strings.Fields(line)
		if len(f) > 5 && f[0] == "-a" && f[4] == netip.AddrPortFrom(server, 80).String() {
			for i, w := range f {
				if w == "-w" && i+1 < len(f) {
					return f[i+1], true
				}
			}
			return "", true
		}
	}
	return "", false
}

// Footprint is everything a daemon may leave behind in a node: addresses, IPVS, nftables, sysctls, the sync daemon.
func (n *Node) Footprint() string {
	var b strings.Builder
	for _, argv := range [][]string{
		{"ip", "-br", "addr"}, {"ip", "route", "show", "table", "all"}, {"ip", "rule"}, {"ip", "-6", "rule"}, {"nft", "list", "ruleset"}, {"ipvsadm", "-Sn"}, {"ipvsadm", "-L", "--daemon"},
	} {
		if _, err := exec.LookPath(find(argv[0])); err != nil {
			continue
		}
		out, _ := n.Try(argv...)
		fmt.Fprintf(&b, "# %s\n", strings.Join(argv, " "))
		for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
			if !strings.Contains(line, "fe80::") && !strings.Contains(line, "ff00::") && !strings.Contains(line, "Modprobe") {
				fmt.Fprintln(&b, strings.TrimSpace(line))
			}
		}
	}
	fmt.Fprintf(&b, "# sysctls\n")
	n.Do(func() {
		for _, dir := range []string{"conf/*/*", "vs/*", "ip_forward", "ip_nonlocal_bind"} {
			keys, _ := filepath.Glob("/proc/sys/net/ipv4/" + dir)
			for _, key := range keys {
				text, _ := os.ReadFile(key)
				fmt.Fprintf(&b, "%s = %s\n", key, strings.TrimSpace(string(text)))
			}
		}
	})
	return b.String()
}

// Difference shows the lines only one of two texts has.
func Difference(before, after string) string {
	count := map[string]int{}
	for _, line := range strings.Split(before, "\n") {
		count[line]--
	}
	var b strings.Builder
	for _, line := range strings.Split(after, "\n") {
		if count[line]++; count[line] > 0 {
			fmt.Fprintf(&b, "+%s\n", line)
		}
	}
	for _, line := range strings.Split(before, "\n") {
		if count[line] < 0 {
			count[line]++
			fmt.Fprintf(&b, "-%s\n", line)
		}
	}
	return b.String()
}

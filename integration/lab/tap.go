//go:build linux

package lab

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Advert is one VRRP packet on the wire, read without the project's own codec.
type Advert struct {
	// At is the kernel's time of arrival.
	At time.Time
	// MAC and Source are the sender's hardware and IP addresses.
	MAC    string
	Source netip.Addr
	// TTL is the IP header's.
	TTL int
	// Version, VRID and Priority are the header's fields.
	Version, VRID, Priority int
	// Interval is the advertisement interval in it.
	Interval time.Duration
	// Checksum tells whether it is right.
	Checksum bool
	// To is where it was sent; VIPs are the addresses it lists; AH tells whether an authentication header came before it.
	To   netip.Addr
	VIPs []netip.Addr
	AH   bool
}

// Neighbor is one unsolicited or solicited neighbor advertisement (IPv6) on the wire.
type Neighbor struct {
	// At is the kernel's time of arrival.
	At time.Time
	// MAC is the frame's sender, Link the target link-layer address option.
	MAC, Link string
	// Target is the address it is about, To whom it was sent.
	Target, To netip.Addr
	// Router, Solicited and Override are the flags.
	Router, Solicited, Override bool
}

// ARP is one ARP frame on the wire.
type ARP struct {
	// At is the kernel's time of arrival.
	At time.Time
	// MAC is the frame's sender; SenderMAC, Sender and Target are the packet's fields.
	MAC, SenderMAC string
	Sender, Target netip.Addr
	// Reply tells an answer from a request.
	Reply bool
}

// Gratuitous tells whether the frame announces its own address.
func (a ARP) Gratuitous() bool { return a.Sender == a.Target }

// Tap records adverts and ARP frames that pass an interface, like tcpdump.
type Tap struct {
	mu      sync.Mutex
	adverts []Advert
	arps    []ARP
	nas     []Neighbor
	fd      int
	inward  bool
}

// Tap starts recording on the node's interface.
func (n *Node) Tap(dev string) *Tap { return n.tap(dev, false) }

// Tap records what the node sends into the switch through its interface, whatever address it uses as sender.
func (s *LAN) Tap(n *Node, dev string) *Tap { return s.Node.tap(s.port(n, dev), true) }

func (n *Node) tap(dev string, inward bool) *Tap {
	t := &Tap{inward: inward}
	var err error
	n.Do(func() { t.fd, err = packetSocket(dev, unix.ETH_P_ALL) })
	if err == nil {
		err = withoutTraffic(t.fd)
	}
	if err != nil {
		n.lab.Fatalf("%s: tap on %s: %v", n.Name, dev, err)
	}
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.record(stop)
	}()
	n.lab.atEnd(func() {
		close(stop)
		<-done
		unix.Close(t.fd)
	})
	return t
}

// withoutTraffic keeps TCP and UDP away from a packet socket: a tap has no use for what clients and servers say, and an emulated machine would feel
// every frame of it.
func withoutTraffic(fd int) error {
	filter, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.ETH_P_IP, SkipFalse: 2},
		bpf.LoadAbsolute{Off: 14 + 9, Size: 1},
		bpf.Jump{Skip: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.ETH_P_IPV6, SkipTrue: 3},
		bpf.LoadAbsolute{Off: 14 + 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_UDP, SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 16},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return err
	}
	program := make([]unix.SockFilter, len(filter))
	for i, f := range filter {
		program[i] = unix.SockFilter{Code: f.Op, Jt: f.Jt, Jf: f.Jf, K: f.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}

// packetSocket opens an AF_PACKET socket on the interface, with kernel timestamps and a receive timeout. It must run in the node's namespace.
func packetSocket(dev string, protocol uint16) (int, error) {
	i, err := net.InterfaceByName(dev)
	if err != nil {
		return -1, err
	}
	proto := protocol<<8 | protocol>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(proto))
	if err != nil {
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20)
	tv := unix.NsecToTimeval(int64(50 * time.Millisecond))
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: i.Index}); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// receive reads one frame with the kernel's timestamp; n is 0 when the timeout passed.
func receive(fd int, buf []byte) (n int, at time.Time) {
	n, at, _ = receiveFrom(fd, buf)
	return n, at
}

// receiveFrom also tells whether the frame leaves through the interface (packet sockets see both directions).
func receiveFrom(fd int, buf []byte) (n int, at time.Time, leaving bool) {
	oob := make([]byte, 128)
	n, oobn, _, from, err := unix.Recvmsg(fd, buf, oob, 0)
	if err != nil {
		return 0, time.Time{}, false
	}
	if l, ok := from.(*unix.SockaddrLinklayer); ok {
		leaving = l.Pkttype == unix.PACKET_OUTGOING
	}
	at = time.Now()
	if msgs, err := unix.ParseSocketControlMessage(oob[:oobn]); err == nil {
		for _, m := range msgs {
			if m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
				at = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
			}
		}
	}
	return n, at, leaving
}

func (t *Tap) record(stop chan struct{}) {
	buf := make([]byte, 4096)
	for {
		select {
		case <-stop:
			return
		default:
		}
		n, at, leaving := receiveFrom(t.fd, buf)
		if n < 14 || leaving && t.inward {
			continue
		}
		frame := buf[:n]
		switch binary.BigEndian.Uint16(frame[12:]) {
		case 0x86dd:
			if a, ok := parseAdvert6(frame, at); ok {
				t.mu.Lock()
				t.adverts = append(t.adverts, a)
				t.mu.Unlock()
			}
			if a, ok := parseNeighbor(frame, at); ok {
				t.mu.Lock()
				t.nas = append(t.nas, a)
				t.mu.Unlock()
			}
		case 0x0800:
			if a, ok := parseAdvert(frame, at); ok {
				t.mu.Lock()
				t.adverts = append(t.adverts, a)
				t.mu.Unlock()
			}
		case 0x0806:
			if a, ok := parseARP(frame, at); ok {
				t.mu.Lock()
				t.arps = append(t.arps, a)
				t.mu.Unlock()
			}
		}
	}
}

func parseAdvert(frame []byte, at time.Time) (Advert, bool) {
	ip := frame[14:]
	if len(ip) < 20 || ip[9] != 112 && ip[9] != 51 {
		return Advert{}, false
	}
	size := int(ip[0]&15) * 4
	total := int(binary.BigEndian.Uint16(ip[2:]))
	if size < 20 || total < size+8 || len(ip) < total {
		return Advert{}, false
	}
	v := ip[size:total]
	ah := ip[9] == 51
	if ah {
		if v[0] != 112 || len(v) < 32 {
			return Advert{}, false
		}
		v = v[(int(v[1])+2)*4:]
	}
	a := Advert{At: at, MAC: net.HardwareAddr(frame[6:12]).String(), Source: netip.AddrFrom4([4]byte(ip[12:16])), To: netip.AddrFrom4([4]byte(ip[16:20])), TTL: int(ip[8]), AH: ah}
	a.header(v)
	for i := 0; i < int(v[3]) && 12+4*i <= len(v); i++ {
		a.VIPs = append(a.VIPs, netip.AddrFrom4([4]byte(v[8+4*i:])))
	}
	a.Checksum = checksum(v) == 0
	if a.Version == 3 {
		pseudo := append(append([]byte{}, ip[12:20]...), 0, 112, byte(len(v)>>8), byte(len(v)))
		a.Checksum = a.Checksum || checksum(append(pseudo, v...)) == 0
	}
	return a, true
}

// header reads the first bytes, which IPv4 and IPv6 share.
func (a *Advert) header(v []byte) {
	a.Version, a.VRID, a.Priority = int(v[0]>>4), int(v[1]), int(v[2])
	if a.Version == 3 {
		a.Interval = time.Duration(binary.BigEndian.Uint16(v[4:])&0xfff) * 10 * time.Millisecond
	} else {
		a.Interval = time.Duration(v[5]) * time.Second
	}
}

func parseAdvert6(frame []byte, at time.Time) (Advert, bool) {
	v, ok := payload6(frame, 112)
	if !ok || len(v) < 8 {
		return Advert{}, false
	}
	ip := frame[14:]
	a := Advert{At: at, MAC: net.HardwareAddr(frame[6:12]).String(), Source: netip.AddrFrom16([16]byte(ip[8:])), To: netip.AddrFrom16([16]byte(ip[24:])), TTL: int(ip[7])}
	a.header(v)
	for i := 0; i < int(v[3]) && 24+16*i <= len(v); i++ {
		a.VIPs = append(a.VIPs, netip.AddrFrom16([16]byte(v[8+16*i:])))
	}
	pseudo := append(append([]byte{}, ip[8:40]...), 0, 0, byte(len(v)>>8), byte(len(v)), 0, 0, 0, 112)
	a.Checksum = checksum(append(pseudo, v...)) == 0
	return a, true
}

// payload6 is what follows an IPv6 header with that next header.
func payload6(frame []byte, next byte) ([]byte, bool) {
	ip := frame[14:]
	if len(ip) < 40 || ip[6] != next {
		return nil, false
	}
	size := int(binary.BigEndian.Uint16(ip[4:]))
	if len(ip) < 40+size {
		return nil, false
	}
	return ip[40 : 40+size], true
}

func parseNeighbor(frame []byte, at time.Time) (Neighbor, bool) {
	v, ok := payload6(frame, 58)
	if !ok || len(v) < 24 || v[0] != 136 {
		return Neighbor{}, false
	}
	n := Neighbor{At: at, MAC: net.HardwareAddr(frame[6:12]).String(), Target: netip.AddrFrom16([16]byte(v[8:24])), To: netip.AddrFrom16([16]byte(frame[14+24:])),
		Router: v[4]&0x80 != 0, Solicited: v[4]&0x40 != 0, Override: v[4]&0x20 != 0}
	if len(v) >= 32 && v[24] == 2 {
		n.Link = net.HardwareAddr(v[26:32]).String()
	}
	return n, true
}

func parseARP(frame []byte, at time.Time) (ARP, bool) {
	p := frame[14:]
	if len(p) < 28 || binary.BigEndian.Uint16(p) != 1 || binary.BigEndian.Uint16(p[2:]) != 0x0800 {
		return ARP{}, false
	}
	return ARP{At: at, MAC: net.HardwareAddr(frame[6:12]).String(), SenderMAC: net.HardwareAddr(p[8:14]).String(),
		Sender: netip.AddrFrom4([4]byte(p[14:18])), Target: netip.AddrFrom4([4]byte(p[24:28])), Reply: p[7] == 2}, true
}

// checksum is the internet checksum: 0 over data that carries its own right one.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// Adverts returns what passed since then (zero: everything), optionally only from one sender (invalid address: all).
func (t *Tap) Adverts(from netip.Addr, since time.Time) []Advert {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []Advert
	for _, a := range t.adverts {
		if (!from.IsValid() || a.Source == from) && !a.At.Before(since) {
			list = append(list, a)
		}
	}
	return list
}

// GratuitousARPs returns the announcements of an address since then.
func (t *Tap) GratuitousARPs(addr netip.Addr, since time.Time) []ARP {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []ARP
	for _, a := range t.arps {
		if a.Gratuitous() && a.Sender == addr && !a.At.Before(since) {
			list = append(list, a)
		}
	}
	return list
}

// Announcements returns the unsolicited neighbor advertisements for an address since then.
func (t *Tap) Announcements(addr netip.Addr, since time.Time) []Neighbor {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []Neighbor
	for _, a := range t.nas {
		if a.Target == addr && !a.Solicited && !a.At.Before(since) {
			list = append(list, a)
		}
	}
	return list
}

// ARPs returns every ARP frame since then.
func (t *Tap) ARPs(since time.Time) []ARP {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []ARP
	for _, a := range t.arps {
		if !a.At.Before(since) {
			list = append(list, a)
		}
	}
	return list
}

// LongestGap is the longest time between two adverts of a sender since then, up to now.
func (t *Tap) LongestGap(from netip.Addr, since time.Time) time.Duration {
	last, longest := since, time.Duration(0)
	for _, a := range t.Adverts(from, since) {
		longest, last = max(longest, a.At.Sub(last)), a.At
	}
	return max(longest, time.Since(last))
}

func (a Advert) String() string {
	return fmt.Sprintf("%s v%d vrid %d priority %d interval %v ttl %d", a.Source, a.Version, a.VRID, a.Priority, a.Interval, a.TTL)
}

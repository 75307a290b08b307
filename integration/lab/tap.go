//go:build linux

package lab

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

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
	fd      int
}

// Tap starts recording on the node's interface.
func (n *Node) Tap(dev string) *Tap {
	t := &Tap{}
	var err error
	n.Do(func() { t.fd, err = packetSocket(dev, unix.ETH_P_ALL) })
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
	oob := make([]byte, 128)
	n, oobn, _, _, err := unix.Recvmsg(fd, buf, oob, 0)
	if err != nil {
		return 0, time.Time{}
	}
	at = time.Now()
	if msgs, err := unix.ParseSocketControlMessage(oob[:oobn]); err == nil {
		for _, m := range msgs {
			if m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
				at = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
			}
		}
	}
	return n, at
}

func (t *Tap) record(stop chan struct{}) {
	buf := make([]byte, 4096)
	for {
		select {
		case <-stop:
			return
		default:
		}
		n, at := receive(t.fd, buf)
		if n < 14 {
			continue
		}
		frame := buf[:n]
		switch binary.BigEndian.Uint16(frame[12:]) {
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
	if len(ip) < 20 || ip[9] != 112 {
		return Advert{}, false
	}
	size := int(ip[0]&15) * 4
	total := int(binary.BigEndian.Uint16(ip[2:]))
	if size < 20 || total < size+8 || len(ip) < total {
		return Advert{}, false
	}
	v := ip[size:total]
	a := Advert{At: at, MAC: net.HardwareAddr(frame[6:12]).String(), Source: netip.AddrFrom4([4]byte(ip[12:16])), TTL: int(ip[8]),
		Version: int(v[0] >> 4), VRID: int(v[1]), Priority: int(v[2])}
	if a.Version == 3 {
		a.Interval = time.Duration(binary.BigEndian.Uint16(v[4:])&0xfff) * 10 * time.Millisecond
		pseudo := append(append([]byte{}, ip[12:20]...), 0, 112, byte(len(v)>>8), byte(len(v)))
		a.Checksum = checksum(append(pseudo, v...)) == 0 || checksum(v) == 0
	} else {
		a.Interval = time.Duration(v[5]) * time.Second
		a.Checksum = checksum(v) == 0
	}
	return a, true
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

//go:build linux

package lab

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Forged is a VRRP packet to send, right unless told otherwise.
type Forged struct {
	Version, VRID, Priority int
	TTL                     byte
	Source                  netip.Addr
	VIPs                    []netip.Addr
	// Seconds is the advertisement interval.
	Seconds int
	// AuthType and Auth are v2's authentication.
	AuthType byte
	Auth     string
	// BadChecksum spoils it; Cut leaves only so many bytes of the VRRP packet (0: all).
	BadChecksum bool
	Cut         int
}

// Frame is the Ethernet frame of the packet, to VRRP's multicast group.
func (f Forged) Frame(mac net.HardwareAddr) []byte {
	v := []byte{byte(f.Version<<4 | 1), byte(f.VRID), byte(f.Priority), byte(len(f.VIPs)), 0, 0, 0, 0}
	if f.Version == 3 {
		binary.BigEndian.PutUint16(v[4:], uint16(f.Seconds*100))
	} else {
		v[4], v[5] = f.AuthType, byte(f.Seconds)
	}
	for _, a := range f.VIPs {
		b := a.As4()
		v = append(v, b[:]...)
	}
	if f.Version != 3 {
		auth := make([]byte, 8)
		copy(auth, f.Auth)
		v = append(v, auth...)
	}
	src, dst := f.Source.As4(), [4]byte{224, 0, 0, 18}
	sum := checksum(v)
	if f.Version == 3 {
		pseudo := append(append([]byte{}, src[:]...), dst[:]...)
		sum = checksum(append(append(pseudo, 0, 112, byte(len(v)>>8), byte(len(v))), v...))
	}
	if f.BadChecksum {
		sum++
	}
	binary.BigEndian.PutUint16(v[6:], sum)
	if f.Cut > 0 && f.Cut < len(v) {
		v = v[:f.Cut]
	}
	ip := make([]byte, 20)
	ip[0], ip[1], ip[8], ip[9] = 0x45, 0xc0, f.TTL, 112
	binary.BigEndian.PutUint16(ip[2:], uint16(20+len(v)))
	copy(ip[12:], src[:])
	copy(ip[16:], dst[:])
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	frame := append([]byte{0x01, 0x00, 0x5e, 0, 0, 18}, mac...)
	frame = append(frame, 8, 0)
	frame = append(append(frame, ip...), v...)
	for len(frame) < 60 {
		frame = append(frame, 0)
	}
	return frame
}

// Send puts a raw frame on the node's interface.
func (n *Node) Send(dev string, frame []byte) {
	var err error
	n.Do(func() {
		var fd int
		if fd, err = packetSocket(dev, unix.ETH_P_IP); err == nil {
			_, err = unix.Write(fd, frame)
			unix.Close(fd)
		}
	})
	if err != nil {
		n.lab.Fatalf("%s: send on %s: %v", n.Name, dev, err)
	}
}

package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/sirupsen/logrus"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// The traps of moby/ipvs v1.1.0 and where each has its test. Those of TestKernel need a kernel with IPVS (build tag vm).
//
//	family number asked once, success without a module   TestKernel: no module, module loaded anew
//	writes its own lines to standard error               TestLibraryIsSilent
//	not safe for concurrent use                          one owner: internal/reconcile; Close from outside: TestKernel: closed under a call
//	a lost reply is an endless loop                      TestKernel: closed under a call (what the guard of a call does)
//	no address family of a server                        TestLibraryIsAskedNothingItCannotSay; TestKernel: mixed families
//	IPv4-mapped addresses                                TestRefusedBeforeSending
//	mask in network order, 0 makes one client of all     TestMasks; TestKernel: every kind of service (against ipvsadm)
//	an update replaces all flags, HASHED is read back    ipvssync: TestDiffSeesEveryField, TestDiffIsBlindOnPurpose
//	a timeout without persistence is stored              TestTimeoutWithoutPersistence
//	weights are read back in 16 bits                     TestRefusedBeforeSending
//	the persistence engine is not read                   TestCodec; TestKernel: every kind of service
//	counters of 32 bits                                  TestCountersOf64Bits; TestKernel: counters
//	timeouts are cut to seconds                          TestRefusedBeforeSending; TestKernel: timeouts
//	a failed dump is a short list                        our own codec reads; FuzzDecode; TestKernel: errors
//	a dump is no snapshot                                internal/reconcile: TestListingsThatLie
//	the kernel does not validate                         TestRefusedBeforeSending; ipvssync: TestValidate
//	marks need a family, and are two services            TestKernel: every kind of service
func TestLibraryIsSilent(t *testing.T) {
	k := Open()
	defer k.Close()
	if logrus.StandardLogger().Out != io.Discard {
		t.Error("moby/ipvs can write to standard error")
	}
}

func TestLibraryIsAskedNothingItCannotSay(t *testing.T) {
	service := ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("[2001:db8::1]:80"))}
	for _, kind := range []ipvssync.OpKind{ipvssync.AddServer, ipvssync.UpdateServer, ipvssync.DeleteServer} {
		for addr, want := range map[string]bool{"10.0.0.1:80": true, "[fd00::1]:80": false} {
			op := ipvssync.Op{Kind: kind, Service: service, Server: ipvssync.Server{Addr: netip.MustParseAddrPort(addr)}}
			if needsCodec(op) != want {
				t.Errorf("%s: by our own codec %v", op, !want)
			}
			op.Server.Forward = ipvssync.TUN
			if !needsCodec(op) {
				t.Errorf("%s: a tunnel goes through the library", op)
			}
		}
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	k := Open() // without IPVS every answer but a refusal would be ErrNoIPVS
	defer k.Close()
	tcp := ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80"))
	service := func(f func(*ipvssync.Service)) ipvssync.Op {
		op := ipvssync.Op{Kind: ipvssync.AddService, Service: ipvssync.Service{Key: tcp, Scheduler: "rr"}}
		f(&op.Service)
		return op
	}
	server := func(addr string, weight int) ipvssync.Op {
		return ipvssync.Op{Kind: ipvssync.AddServer, Service: ipvssync.Service{Key: tcp}, Server: ipvssync.Server{Addr: netip.MustParseAddrPort(addr), Weight: weight}}
	}
	for name, op := range map[string]ipvssync.Op{
		"protocol 47":            service(func(s *ipvssync.Service) { s.Protocol = 47 }),
		"one packet of TCP":      service(func(s *ipvssync.Service) { s.Flags = ipvssync.OnePacket }),
		"port 0":                 service(func(s *ipvssync.Service) { s.Port = 0 }),
		"engine alone":           service(func(s *ipvssync.Service) { s.Engine = "sip" }),
		"IPv4-mapped service":    service(func(s *ipvssync.Service) { s.Addr = netip.MustParseAddr("::ffff:192.0.2.1") }),
		"IPv4-mapped server":     server("[::ffff:10.0.0.1]:80", 1),
		"IPv6 server":            server("[fd00::7]:80", 1),
		"weight of 17 bits":      server("10.0.0.1:80", 70000),
		"weight below 0":         server("10.0.0.1:80", -1),
		"mark and no family":     service(func(s *ipvssync.Service) { s.Key = ipvssync.Key{Mark: 7} }),
		"the kernel's own flags": service(func(s *ipvssync.Service) { s.Flags = 2 }),
	} {
		if err := k.Apply(context.Background(), op); !errors.Is(err, ipvssync.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, d := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, -time.Second} {
		if err := k.SetTimeouts(context.Background(), ipvssync.Timeouts{TCP: d}); !errors.Is(err, ipvssync.ErrRefused) {
			t.Errorf("a timeout of %s: %v", d, err)
		}
	}
}

func TestMasks(t *testing.T) {
	v4, v6 := ipvssync.Service{}, ipvssync.Service{}
	v4.Family, v6.Family = ipvssync.IPv4, ipvssync.IPv6
	for bits, bytes := range map[uint8][4]byte{0: {255, 255, 255, 255}, 32: {255, 255, 255, 255}, 24: {255, 255, 255, 0}, 9: {255, 128, 0, 0}, 1: {128, 0, 0, 0}} {
		v4.Mask = bits
		if got := kernelMask(v4); got != binary.NativeEndian.Uint32(bytes[:]) {
			t.Errorf("IPv4 /%d is %#x", bits, got)
		}
	}
	for bits, want := range map[uint8]uint32{0: 128, 128: 128, 64: 64, 1: 1} {
		v6.Mask = bits
		if got := kernelMask(v6); got != want {
			t.Errorf("IPv6 /%d is %d", bits, got)
		}
	}
}

func TestTimeoutWithoutPersistence(t *testing.T) {
	b, err := encode(func(ae *netlink.AttributeEncoder) {
		ae.Nested(attrService, func(n *netlink.AttributeEncoder) error {
			putKey(n, ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80")))
			n.String(svcSched, "rr")
			n.Bytes(svcFlags, make([]byte, 8)) // no persistence
			n.Uint32(svcTimeout, 300)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if st, err := decodeService(b, true); err != nil || st.service.Persistence != 0 {
		t.Errorf("%+v, %v", st.service, err)
	}
}

func TestCountersOf64Bits(t *testing.T) {
	const large = math.MaxUint32 + 7
	b, err := encode(func(ae *netlink.AttributeEncoder) {
		ae.Nested(attrDest, func(n *netlink.AttributeEncoder) error {
			n.Uint16(destFamily, kernelFamily(ipvssync.IPv4))
			n.Bytes(destAddr, []byte{10, 0, 0, 1})
			n.Bytes(destPort, []byte{0, 80})
			n.Nested(destStats64, func(s *netlink.AttributeEncoder) error {
				for i := uint16(1); i <= 10; i++ {
					s.Uint64(i, large+uint64(i))
				}
				s.Uint64(11, 1) // padding
				return nil
			})
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := decodeServer(b, ipvssync.IPv4, true)
	want := ipvssync.Counters{Connections: large + 1, InPackets: large + 2, OutPackets: large + 3, InBytes: large + 4, OutBytes: large + 5,
		CPS: large + 6, InPacketRate: large + 7, OutPacketRate: large + 8, InByteRate: large + 9, OutByteRate: large + 10}
	if err != nil || st.Counters != want {
		t.Errorf("%+v, %v", st.Counters, err)
	}
}

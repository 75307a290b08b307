package probe

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/holdfast-ha/holdfast/checkers"
)

// reply answers every datagram with what f makes of it; nothing answers nothing.
func reply(t *testing.T, f func([]byte) [][]byte) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { c.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, 65536)
		for {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			for _, answer := range f(b[:n]) {
				_, _ = c.WriteToUDPAddrPort(answer, from)
			}
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestUDP(t *testing.T) {
	var heard []byte
	silent := reply(t, func([]byte) [][]byte { return nil })
	echo := reply(t, func(b []byte) [][]byte { heard = append([]byte{}, b...); return [][]byte{heard} })
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	nobody := c.LocalAddr().(*net.UDPAddr).AddrPort()
	c.Close()
	short := 300 * time.Millisecond
	for _, row := range []struct {
		name   string
		target netip.AddrPort
		params *checkers.UDPParams
		want   checkers.Reason
	}{
		{"silence is fine", silent, nil, checkers.OK},
		{"an answer too", echo, nil, checkers.OK},
		{"nobody there", nobody, nil, checkers.Refused},
		{"a reply is required", silent, &checkers.UDPParams{RequireReply: true}, checkers.Timeout},
		{"and comes", echo, &checkers.UDPParams{RequireReply: true, Payload: []byte{1, 2, 3}}, checkers.OK},
		{"it matches", echo, &checkers.UDPParams{RequireReply: true, Payload: []byte{1, 2, 3}, Reply: []byte{1, 0, 3}, Mask: []byte{0xff, 0, 0xff}}, checkers.OK},
		{"it does not", echo, &checkers.UDPParams{RequireReply: true, Payload: []byte{1, 2, 3}, Reply: []byte{1, 0, 3}}, checkers.Body},
		{"too short for the pattern", echo, &checkers.UDPParams{RequireReply: true, Payload: []byte{1}, Reply: []byte{1, 0}}, checkers.Body},
		{"too short", echo, &checkers.UDPParams{RequireReply: true, Payload: []byte{1}, MinReply: 2}, checkers.Body},
		{"too long", echo, &checkers.UDPParams{RequireReply: true, Payload: []byte{1, 2, 3}, MaxReply: 2}, checkers.Body},
	} {
		t.Run(row.name, func(t *testing.T) {
			timeout := 10 * time.Second
			if row.target == silent {
				timeout = short
			}
			what := checkers.Probe{Kind: checkers.UDP, Target: row.target, Timeout: timeout}
			if row.params != nil {
				what.Params = row.params
			}
			expect(t, attempt(t, what), row.want)
		})
	}
}

func TestDNS(t *testing.T) {
	answer := func(rcode dnsmessage.RCode, change func(m *dnsmessage.Message)) netip.AddrPort {
		return reply(t, func(b []byte) [][]byte {
			var m dnsmessage.Message
			if m.Unpack(b) != nil {
				return nil
			}
			m.Response, m.RCode = true, rcode
			if change != nil {
				change(&m)
			}
			out, err := m.Pack()
			if err != nil {
				return nil
			}
			return [][]byte{out}
		})
	}
	short := 300 * time.Millisecond
	for _, row := range []struct {
		name   string
		target netip.AddrPort
		params *checkers.DNSParams
		want   checkers.Reason
	}{
		{"empty answer", answer(0, nil), nil, checkers.OK},
		{"empty answer, records wanted", answer(0, nil), &checkers.DNSParams{RequireAnswer: true, Type: "a", Name: "www.example"}, checkers.Body},
		{"record", answer(0, func(m *dnsmessage.Message) {
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: 1}, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}}}
		}), &checkers.DNSParams{RequireAnswer: true, Type: "A", Name: "www.example."}, checkers.OK},
		{"server failure", answer(dnsmessage.RCodeServerFailure, nil), nil, checkers.Status},
		{"refused without the question", answer(dnsmessage.RCodeRefused, func(m *dnsmessage.Message) { m.Questions = nil }), nil, checkers.Status},
		{"another id is ignored", answer(0, func(m *dnsmessage.Message) { m.ID++ }), nil, checkers.Timeout},
		{"another question is ignored", answer(0, func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("evil.example.") }), nil, checkers.Timeout},
		{"a query is no answer", answer(0, func(m *dnsmessage.Message) { m.Response = false }), nil, checkers.Timeout},
		{"garbage before the answer", reply(t, func(b []byte) [][]byte {
			good := append([]byte{}, b...)
			good[2] |= 0x80
			return [][]byte{[]byte("garbage"), {}, good}
		}), nil, checkers.OK},
		{"unknown type", answer(0, nil), &checkers.DNSParams{Type: "LOC"}, checkers.Invalid},
		{"impossible name", answer(0, nil), &checkers.DNSParams{Name: string(make([]byte, 300))}, checkers.Invalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			timeout := 10 * time.Second
			if row.want == checkers.Timeout {
				timeout = short
			}
			what := checkers.Probe{Kind: checkers.DNS, Target: row.target, Timeout: timeout}
			if row.params != nil {
				what.Params = row.params
			}
			expect(t, attempt(t, what), row.want)
		})
	}
}

func TestDNSOverTCP(t *testing.T) {
	at := serve(t, func(c *net.TCPConn) {
		if b := query(c); len(b) > 4 {
			b[4] |= 0x80
			_, _ = c.Write(b)
		}
	})
	expect(t, attempt(t, checkers.Probe{Kind: checkers.DNS, Target: at, Params: &checkers.DNSParams{TCP: true}}), checkers.OK)
	short := serve(t, func(c *net.TCPConn) {
		query(c) // unread bytes would make closing a reset
		_, _ = c.Write([]byte{0, 50, 1, 2})
	})
	expect(t, attempt(t, checkers.Probe{Kind: checkers.DNS, Target: short, Params: &checkers.DNSParams{TCP: true}}), checkers.Closed)
}

// query reads one whole DNS message with its length before it, however it is cut into segments.
func query(c *net.TCPConn) []byte {
	b := make([]byte, 2, 512)
	if _, err := io.ReadFull(c, b); err != nil {
		return nil
	}
	b = b[:2+int(binary.BigEndian.Uint16(b))]
	if _, err := io.ReadFull(c, b[2:]); err != nil {
		return nil
	}
	return b
}

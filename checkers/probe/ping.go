package probe

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// pingSize is the payload's length in bytes, keepalived's.
const pingSize = 128

const (
	echoRequest4, echoReply4 = 8, 0
	echoRequest6, echoReply6 = 128, 129
)

// ping sends one ICMP echo over a socket shared by all checks of the same family, source, interface and mark, and waits for the
// reply that carries its token and comes from its target.
func (p *Prober) ping(ctx context.Context, what *checkers.Probe) checkers.Result {
	for try := 0; ; try++ {
		s, err := p.pings.get(what)
		if err != nil {
			return failed(what, "open an ICMP socket", err)
		}
		r, stale := s.ping(ctx, what)
		p.pings.put(s)
		if !stale {
			return r
		}
		// The interface or the address the socket was bound to is another one by now: a new socket sees it.
		p.pings.forget(s)
		if try > 0 {
			return r
		}
	}
}

func (s *pingSocket) ping(ctx context.Context, what *checkers.Probe) (r checkers.Result, stale bool) {
	w := &waiting{from: what.Target.Addr().Unmap().WithZone(""), got: make(chan struct{}, 1)}
	token := s.await(w)
	defer s.forget(token)
	start := time.Now()
	if err := s.send(what.Target.Addr(), echo(s.six, s.id, uint16(token), token)); err != nil {
		r = failed(what, "send the echo request", err)
		return r, r.Reason.IsLocal()
	}
	select {
	case <-w.got:
		r = checkers.Pass()
		r.Latency.FirstByte = time.Since(start)
		return r, false
	case <-s.broken:
		return checkers.Fail(checkers.Local, "the ICMP socket broke"), true
	case <-ctx.Done():
		return failed(what, "wait for the echo reply", ctx.Err()), false
	}
}

// echo is an ICMP echo request (RFC 792; RFC 4443, 4.1). The kernel fills ICMPv6's checksum.
func echo(six bool, id, seq uint16, token uint64) []byte {
	b := make([]byte, 8+pingSize)
	b[0] = echoRequest4
	if six {
		b[0] = echoRequest6
	}
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], seq)
	binary.BigEndian.PutUint64(b[8:], token)
	copy(b[16:], "keepalived compatible echo request")
	if !six {
		binary.BigEndian.PutUint16(b[2:], checksum(b))
	}
	return b
}

// checksum is the Internet checksum (RFC 1071) of b, whose length is even.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// parseEchoReply finds the token in an ICMP message without IP header.
func parseEchoReply(six bool, id uint16, b []byte) (token uint64, ok bool) {
	want := byte(echoReply4)
	if six {
		want = echoReply6
	}
	if len(b) < 16 || b[0] != want || b[1] != 0 || binary.BigEndian.Uint16(b[4:]) != id {
		return 0, false
	}
	return binary.BigEndian.Uint64(b[8:]), true
}

// waiting is one echo request on its way.
type waiting struct {
	from netip.Addr
	got  chan struct{}
}

// await draws a token nobody else waits with.
func (s *pingSocket) await(w *waiting) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		token := rand.Uint64()
		if s.waiting[token] == nil {
			s.waiting[token] = w
			return token
		}
	}
}

func (s *pingSocket) forget(token uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, token)
}

// arrived wakes whoever waits for this token from this address.
func (s *pingSocket) arrived(token uint64, from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.waiting[token]; w != nil && w.from == from.Unmap().WithZone("") {
		select {
		case w.got <- struct{}{}:
		default:
		}
	}
}

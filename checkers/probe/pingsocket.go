package probe

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

const (
	// pingBuffer holds the replies to a burst of some thousands of requests.
	pingBuffer = 4 << 20
	// pingIdle is how long a socket without use stays open.
	pingIdle = 10 * time.Minute
)

// pingKey is what one raw socket can serve.
type pingKey struct {
	six    bool
	source netip.Addr
	device string
	mark   uint32
}

func keyOf(what *checkers.Probe) pingKey {
	return pingKey{what.Target.Addr().Unmap().Is6(), what.Bind.Addr(), what.Interface, what.Mark}
}

// pingSocket is a raw ICMP socket that hears only the echo replies to its own id.
type pingSocket struct {
	key    pingKey
	six    bool
	id     uint16
	conn   *net.IPConn
	broken chan struct{}

	mu      sync.Mutex
	waiting map[uint64]*waiting

	// users and used belong to pingSockets.
	users int
	used  time.Time
}

// pingSockets are the sockets in use.
type pingSockets struct {
	mu     sync.Mutex
	closed bool
	open   map[pingKey]*pingSocket
	done   sync.WaitGroup
}

func (p *pingSockets) get(what *checkers.Probe) (*pingSocket, error) {
	key := keyOf(what)
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, net.ErrClosed
	}
	s := p.open[key]
	if s == nil {
		var err error
		if s, err = openPing(key, what); err != nil {
			return nil, err
		}
		for k, old := range p.open {
			if old.users == 0 && now.Sub(old.used) > pingIdle {
				old.conn.Close()
				delete(p.open, k)
			}
		}
		if p.open == nil {
			p.open = map[pingKey]*pingSocket{}
		}
		p.open[key] = s
		p.done.Add(1)
		go func() { defer p.done.Done(); s.read() }()
	}
	s.users++
	s.used = now
	return s, nil
}

func (p *pingSockets) put(s *pingSocket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.users--
}

// forget closes a socket that no longer works; those who still wait on it try again on another.
func (p *pingSockets) forget(s *pingSocket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[s.key] == s {
		delete(p.open, s.key)
		s.conn.Close()
	}
}

func (p *pingSockets) close() {
	p.mu.Lock()
	p.closed = true
	for k, s := range p.open {
		s.conn.Close()
		delete(p.open, k)
	}
	p.mu.Unlock()
	p.done.Wait()
}

func openPing(key pingKey, what *checkers.Probe) (*pingSocket, error) {
	s := &pingSocket{key: key, six: key.six, id: uint16(rand.Uint32()), broken: make(chan struct{}), waiting: map[uint64]*waiting{}}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return onFD(c, func(fd int) error {
			if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, pingBuffer) != nil {
				_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, pingBuffer)
			}
			if key.mark != 0 {
				if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(key.mark)); err != nil {
					return err
				}
			}
			if key.device != "" {
				return unix.BindToDevice(fd, key.device)
			}
			return nil
		})
	}}
	network, address := "ip4:icmp", "0.0.0.0"
	if key.six {
		network, address = "ip6:ipv6-icmp", "::"
	}
	if key.source.IsValid() {
		address = key.source.String()
	}
	c, err := lc.ListenPacket(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	s.conn = c.(*net.IPConn)
	if err := s.filter(); err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

// filter keeps everything but our echo replies in the kernel: every raw socket would otherwise hear every ICMP packet of the host.
func (s *pingSocket) filter() error {
	reply := uint32(echoReply4)
	program := []bpf.Instruction{bpf.LoadMemShift{Off: 0}} // IPv4: X is the length of the IP header, which the filter sees
	if s.six {
		reply = echoReply6
		program = []bpf.Instruction{bpf.LoadConstant{Dst: bpf.RegX, Val: 0}} // IPv6: it starts at the ICMPv6 header
	}
	program = append(program,
		bpf.LoadIndirect{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: reply, SkipTrue: 3},
		bpf.LoadIndirect{Off: 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(s.id), SkipTrue: 1},
		bpf.RetConstant{Val: 0xffff},
		bpf.RetConstant{Val: 0},
	)
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	if !s.six {
		return ipv4.NewPacketConn(s.conn).SetBPF(raw)
	}
	var types ipv6.ICMPFilter
	types.SetAll(true)
	types.Accept(ipv6.ICMPTypeEchoReply)
	c := ipv6.NewPacketConn(s.conn)
	if err := c.SetICMPFilter(&types); err != nil {
		return err
	}
	return c.SetBPF(raw)
}

func (s *pingSocket) send(to netip.Addr, b []byte) error {
	_, err := s.conn.WriteToIP(b, &net.IPAddr{IP: to.Unmap().AsSlice(), Zone: to.Zone()})
	return err
}

// read hands out replies until the socket is closed. Errors that pass (an interface that went down) do not end it.
func (s *pingSocket) read() {
	defer close(s.broken)
	b := make([]byte, 2048)
	for failures := 0; failures < 100; {
		n, from, err := s.conn.ReadFromIP(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			failures++
			continue
		}
		failures = 0
		addr, _ := netip.AddrFromSlice(from.IP)
		if token, ok := parseEchoReply(s.six, s.id, b[:n]); ok {
			s.arrived(token, addr)
		}
	}
	s.conn.Close()
}

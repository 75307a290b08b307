//go:build linux

package lab

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Pinger asks an address by ICMP echo at a steady rate: the finest view of silence a client can have.
type Pinger struct {
	mu      sync.Mutex
	sent    int
	answers []answer
	stop    chan struct{}
	done    chan struct{}
}

type answer struct{ sent, at time.Time }

// Silence sums up what a pinger saw.
type Silence struct {
	// Sent and Lost count questions and those without an answer.
	Sent, Lost int
	// Longest is the longest time between two answers; From is its beginning.
	Longest time.Duration
	From    time.Time
}

func (s Silence) String() string {
	return fmt.Sprintf("longest silence %v, %d of %d questions lost", s.Longest.Round(100*time.Microsecond), s.Lost, s.Sent)
}

// Ping starts asking.
func (n *Node) Ping(addr netip.Addr, every time.Duration) *Pinger {
	p := &Pinger{stop: make(chan struct{}), done: make(chan struct{})}
	var fd int
	var err error
	// IPv6's raw sockets give no IP header, and the kernel fills in the checksum.
	v6 := addr.Is6()
	request, reply, header := byte(8), byte(0), 20
	if v6 {
		request, reply, header = 128, 129, 0
		n.Do(func() { fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6) })
	} else {
		n.Do(func() { fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP) })
	}
	if err != nil {
		n.lab.Fatalf("%s: ICMP socket: %v", n.Name, err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	tv := unix.NsecToTimeval(int64(20 * time.Millisecond))
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
	id := uint16(rand.Uint32())
	var to unix.Sockaddr
	if v6 {
		to = &unix.SockaddrInet6{Addr: addr.As16()}
	} else {
		to = &unix.SockaddrInet4{Addr: addr.As4()}
	}
	var wg sync.WaitGroup
	sending := make(chan struct{})
	wg.Add(2)
	go func() {
		defer wg.Done()
		defer close(sending)
		packet := make([]byte, 16)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
			}
			packet[0], packet[2], packet[3] = request, 0, 0
			binary.BigEndian.PutUint16(packet[4:], id)
			binary.BigEndian.PutUint64(packet[8:], uint64(time.Now().UnixNano()))
			binary.BigEndian.PutUint16(packet[2:], checksum(packet))
			p.mu.Lock()
			p.sent++
			p.mu.Unlock()
			_ = unix.Sendto(fd, packet, 0, to) // a failure is a lost question
		}
	}()
	go func() {
		defer wg.Done()
		buf := make([]byte, 2048)
		var grace <-chan time.Time
		for {
			size, at := receive(fd, buf)
			echo := buf[header:]
			if size >= header+16 && echo[0] == reply && binary.BigEndian.Uint16(echo[4:]) == id && (v6 || netip.AddrFrom4([4]byte(buf[12:16])) == addr) {
				p.mu.Lock()
				p.answers = append(p.answers, answer{time.Unix(0, int64(binary.BigEndian.Uint64(echo[8:]))), at})
				p.mu.Unlock()
			}
			select {
			case <-sending:
				if grace == nil {
					grace = time.After(200 * time.Millisecond)
				}
			default:
			}
			select {
			case <-grace:
				return
			default:
			}
		}
	}()
	go func() {
		wg.Wait()
		unix.Close(fd)
		close(p.done)
	}()
	n.lab.atEnd(func() { p.Stop() })
	return p
}

// Answered tells whether an answer to a question asked after that moment came.
func (p *Pinger) Answered(after time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.answers) - 1; i >= 0 && i > len(p.answers)-50; i-- {
		if p.answers[i].sent.After(after) {
			return true
		}
	}
	return false
}

// Since sums up from a moment on.
func (p *Pinger) Since(since time.Time) Silence {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Silence{Sent: p.sent, Lost: p.sent - len(p.answers)}
	var last time.Time
	for _, a := range p.answers {
		if a.at.Before(since) {
			last = a.at
			continue
		}
		if !last.IsZero() && a.at.Sub(last) > s.Longest {
			s.Longest, s.From = a.at.Sub(last), last
		}
		last = a.at
	}
	return s
}

// Stop ends asking and sums up.
func (p *Pinger) Stop() Silence {
	p.mu.Lock()
	select {
	case <-p.stop:
	default:
		close(p.stop)
	}
	p.mu.Unlock()
	<-p.done
	return p.Since(time.Time{})
}

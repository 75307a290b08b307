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
	mu        sync.Mutex
	questions []question
	stop      chan struct{}
	done      chan struct{}
}

// question is one echo request; at is zero as long as there is no answer.
type question struct{ sent, at time.Time }

// Silence sums up what a pinger saw.
type Silence struct {
	// Sent and Lost count questions and those without an answer.
	Sent, Lost int
	// Longest is the longest time for which a question that was asked had no answer: one answer's delay, or from the first lost question to the next answer. That the
	// asker itself was held up is no silence. From is its beginning.
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
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20) // a reader that is held up loses nothing
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
			p.mu.Lock()
			binary.BigEndian.PutUint64(packet[8:], uint64(len(p.questions)))
			p.questions = append(p.questions, question{sent: time.Now()})
			p.mu.Unlock()
			binary.BigEndian.PutUint16(packet[2:], checksum(packet))
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
				if n := binary.BigEndian.Uint64(echo[8:]); n < uint64(len(p.questions)) && p.questions[n].at.IsZero() {
					p.questions[n].at = at
				}
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
	for i := len(p.questions) - 1; i >= 0 && p.questions[i].sent.After(after); i-- {
		if !p.questions[i].at.IsZero() {
			return true
		}
	}
	return false
}

// Since sums up from a moment on.
func (p *Pinger) Since(since time.Time) Silence {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Silence{}
	var lost time.Time // the first question of those without an answer
	for _, q := range p.questions {
		if q.sent.Before(since) {
			continue
		}
		s.Sent++
		if q.at.IsZero() {
			s.Lost++
			if lost.IsZero() {
				lost = q.sent
			}
			continue
		}
		from := q.sent
		if !lost.IsZero() {
			from, lost = lost, time.Time{}
		}
		if d := q.at.Sub(from); d > s.Longest {
			s.Longest, s.From = d, from
		}
	}
	if !lost.IsZero() { // a silence that has not ended
		if d := p.questions[len(p.questions)-1].sent.Sub(lost); d > s.Longest {
			s.Longest, s.From = d, lost
		}
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

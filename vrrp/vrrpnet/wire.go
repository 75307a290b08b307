package vrrpnet

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// Wire is every VRRP socket of the router. Its methods never wait and belong to one goroutine, the router's loop; only the channel of
// Readable is served by another, which merely wakes the loop up.
type Wire struct {
	sockets  map[Endpoint]*socket
	epoll    int
	stop     int
	readable chan struct{}
	done     chan struct{}
	buf, oob []byte
	// gather is how long arrivals may wait for each other, in nanoseconds.
	gather atomic.Int64
	// frames sends whole Ethernet frames and receives nothing.
	frames int
}

// NewWire starts a wire without sockets, in the network namespace of the calling thread.
func NewWire() (*Wire, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make the epoll instance of the VRRP sockets: %w", err)
	}
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return nil, fmt.Errorf("make the eventfd that ends the wire: %w", err)
	}
	frames, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		unix.Close(epoll)
		unix.Close(stop)
		return nil, fmt.Errorf("open the packet socket that sends from virtual MACs: %w", err)
	}
	w := &Wire{frames: frames, sockets: map[Endpoint]*socket{}, epoll: epoll, stop: stop, readable: make(chan struct{}, 1), done: make(chan struct{}),
		buf: make([]byte, 65536), oob: make([]byte, 256)}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, stop, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(stop)}); err != nil {
		unix.Close(epoll)
		unix.Close(stop)
		unix.Close(frames)
		return nil, fmt.Errorf("watch the eventfd that ends the wire: %w", err)
	}
	go w.wake()
	return w, nil
}

// Gather lets packets that arrive in a long dense row, as a thousand instances make one, wait for each other for at most this long: then one wake of the
// loop is for many. What arrives alone or in a short burst is never kept waiting; 0, as at the start, is never at all. It may be called from any goroutine.
func (w *Wire) Gather(most time.Duration) { w.gather.Store(int64(most)) }

// wake tells the loop that something arrived. Edge triggered: one event per arrival, however late the loop reads.
func (w *Wire) wake() {
	defer close(w.done)
	events := make([]unix.EpollEvent, 16)
	var row row
	for {
		most := time.Duration(w.gather.Load())
		if wait := row.wait(most); wait > 0 {
			time.Sleep(wait)
		}
		n, err := unix.EpollWait(w.epoll, events, -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			if int(e.Fd) == w.stop {
				return
			}
		}
		row.arrived(time.Now(), most)
		select {
		case w.readable <- struct{}{}:
		default:
		}
	}
}

// Readable fires when packets have arrived.
func (w *Wire) Readable() <-chan struct{} { return w.readable }

// Listen makes the open sockets those of want and no others; each listens to its groups. What stays open loses no packet. The error
// tells everything that failed, the rest works; calling it again tries again.
func (w *Wire) Listen(want map[Endpoint][]netip.Addr) error {
	var errs []error
	for e, s := range w.sockets {
		if _, ok := want[e]; !ok {
			s.close()
			delete(w.sockets, e)
		}
	}
	for e, groups := range want {
		s := w.sockets[e]
		if s == nil {
			var err error
			if s, err = openSocket(e); err != nil {
				errs = append(errs, err)
				continue
			}
			if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(s.fd)}); err != nil {
				s.close()
				errs = append(errs, fmt.Errorf("watch the VRRP socket of %s: %w", e.Interface, err))
				continue
			}
			w.sockets[e] = s
		}
		for _, g := range groups {
			if err := s.join(g); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// Drain hands over every packet that had arrived when it was called, without waiting. The payload is valid during the call of deliver only.
func (w *Wire) Drain(deliver func(vrrp.Packet)) {
	for _, s := range w.sockets {
		s.drain(w.buf, w.oob, deliver)
	}
}

// Send puts one packet on the wire of the endpoint's interface, from src.
func (w *Wire) Send(e Endpoint, src netip.Addr, out vrrp.Outgoing) error {
	s := w.sockets[e]
	if s == nil {
		return fmt.Errorf("no VRRP socket is open on %s (IPv%d, protocol %d)", e.Interface, e.Family, e.Proto)
	}
	return s.send(src, out)
}

// Close closes every socket.
func (w *Wire) Close() {
	one := [8]byte{1, 0, 0, 0, 0, 0, 0, 1} // any number but zero, in either byte order
	unix.Write(w.stop, one[:])
	<-w.done
	for _, s := range w.sockets {
		s.close()
	}
	w.sockets = nil
	unix.Close(w.stop)
	unix.Close(w.epoll)
	unix.Close(w.frames)
}

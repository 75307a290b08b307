package seam

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"time"
)

// Limits of the outbox: beyond maxEvents waiting events further ones are dropped and counted; more than maxOther other messages mean
// that the other end is gone for good, and the connection is closed.
const (
	maxEvents = 1024
	maxOther  = 4096
)

// ErrClosed is what Receive answers after Close.
var ErrClosed = errors.New("the seam is closed")

// Conn is one end of the seam. Send may be called from any goroutine and never blocks; Receive belongs to one goroutine.
type Conn struct {
	conn net.Conn
	in   *bufio.Reader

	mu     sync.Mutex
	queue  []entry
	events int // of the queue's entries, how many are events
	lost   uint64
	closed bool
	err    error
	busy   bool            // the writer has a message in hand
	idle   []chan struct{} // who waits in Flush

	wake    chan struct{}
	drained chan struct{}
	done    chan struct{}
}

type entry struct {
	key string
	msg Message
}

// NewConn starts the writer of one end over c, which it owns from now on.
func NewConn(c net.Conn) *Conn {
	s := &Conn{conn: c, in: bufio.NewReader(c), wake: make(chan struct{}, 1), drained: make(chan struct{}, 1), done: make(chan struct{})}
	go s.write()
	return s
}

// Send puts m into the outbox; what m points to must not be changed afterwards. It answers false when m was not taken: the connection is
// closed, or m is an Event and too many are waiting (the loss is counted, see Lost). Messages that are full values replace an older
// one of the same kind and key that still waits.
func (s *Conn) Send(m Message) bool {
	key := coalesceKey(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if m.Event != nil {
		// Once one event is lost the following ones would be a story with a hole: nothing until the Snapshot that Lost asks for.
		if s.events >= maxEvents || s.lost > 0 {
			s.lost++
			return false
		}
		s.events++
	} else if len(s.queue)-s.events >= maxOther {
		s.closeLocked(errors.New("the other end of the seam does not read"))
		return false
	}
	if key != "" {
		for i := range s.queue {
			if s.queue[i].key == key {
				s.queue = append(s.queue[:i], s.queue[i+1:]...)
				break
			}
		}
	}
	s.queue = append(s.queue, entry{key, m})
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return true
}

// coalesceKey names what a newer message of the same key makes superfluous, "" for messages that all count.
func coalesceKey(m Message) string {
	switch {
	case m.Apply != nil:
		return "apply"
	case m.Track != nil:
		return "track " + m.Track.ID
	case m.Ready != nil:
		return "ready"
	case m.Snapshot != nil:
		return "snapshot"
	case m.Applied != nil:
		return "applied"
	case m.Reload != nil:
		return "reload"
	case m.Dump != nil:
		return "dump " + m.Dump.Kind
	case m.Stop != nil:
		return "stop"
	case m.Heartbeat != nil:
		return "heartbeat"
	case m.LogLevel != nil:
		return "loglevel"
	}
	return ""
}

// Drained fires when the outbox became empty after events were lost: the time to call Lost and send a Snapshot.
func (s *Conn) Drained() <-chan struct{} { return s.drained }

// Lost is how many events were dropped since the last call; it ends the dropping.
func (s *Conn) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.lost
	s.lost = 0
	return n
}

// Receive waits for the next message. After an error the connection is of no more use.
func (s *Conn) Receive() (Message, error) {
	m, err := Decode(s.in)
	if err == nil {
		return m, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		err = s.err
	}
	s.closeLocked(err)
	return m, err
}

// Flush waits until everything sent so far is written, at most d; false when it is not, or when the connection is closed.
func (s *Conn) Flush(d time.Duration) bool {
	s.mu.Lock()
	if s.closed || (len(s.queue) == 0 && !s.busy) {
		defer s.mu.Unlock()
		return !s.closed
	}
	idle := make(chan struct{})
	s.idle = append(s.idle, idle)
	s.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-idle:
		return true
	case <-s.done:
	case <-t.C:
	}
	return false
}

// Close ends the connection; messages that wait are lost, see Flush.
func (s *Conn) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeLocked(ErrClosed)
	return nil
}

// Done is closed when the connection is.
func (s *Conn) Done() <-chan struct{} { return s.done }

func (s *Conn) closeLocked(err error) {
	if s.closed {
		return
	}
	s.closed, s.err = true, err
	s.queue = nil
	close(s.done)
	s.conn.Close()
}

func (s *Conn) write() {
	var buf []byte
	for {
		select {
		case <-s.wake:
		case <-s.done:
			return
		}
		for {
			s.mu.Lock()
			if len(s.queue) == 0 {
				lost := s.lost
				s.busy = false
				for _, c := range s.idle {
					close(c)
				}
				s.idle = nil
				s.mu.Unlock()
				if lost > 0 {
					select {
					case s.drained <- struct{}{}:
					default:
					}
				}
				break
			}
			s.busy = true
			e := s.queue[0]
			s.queue = s.queue[1:]
			if e.msg.Event != nil {
				s.events--
			}
			s.mu.Unlock()

			var err error
			if buf, err = Encode(buf[:0], e.msg); err == nil {
				_, err = s.conn.Write(buf)
			}
			if err != nil {
				s.mu.Lock()
				s.closeLocked(err)
				s.mu.Unlock()
				return
			}
			if cap(buf) > 1<<20 {
				buf = nil
			}
		}
	}
}

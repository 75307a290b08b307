//go:build linux

package lab

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Talk is a TCP connection that stays open: the client says a word every so often and the server answers with its name. An answer may take as
// long as Patience until the connection counts as hanging: TCP's repeats bridge a failover.
type Talk struct {
	mu    sync.Mutex
	by    string
	heard int
	last  time.Time
	err   error
	end   chan struct{}
	done  chan struct{}
}

// Talk opens a connection to a Server at addr and keeps it busy from inside the node.
func (n *Node) Talk(addr string, every time.Duration) *Talk {
	t := &Talk{end: make(chan struct{}), done: make(chan struct{})}
	n.Go(func() {
		defer close(t.done)
		err := t.run(addr, every)
		t.mu.Lock()
		t.err = err
		t.mu.Unlock()
	})
	n.lab.atEnd(t.Stop)
	return t
}

func (t *Talk) run(addr string, every time.Duration) error {
	c, err := net.DialTimeout("tcp", addr, Patience)
	if err != nil {
		return err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		_ = c.SetDeadline(time.Now().Add(Patience))
		if _, err := fmt.Fprint(c, talkWord); err != nil {
			return err
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		t.mu.Lock()
		t.by, t.last = strings.TrimSpace(line), time.Now()
		t.heard++
		t.mu.Unlock()
		select {
		case <-t.end:
			if tcp, ok := c.(*net.TCPConn); ok { // the kernel's table forgets a reset within seconds, an end with FIN after two minutes
				_ = tcp.SetLinger(0)
			}
			return nil
		case <-time.After(every):
		}
	}
}

// By is the server that answers, empty before it did.
func (t *Talk) By() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.by
}

// HeardAfter tells whether an answer came after that moment.
func (t *Talk) HeardAfter(at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last.After(at)
}

// Err is why the connection ended, nil while it lives and after Stop.
func (t *Talk) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Stop ends the connection with a reset.
func (t *Talk) Stop() {
	t.mu.Lock()
	select {
	case <-t.end:
	default:
		close(t.end)
	}
	t.mu.Unlock()
	<-t.done
}

// talkWord is what a Talk says.
const talkWord = "TALK\n"

// talk answers such a connection until it ends.
func (s *Server) talk(c net.Conn, r *bufio.Reader) {
	for {
		if _, err := fmt.Fprintln(c, s.node.Name); err != nil {
			return
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
		if line, err := r.ReadString('\n'); err != nil || line != talkWord {
			return
		}
	}
}

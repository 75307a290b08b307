//go:build linux

package lab

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Server is a small web server inside a node. It answers every GET with its own name.
type Server struct {
	node *Node
	addr string
	mu   sync.Mutex
	l    net.Listener
	text string
	code int
	hits int
}

// Serve starts a server on addr (":80" for every address).
func (n *Node) Serve(addr string) *Server {
	s := &Server{node: n, addr: addr, text: n.Name, code: 200}
	s.Start()
	n.lab.atEnd(s.Refuse)
	return s
}

// Start listens (again).
func (s *Server) Start() {
	var l net.Listener
	var err error
	s.node.Do(func() { l, err = net.Listen("tcp", s.addr) })
	if err != nil {
		s.node.lab.Fatalf("%s: listen on %s: %v", s.node.Name, s.addr, err)
	}
	s.mu.Lock()
	s.l = l
	s.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.answer(c)
		}
	}()
}

func (s *Server) answer(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	r := bufio.NewReader(c)
	asked := false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return // a check that only connects
		}
		if line == talkWord {
			s.talk(c, r)
			return
		}
		asked = asked || strings.HasPrefix(line, "GET ")
		if strings.TrimSpace(line) == "" {
			break
		}
	}
	if !asked {
		return
	}
	s.mu.Lock()
	text, code := s.text, s.code
	s.hits++
	s.mu.Unlock()
	fmt.Fprintf(c, "HTTP/1.0 %d x\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", code, len(text), text)
}

// Hits is how many requests were answered.
func (s *Server) Hits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits
}

// Refuse stops listening: connects are refused.
func (s *Server) Refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.l != nil {
		s.l.Close()
		s.l = nil
	}
}

// Garble makes the server answer with this status and text.
func (s *Server) Garble(code int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code, s.text = code, text
}

// BlackHole makes the whole node swallow TCP to the port: connects hang.
func (n *Node) BlackHole(port int) {
	n.Run("nft", fmt.Sprintf("add table ip hole; add chain ip hole in { type filter hook input priority 0; }; add rule ip hole in tcp dport %d drop", port))
}

// Heal ends BlackHole.
func (n *Node) Heal() { n.Run("nft", "delete table ip hole") }

// Get asks once from inside the node and returns the body.
func (n *Node) Get(addr string, timeout time.Duration) (string, error) {
	type result struct {
		body string
		err  error
	}
	back := make(chan result, 1)
	n.Go(func() {
		body, err := get(addr, timeout)
		back <- result{body, err}
	})
	r := <-back
	return r.body, r.err
}

// get must run in the namespace it asks from.
func get(addr string, timeout time.Duration) (string, error) {
	d := net.Dialer{Timeout: timeout}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(timeout))
	if _, err := fmt.Fprintf(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	all, err := io.ReadAll(io.LimitReader(c, 1<<16))
	if err != nil {
		return "", err
	}
	head, body, ok := strings.Cut(string(all), "\r\n\r\n")
	if !ok || !strings.HasPrefix(head, "HTTP/1.0 200") {
		return "", fmt.Errorf("not an answer: %.80q", all)
	}
	return body, nil
}

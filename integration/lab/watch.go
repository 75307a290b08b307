//go:build linux

package lab

import (
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Watch is a record of every change of addresses, routes and rules in a node: what a daemon wrote, as the kernel tells it.
type Watch struct {
	p *Process
}

// Watch starts recording.
func (n *Node) Watch() *Watch {
	w := &Watch{p: n.Start("ip monitor in "+n.Name, "ip", "-4", "-o", "monitor", "address", "route", "rule")}
	// The monitor is known to listen when it shows a change made for it.
	n.lab.Eventually("ip monitor listens", func() bool {
		n.IP("addr replace 127.9.9.9/32 dev lo", "addr del 127.9.9.9/32 dev lo")
		return w.p.Said("127.9.9.9")
	})
	return w
}

// Changes lists what changed so far, without the traces of starting to record. An address with a lifetime that is given a new one has not changed.
func (w *Watch) Changes() []string {
	var list []string
	for _, line := range w.p.Lines() {
		prolonged := strings.Contains(line, "valid_lft") && !strings.Contains(line, "valid_lft forever") && !strings.Contains(line, "Deleted")
		if !prolonged && !strings.Contains(line, "127.9.9.9") && strings.TrimSpace(line) != "" {
			list = append(list, line)
		}
	}
	return list
}

// Stays tells whether nothing but the recorder's own traces was seen; it gives changes under way a moment to show.
func (w *Watch) Stays() bool {
	time.Sleep(300 * time.Millisecond)
	return len(w.Changes()) == 0
}

// Losses counts how often an address left an interface of the node, from the kernel's own notifications.
type Losses struct {
	gone chan string
	n    []string
}

// Losses starts counting.
func (n *Node) Losses() *Losses {
	l := &Losses{gone: make(chan string, 1000)}
	var s *nl.NetlinkSocket
	var err error
	n.Do(func() { s, err = nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_IPV4_IFADDR) })
	if err != nil {
		n.lab.Fatalf("%s: listen for address changes: %v", n.Name, err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			msgs, _, err := s.Receive()
			if err != nil {
				time.Sleep(time.Millisecond)
				continue
			}
			for _, m := range msgs {
				if m.Header.Type == unix.RTM_DELADDR {
					attrs, err := nl.ParseRouteAttr(m.Data[unix.SizeofIfAddrmsg:])
					if err != nil {
						continue
					}
					for _, a := range attrs {
						if a.Attr.Type == unix.IFA_LOCAL && len(a.Value) == 4 {
							l.gone <- netlink.NewIPNet(a.Value).IP.String()
						}
					}
				}
			}
		}
	}()
	n.lab.atEnd(func() {
		close(stop)
		s.Close() // wakes the reader
		<-done
	})
	return l
}

// Of tells how often the address left.
func (l *Losses) Of(addr string) int {
	for {
		select {
		case a := <-l.gone:
			l.n = append(l.n, a)
			continue
		default:
		}
		break
	}
	count := 0
	for _, a := range l.n {
		if a == addr {
			count++
		}
	}
	return count
}

//go:build linux

package lab

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Node is one network namespace: a director, a real server, a client or a switch.
type Node struct {
	// Name is shown in logs.
	Name string

	lab  *Lab
	ns   *os.File
	work chan func()
	done chan struct{}
	tid  int
}

// Node makes a namespace with its loopback up. It is gone when the scenario ends.
func (l *Lab) Node(name string) *Node {
	n := &Node{Name: name, lab: l, work: make(chan func()), done: make(chan struct{})}
	ready := make(chan error)
	// One thread per node lives in the namespace from beginning to end. Processes are started from it: their parent-death signal is tied to this thread.
	go func() {
		runtime.LockOSThread() // never unlocked: the runtime ends the thread with the goroutine
		ready <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("make a network namespace: %w (the lab needs root)", err)
			}
			n.tid = unix.Gettid()
			ns, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", n.tid))
			n.ns = ns
			return err
		}()
		for f := range n.work {
			f()
		}
		close(n.done)
	}()
	if err := <-ready; err != nil {
		l.Fatalf("%s: %v", name, err)
	}
	l.nodes = append(l.nodes, n)
	l.atEnd(func() {
		close(n.work)
		<-n.done
		n.ns.Close()
	})
	n.try("bring lo up", func(h *netlink.Handle) error {
		lo, err := h.LinkByName("lo")
		if err != nil {
			return err
		}
		return h.LinkSetUp(lo)
	})
	return n
}

// Do runs f on the node's own thread: sockets opened and programs started there belong to the namespace.
func (n *Node) Do(f func()) {
	back := make(chan struct{})
	n.work <- func() {
		defer close(back)
		f()
	}
	<-back
}

// NamespacePath is a file that stands for the namespace as long as the scenario runs.
func (n *Node) NamespacePath() string {
	return fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), n.tid)
}

// Go runs f on a new thread inside the namespace. The thread ends with f.
func (n *Node) Go(f func()) {
	ready := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Setns(int(n.ns.Fd()), unix.CLONE_NEWNET)
		ready <- err
		if err == nil {
			f()
		}
	}()
	if err := <-ready; err != nil {
		n.lab.Fatalf("%s: enter the namespace: %v", n.Name, err)
	}
}

// IP runs lines of ip(8), without the leading word, in one batch. A failure ends the scenario.
func (n *Node) IP(lines ...string) {
	if out, err := n.input(strings.Join(lines, "\n")+"\n", "ip", "-batch", "-"); err != nil {
		n.lab.Fatalf("%s: ip %s: %v: %s", n.Name, strings.Join(lines, "; "), err, out)
	}
}

// Run runs a program in the node to its end. A failure ends the scenario.
func (n *Node) Run(argv ...string) string {
	out, err := n.Try(argv...)
	if err != nil {
		n.lab.Fatalf("%s: %s: %v: %s", n.Name, strings.Join(argv, " "), err, out)
	}
	return out
}

// Try runs a program in the node to its end and returns everything it wrote.
func (n *Node) Try(argv ...string) (string, error) { return n.input("", argv...) }

func (n *Node) input(stdin string, argv ...string) (string, error) {
	var out []byte
	var err error
	n.Do(func() {
		cmd := exec.Command(find(argv[0]), argv[1:]...)
		cmd.Stdin = strings.NewReader(stdin)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err = cmd.CombinedOutput()
	})
	return string(out), err
}

// Sysctl sets net/... keys of the namespace, given as "net/ipv4/ip_forward=1".
func (n *Node) Sysctl(settings ...string) {
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		var err error
		n.Do(func() { err = os.WriteFile("/proc/sys/"+key, []byte(value), 0) })
		if err != nil {
			n.lab.Fatalf("%s: sysctl %s: %v", n.Name, s, err)
		}
	}
}

// Holds tells whether an interface of the node has the address.
func (n *Node) Holds(addr string) bool {
	want, found := net.ParseIP(addr), false
	n.Do(func() {
		addrs, _ := netlink.AddrList(nil, netlink.FAMILY_ALL) // asks the namespace of this thread, for addresses alone
		for _, a := range addrs {
			found = found || a.IP.Equal(want)
		}
	})
	return found
}

// find resolves a program, also for callers without sbin in their PATH.
func find(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if path := filepath.Join(dir, name); isFile(path) {
			return path
		}
	}
	return name
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

package seam

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// InheritedFD is the descriptor at which the balancer finds its end of the seam.
const InheritedFD = 3

// Pair makes the socket pair of the seam: the own end, and the file to hand to the child (as its descriptor InheritedFD), which the caller
// closes after the start.
func Pair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make the socket pair between router and balancer: %w", err)
	}
	child := os.NewFile(uintptr(fds[1]), "seam")
	conn, err := fromFile(os.NewFile(uintptr(fds[0]), "seam"))
	if err != nil {
		child.Close()
		return nil, nil, err
	}
	return conn, child, nil
}

// Inherited is the balancer's end, handed down by the router.
func Inherited() (net.Conn, error) {
	unix.CloseOnExec(InheritedFD)
	conn, err := fromFile(os.NewFile(InheritedFD, "seam"))
	if err != nil {
		return nil, fmt.Errorf("%w (the balancer is started by the router, not by hand)", err)
	}
	return conn, nil
}

func fromFile(f *os.File) (net.Conn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("use descriptor %q as the seam between router and balancer: %w", f.Name(), err)
	}
	return c, nil
}

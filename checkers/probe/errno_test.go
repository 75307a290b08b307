package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

// Every errno that a connect can end with has its reason, however it is wrapped.
func TestErrnoHasAReason(t *testing.T) {
	bound := netip.MustParseAddrPort("192.0.2.1:0")
	for _, row := range []struct {
		err  error
		bind netip.AddrPort
		want checkers.Reason
	}{
		{unix.ECONNREFUSED, netip.AddrPort{}, checkers.Refused},
		{unix.EHOSTUNREACH, netip.AddrPort{}, checkers.Unreachable},
		{unix.ENETUNREACH, netip.AddrPort{}, checkers.NoRoute},
		{unix.EADDRNOTAVAIL, netip.AddrPort{}, checkers.NoPorts},
		{unix.EADDRNOTAVAIL, bound, checkers.NoAddress},
		{unix.EMFILE, netip.AddrPort{}, checkers.NoFiles},
		{unix.ENFILE, netip.AddrPort{}, checkers.NoFiles},
		{unix.ENOBUFS, netip.AddrPort{}, checkers.NoFiles},
		{unix.ENODEV, netip.AddrPort{}, checkers.NoAddress},
		{unix.EPERM, netip.AddrPort{}, checkers.Denied},
		{unix.ECONNRESET, netip.AddrPort{}, checkers.Reset},
		{unix.EPIPE, netip.AddrPort{}, checkers.Reset},
		{unix.ETIMEDOUT, netip.AddrPort{}, checkers.Timeout},
		{context.DeadlineExceeded, netip.AddrPort{}, checkers.Timeout},
		{os.ErrDeadlineExceeded, netip.AddrPort{}, checkers.Timeout},
		{io.ErrUnexpectedEOF, netip.AddrPort{}, checkers.Closed},
		{unix.EINVAL, netip.AddrPort{}, checkers.Local},
		{errors.New("something"), netip.AddrPort{}, checkers.Local},
	} {
		wrapped := fmt.Errorf("more: %w", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", row.err)})
		if got := reason(&checkers.Probe{Bind: row.bind}, wrapped); got != row.want {
			t.Errorf("%v: %s, want %s", row.err, got, row.want)
		}
		if text := why(wrapped); text == "" || strings.Contains(text, "dial tcp") {
			t.Errorf("%v reads %q", row.err, text)
		}
	}
}

// A firewall on the way that rejects IPv6 traffic is not the director's own: Linux says EACCES for its ICMP.
func TestForbiddenOnTheWay(t *testing.T) {
	err := os.NewSyscallError("connect", unix.EACCES)
	for target, want := range map[string]checkers.Reason{"[2001:db8::1]:80": checkers.Unreachable, "192.0.2.1:80": checkers.Denied} {
		if got := reason(&checkers.Probe{Target: netip.MustParseAddrPort(target)}, err); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}

const starvedEnv = "HOLDFAST_TEST_STARVED"

// starved is a process without a free file descriptor. It writes what its attempts say.
func starved() {
	at := netip.MustParseAddrPort(os.Getenv(starvedEnv))
	p := New(Options{})
	kinds := []checkers.Probe{
		{Kind: checkers.TCP, Target: at},
		{Kind: checkers.HTTP, Target: at, Params: get(checkers.URL{Path: "/"})},
		{Kind: checkers.DNS, Target: at},
		{Kind: checkers.File, Params: &checkers.FileParams{Path: "/dev/null"}},
	}
	_ = p.Probe(context.Background(), &kinds[0]) // opens what is shared
	var all []*os.File
	for {
		f, err := os.Open("/dev/null")
		if err != nil {
			break
		}
		all = append(all, f)
	}
	for i := range kinds {
		fmt.Println(p.Probe(context.Background(), &kinds[i]).Reason)
	}
	for _, f := range all {
		f.Close()
	}
	fmt.Println(p.Probe(context.Background(), &kinds[0]).Reason)
}

func TestNoFileDescriptors(t *testing.T) {
	at := serve(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `ulimit -n 40 && exec "$0" -test.run='^$'`, os.Args[0])
	cmd.Env = append(os.Environ(), starvedEnv+"="+at.String())
	out, err := cmd.CombinedOutput()
	if got := string(out); err != nil || got != "no_files\nno_files\nno_files\nno_files\nok\n" {
		t.Errorf("%v, %q", err, got)
	}
}

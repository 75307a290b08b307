package track

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// The kernel's process events connector (linux/cn_proc.h, linux/connector.h), which exists only in the initial network and process
// namespaces: elsewhere it says nothing, and /proc is polled.
const (
	connectorProc = 1 // CN_IDX_PROC and CN_VAL_PROC
	mcastListen   = 1 // PROC_CN_MCAST_LISTEN

	whatNone = 0
	whatFork = 0x00000001
	whatExec = 0x00000002
	whatComm = 0x00000200
	whatExit = 0x80000000

	connectorHeader = 20 // struct cn_msg
	eventHeader     = 16 // what, cpu, timestamp of struct proc_event
)

type procKind uint8

const (
	procListening procKind = iota // the kernel agreed to tell
	procLost                      // something was lost: read the table
	procForked
	procChanged // exec or a new name
	procGone
)

// procEvent is one change of the process table.
type procEvent struct {
	kind        procKind
	pid, parent int
}

// parseProcEvent reads one netlink datagram of the connector. ok is false for what does not matter here: threads, other events,
// garbage.
func parseProcEvent(b []byte) (ev procEvent, ok bool) {
	const start = unix.SizeofNlMsghdr + connectorHeader
	if len(b) < start+eventHeader+8 {
		return ev, false
	}
	ne := binary.NativeEndian
	if ne.Uint32(b[unix.SizeofNlMsghdr:]) != connectorProc || ne.Uint32(b[unix.SizeofNlMsghdr+4:]) != connectorProc {
		return ev, false
	}
	body := b[start:]
	word := func(i int) int { return int(int32(ne.Uint32(body[eventHeader+4*i:]))) }
	switch ne.Uint32(body) {
	case whatNone:
		return procEvent{kind: procListening}, word(0) == 0
	case whatFork: // parent pid, parent tgid, child pid, child tgid
		if len(body) < eventHeader+16 {
			return ev, false
		}
		return procEvent{kind: procForked, pid: word(3), parent: word(1)}, word(2) == word(3)
	case whatExec, whatComm: // pid, tgid
		return procEvent{kind: procChanged, pid: word(1)}, true
	case whatExit:
		return procEvent{kind: procGone, pid: word(1)}, word(0) == word(1)
	}
	return ev, false
}

// listenProcesses asks the kernel for process events. The channel is nil when there are none to be had, and closes when they end;
// the function ends them and waits.
func listenProcesses() (<-chan procEvent, func(), error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, func() {}, fmt.Errorf("netlink connector socket: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: connectorProc}); err != nil {
		unix.Close(fd)
		return nil, func() {}, fmt.Errorf("join the process events: %w", err)
	}
	ask := make([]byte, unix.SizeofNlMsghdr+connectorHeader+4)
	ne := binary.NativeEndian
	ne.PutUint32(ask, uint32(len(ask)))
	ne.PutUint16(ask[4:], unix.NLMSG_DONE)
	ne.PutUint32(ask[unix.SizeofNlMsghdr:], connectorProc)
	ne.PutUint32(ask[unix.SizeofNlMsghdr+4:], connectorProc)
	ne.PutUint16(ask[unix.SizeofNlMsghdr+16:], 4)
	ne.PutUint32(ask[unix.SizeofNlMsghdr+connectorHeader:], mcastListen)
	if err := unix.Sendto(fd, ask, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		unix.Close(fd)
		return nil, func() {}, fmt.Errorf("ask for process events: %w", err)
	}
	f := os.NewFile(uintptr(fd), "process events")
	conn, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, func() {}, err
	}
	events, quit, done := make(chan procEvent, 256), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer close(events)
		readProcEvents(conn, events, quit)
	}()
	return events, func() { close(quit); f.Close(); <-done }, nil
}

// readProcEvents hands events on until the socket is closed or quit.
func readProcEvents(conn syscall.RawConn, events chan<- procEvent, quit <-chan struct{}) {
	buf := make([]byte, 4096)
	for {
		var n int
		var from unix.Sockaddr
		var err error
		if conn.Read(func(fd uintptr) bool {
			n, from, err = unix.Recvfrom(int(fd), buf, 0)
			return err != unix.EAGAIN
		}) != nil {
			return
		}
		var ev procEvent
		switch sender, _ := from.(*unix.SockaddrNetlink); {
		case errors.Is(err, unix.ENOBUFS):
			ev = procEvent{kind: procLost}
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return
		case sender == nil || sender.Pid != 0: // only the kernel may tell
			continue
		default:
			var ok bool
			if ev, ok = parseProcEvent(buf[:n]); !ok {
				continue
			}
		}
		select {
		case events <- ev:
		case <-quit:
			return
		}
	}
}

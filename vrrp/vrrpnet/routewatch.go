package vrrpnet

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// routeWatch hears of routes and rules that are removed. A filter in the kernel lets nothing else through than rules and routes of a VRRP daemon's protocol:
// a router with a full table removes thousands a second.
type routeWatch struct {
	file *os.File
	// gone says that there was something, once however much it was.
	gone chan struct{}
}

func newRouteWatch() (*routeWatch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open the netlink socket that follows routes: %w", err)
	}
	prog, err := goneFilter()
	if err == nil {
		err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, prog)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}
	for _, group := range []int{unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE} {
		if err == nil {
			err = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group)
		}
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("subscribe to routes: %w", err)
	}
	w := &routeWatch{file: os.NewFile(uintptr(fd), "rtnetlink routes"), gone: make(chan struct{}, 1)}
	go w.read()
	return w, nil
}

// close ends the watch.
func (w *routeWatch) close() { w.file.Close() }

func (w *routeWatch) read() {
	raw, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 4096)
	for {
		err := raw.Read(func(fd uintptr) bool {
			for some := false; ; {
				_, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
				switch {
				case err == nil, errors.Is(err, unix.ENOBUFS): // messages were lost: it may have been ours
					some = true
				case err != unix.EINTR:
					return some
				}
			}
		})
		if err != nil {
			return
		}
		select {
		case w.gone <- struct{}{}:
		default:
		}
	}
}

// goneFilter passes RTM_DELRULE, and RTM_DELROUTE of protoKeepalived (linux/netlink.h, linux/rtnetlink.h: the type is at 4, rtm_protocol at 16 + 5).
func goneFilter() (*unix.SockFprog, error) {
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(htons(unix.RTM_DELRULE)), SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(htons(unix.RTM_DELROUTE)), SkipTrue: 3},
		bpf.LoadAbsolute{Off: 21, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protoKeepalived, SkipTrue: 1},
		bpf.RetConstant{Val: 0xffff},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return nil, err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}, nil
}

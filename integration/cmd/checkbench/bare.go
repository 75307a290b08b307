package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// bareLoop makes the attempts with as little as can be: one thread, one epoll descriptor, no timeouts, no states. For HTTP_GET it still
// only connects: it is the floor of both.
func (b *bench) bareLoop() error {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	events := make([]unix.EpollEvent, 64)
	gap := b.loop / time.Duration(b.checks())
	for next, i := time.Now(), 0; ; {
		// After a pause of the machine no more at once than the events that are taken at once: descriptors would run out.
		for n := 0; n < len(events) && !time.Now().Before(next); n, next, i = n+1, next.Add(gap), (i+1)%b.checks() {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			switch err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: address(i)}); err {
			case nil:
				unix.Close(fd)
			case unix.EINPROGRESS:
				if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(fd)}); err != nil {
					return err
				}
			default:
				return err
			}
		}
		// Whole milliseconds, as epoll counts: what is due meanwhile goes out together.
		n, err := unix.EpollWait(ep, events, max(int(time.Until(next)/time.Millisecond)+1, 0))
		if err != nil && err != unix.EINTR {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			_, _ = unix.GetsockoptInt(int(e.Fd), unix.SOL_SOCKET, unix.SO_ERROR)
			unix.Close(int(e.Fd))
		}
	}
}

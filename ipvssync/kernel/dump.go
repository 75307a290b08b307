package kernel

import (
	"encoding/binary"
	"errors"
	"iter"
	"os"
	"syscall"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Listings are read here and not by the library, which asks for the size of each answer first and copies every attribute: the read-back
// of thousands of servers every few seconds is what Holdfast does most after the checks.

// answerRoom holds whatever one receive can bring: the kernel fills the room that it was last offered, up to 32 KB (net/netlink/af_netlink.c).
const answerRoom = 32 << 10

// errGarbled: the answer is not made as the kernel makes it. The socket is not used any more.
var errGarbled = errors.New("an answer that is no answer")

// dump asks for a listing; each gets the attributes of one thing after the other, which are valid only meanwhile.
func (k *Kernel) dump(cmd uint8, data []byte, each func(attrs []byte) error) error {
	k.mu.Lock()
	conn, family := k.conn, k.family
	k.mu.Unlock()
	if conn == nil {
		return os.ErrClosed
	}
	raw, err := conn.SyscallConn()
	if err != nil { // no socket, in tests
		msgs, err := k.request(cmd, netlink.Dump, data)
		for _, m := range msgs {
			if err := each(m.Data); err != nil {
				return err
			}
		}
		return err
	}
	if k.answer == nil {
		k.answer = make([]byte, answerRoom)
	}
	k.asked++
	return dump(raw, k.answer, k.asked, family.ID, genetlink.Header{Command: cmd, Version: 1}, data, each)
}

func dump(raw syscall.RawConn, room []byte, seq uint32, family uint16, h genetlink.Header, data []byte, each func([]byte) error) error {
	msg := make([]byte, 0, unix.SizeofNlMsghdr+4+len(data))
	msg = binary.NativeEndian.AppendUint32(msg, uint32(cap(msg)))
	msg = binary.NativeEndian.AppendUint16(msg, family)
	msg = binary.NativeEndian.AppendUint16(msg, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	msg = binary.NativeEndian.AppendUint32(msg, seq)
	msg = append(msg, 0, 0, 0, 0, h.Command, h.Version, 0, 0)
	msg = append(msg, data...)
	var failed error
	if err := raw.Write(func(fd uintptr) bool {
		failed = unix.Sendto(int(fd), msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		return failed != unix.EAGAIN
	}); err != nil || failed != nil {
		return errors.Join(err, failed)
	}
	for {
		n := 0
		if err := raw.Read(func(fd uintptr) bool {
			n, _, failed = unix.Recvfrom(int(fd), room, unix.MSG_TRUNC)
			return failed != unix.EAGAIN
		}); err != nil || failed != nil {
			return errors.Join(err, failed)
		}
		if n > len(room) {
			return errGarbled
		}
		for rest := room[:n]; len(rest) > 0; {
			one, more, err := split(rest, seq)
			if err != nil {
				return err
			}
			rest = more
			switch one.kind {
			case unix.NLMSG_NOOP:
			case unix.NLMSG_DONE, unix.NLMSG_ERROR:
				if len(one.body) >= 4 {
					if errno := -int32(binary.NativeEndian.Uint32(one.body)); errno != 0 {
						return syscall.Errno(errno)
					}
				}
				return nil
			case family:
				if len(one.body) < 4 {
					return errGarbled
				}
				if err := each(one.body[4:]); err != nil {
					return err
				}
			default:
				return errGarbled
			}
		}
	}
}

// message is one netlink message without its header.
type message struct {
	kind uint16
	body []byte
}

// split takes the first message off what was received.
func split(b []byte, seq uint32) (one message, rest []byte, err error) {
	if len(b) < unix.SizeofNlMsghdr {
		return one, nil, errGarbled
	}
	size := binary.NativeEndian.Uint32(b)
	if size < unix.SizeofNlMsghdr || uint64(size) > uint64(len(b)) || binary.NativeEndian.Uint32(b[8:]) != seq {
		return one, nil, errGarbled
	}
	one = message{kind: binary.NativeEndian.Uint16(b[4:]), body: b[unix.SizeofNlMsghdr:size]}
	return one, b[min(int(size+3)&^3, len(b)):], nil
}

// parts are the attributes that stand one after the other in b; ok becomes false where they do not end where b does. The values are parts of b.
func parts(b []byte, ok *bool) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) > 0 {
			if len(b) < 4 {
				*ok = false
				return
			}
			size := int(binary.NativeEndian.Uint16(b))
			if size < 4 || size > len(b) {
				*ok = false
				return
			}
			if !yield(binary.NativeEndian.Uint16(b[2:])&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER), b[4:size]) {
				return
			}
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}

// native is the value of an attribute of that many bytes; ok becomes false where it has another size.
func native[T uint8 | uint16 | uint32 | uint64](v []byte, ok *bool) (n T) {
	size := binary.Size(n)
	if len(v) != size {
		*ok = false
		return 0
	}
	switch size {
	case 1:
		return T(v[0])
	case 2:
		return T(binary.NativeEndian.Uint16(v))
	case 4:
		return T(binary.NativeEndian.Uint32(v))
	}
	return T(binary.NativeEndian.Uint64(v))
}

// text is the value of an attribute that is a string, without the zero byte at its end. The few names of schedulers are made once.
func text(v []byte) string {
	for len(v) > 0 && v[len(v)-1] == 0 {
		v = v[:len(v)-1]
	}
	switch string(v) {
	case "rr":
		return "rr"
	case "wrr":
		return "wrr"
	case "lc":
		return "lc"
	case "wlc":
		return "wlc"
	case "sh":
		return "sh"
	case "mh":
		return "mh"
	}
	return string(v)
}

package kernel

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// The listing of the generic netlink families, which every kernel has, is what the library reads too; and the library can use the socket afterwards.
func TestDumpReadsWhatTheLibraryReads(t *testing.T) {
	conn, err := genetlink.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for seq := range uint32(3) {
		var names []string
		err = dump(raw, make([]byte, answerRoom), 1+seq, unix.GENL_ID_CTRL, genetlink.Header{Command: unix.CTRL_CMD_GETFAMILY, Version: 1}, nil, func(attrs []byte) error {
			ok := true
			for kind, v := range parts(attrs, &ok) {
				if kind == unix.CTRL_ATTR_FAMILY_NAME {
					names = append(names, text(v))
				}
			}
			if !ok {
				t.Error("garbled")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		families, err := conn.ListFamilies()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, f := range families {
			want = append(want, f.Name)
		}
		if len(names) == 0 || !slices.Equal(names, want) {
			t.Errorf("got %v, want %v", names, want)
		}
	}
	// A refusal is the kernel's number, at once.
	err = dump(raw, make([]byte, answerRoom), 9, unix.GENL_ID_CTRL, genetlink.Header{Command: 99, Version: 1}, nil, func([]byte) error { return nil })
	var errno syscall.Errno
	if !errors.As(err, &errno) || errno != unix.EOPNOTSUPP {
		t.Errorf("%v", err)
	}
}

// FuzzSplit feeds the reader of listings any bytes.
func FuzzSplit(f *testing.F) {
	msg, _ := netlink.Message{Header: netlink.Header{Length: 20, Type: 30, Sequence: 7}, Data: []byte{1, 2, 3, 4}}.MarshalBinary()
	f.Add(msg, uint32(7))
	f.Fuzz(func(t *testing.T, b []byte, seq uint32) {
		for n := len(b); len(b) > 0; n = len(b) {
			one, rest, err := split(b, seq)
			if err != nil {
				return
			}
			if len(rest) >= n || len(one.body)+unix.SizeofNlMsghdr > n || binary.NativeEndian.Uint32(b[8:]) != seq {
				t.Fatalf("%d bytes of %d are left after one of %d", len(rest), n, len(one.body))
			}
			ok := true
			for _, v := range parts(one.body, &ok) {
				if len(v) > len(one.body) {
					t.Fatal("longer than the whole")
				}
			}
			b = rest
		}
	})
}

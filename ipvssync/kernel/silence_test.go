package kernel

import (
	"context"
	"iter"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
)

// mute is a netlink socket on which the kernel's answers may not come.
type mute struct {
	from     uint8 // answers to this command (of the family) and all after it do not come; 0 means that not even the family's number does
	deadline bool  // whether deadlines do anything
	mu       sync.Mutex
	asked    netlink.Message
	until    time.Time
	closed   chan struct{}
	once     sync.Once
	never    bool
}

const familyNumber = 77

func (m *mute) Close() error { m.once.Do(func() { close(m.closed) }); return nil }
func (m *mute) Send(msg netlink.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = msg
	return nil
}
func (m *mute) SendMessages([]netlink.Message) error { return os.ErrInvalid }
func (m *mute) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		list, err := m.Receive()
		if err != nil {
			yield(netlink.Message{}, err)
		}
		for _, msg := range list {
			if !yield(msg, nil) {
				return
			}
		}
	}
}
func (m *mute) SetReadDeadline(time.Time) error  { return nil }
func (m *mute) SetWriteDeadline(time.Time) error { return nil }
func (m *mute) SetDeadline(t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.until = t
	return nil
}
func (m *mute) Receive() ([]netlink.Message, error) {
	m.mu.Lock()
	asked, until := m.asked, m.until
	m.mu.Unlock()
	control := asked.Header.Type == 0x10 // GENL_ID_CTRL
	if m.never || control && m.from > 0 || !control && m.from > 1 {
		return answer(asked, control), nil
	}
	var timeout <-chan time.Time
	if m.deadline {
		timeout = time.After(time.Until(until))
	}
	select {
	case <-timeout:
		return nil, os.ErrDeadlineExceeded
	case <-m.closed:
		return nil, os.ErrClosed
	}
}

// answer is the family's number, or the end of an empty list.
func answer(asked netlink.Message, control bool) []netlink.Message {
	out := netlink.Message{Header: netlink.Header{Type: asked.Header.Type, Sequence: asked.Header.Sequence, PID: asked.Header.PID}}
	if !control {
		out.Header.Type, out.Header.Flags, out.Data = netlink.Done, netlink.Multi, make([]byte, 4)
		return []netlink.Message{out}
	}
	ae := netlink.NewAttributeEncoder()
	ae.Uint16(1, familyNumber)
	ae.String(2, "IPVS")
	ae.Uint32(3, 1)
	attrs, err := ae.Encode()
	if err != nil {
		panic(err)
	}
	g := genetlink.Message{Header: genetlink.Header{Command: 1, Version: 1}, Data: attrs}
	out.Data, _ = g.MarshalBinary()
	return []netlink.Message{out}
}

// An answer that never comes ends the call after a while, whether a deadline or only closing ends the waiting, and the next call has a new socket.
func TestAnswersThatNeverCome(t *testing.T) {
	for name, c := range map[string]struct {
		from     uint8
		deadline bool
	}{
		"no list":                      {1, true},
		"no list, deadlines ignored":   {1, false},
		"not even the family's number": {0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				latched.Lock() // the library's own socket stays out of it
				was := latched.id
				latched.id = familyNumber + 1
				latched.Unlock()
				defer func() { latched.Lock(); latched.id = was; latched.Unlock() }()
				sockets := []*mute{{from: c.from, deadline: c.deadline, closed: make(chan struct{})}, {never: true, closed: make(chan struct{})}}
				dialled := 0
				k := Open()
				k.dial = func() (*genetlink.Conn, error) {
					dialled++
					return genetlink.NewConn(netlink.NewConn(sockets[dialled-1], 4711)), nil
				}
				start := time.Now()
				_, err := k.Services(context.Background())
				if took := time.Since(start); err == nil || !strings.Contains(err.Error(), "IPVS") || took > silence+time.Second || strings.Contains(err.Error(), "closed") {
					t.Errorf("after %s: %v", took, err)
				}
				select {
				case <-sockets[0].closed:
				default:
					t.Error("the silent socket is still open")
				}
				if list, err := k.Services(context.Background()); err != nil || len(list) != 0 || dialled != 2 {
					t.Errorf("on socket %d: %v, %v", dialled, list, err)
				}
				if err := k.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"github.com/moby/ipvs"
	"github.com/sirupsen/logrus"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// silence is how long a call may hear nothing from the kernel.
const silence = 10 * time.Second

// Kernel is IPVS in the network namespace of the thread that first uses it. One goroutine uses it at a time; Close may come from
// another.
type Kernel struct {
	dial   func() (*genetlink.Conn, error)
	mu     sync.Mutex // guards the fields; not held during a call
	closed bool
	conn   *genetlink.Conn
	family genetlink.Family
	handle *ipvs.Handle
	table  table
	ftp    sync.Once
	ftpErr atomic.Pointer[error]
	answer []byte                          // room for one receive of a listing
	asked  uint32                          // listings so far
	listed int                             // services in the last one
	last   map[ipvssync.SyncRole]time.Time // when a synchronisation daemon was started, see StopSync
}

var _ ipvssync.Kernel = (*Kernel)(nil)

// latched is the family number with which moby/ipvs was first opened in this process: it asks once and never again.
var latched struct {
	sync.Mutex
	id uint16
}

// Open prepares the use of IPVS. It asks nothing of the kernel yet: every call finds out whether IPVS is there, so that a
// module loaded later is found.
func Open() *Kernel {
	logrus.SetOutput(io.Discard) // moby/ipvs would write its own lines to standard error
	return &Kernel{dial: func() (*genetlink.Conn, error) { return genetlink.Dial(nil) }, last: map[ipvssync.SyncRole]time.Time{}}
}

// ready opens what is not open.
func (k *Kernel) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return os.ErrClosed
	}
	if k.conn != nil {
		return nil
	}
	conn, err := k.dial()
	if err != nil {
		return fmt.Errorf("open generic netlink: %w", err)
	}
	if err := conn.SetDeadline(time.Now().Add(silence)); err != nil {
		conn.Close()
		return fmt.Errorf("open generic netlink: %w", err)
	}
	family, err := conn.GetFamily("IPVS")
	if err != nil {
		conn.Close()
		if errors.Is(err, os.ErrNotExist) {
			return ipvssync.ErrNoIPVS
		}
		return fmt.Errorf("look for IPVS in the kernel: %w", err)
	}
	_ = conn.SetReadBuffer(4 << 20)
	latched.Lock()
	defer latched.Unlock()
	if latched.id == 0 {
		latched.id = family.ID
	}
	if latched.id == family.ID {
		if k.handle, err = ipvs.New(""); err != nil {
			conn.Close()
			return fmt.Errorf("open IPVS: %w", err)
		}
	}
	k.conn, k.family = conn, family
	return nil
}

// drop closes the sockets; the next call opens new ones. It ends a call that waits for an answer. Closing waits for a call that is still inside the kernel, which
// nothing ends: nobody else may wait for that.
func (k *Kernel) drop() {
	k.mu.Lock()
	conn, handle := k.conn, k.handle
	k.conn, k.handle = nil, nil
	k.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
	if handle != nil {
		handle.Close()
	}
}

// Close implements ipvssync.Kernel.
func (k *Kernel) Close() error {
	k.drop()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	return k.table.close()
}

// call runs f with open sockets and ends it after too long a silence. It names the error.
func (k *Kernel) call(ctx context.Context, what func() string, f func() error) error {
	if err := k.ready(ctx); err != nil {
		return err
	}
	k.mu.Lock()
	conn := k.conn
	k.mu.Unlock()
	if conn == nil {
		return fmt.Errorf("%s: %w", what(), os.ErrClosed)
	}
	if err := conn.SetDeadline(time.Now().Add(silence)); err != nil {
		k.drop()
		return fmt.Errorf("%s: %w", what(), err)
	}
	guard := time.AfterFunc(silence, k.drop)
	err := f()
	late := !guard.Stop()
	if err == nil {
		return nil
	}
	if late { // what came of closing the sockets under it says nothing to anybody
		k.drop()
		return fmt.Errorf("%s: no answer of the kernel within %s", what(), silence)
	}
	// An answer of the kernel is a number. Everything else (silence, closed, garbled) leaves the sockets in a state that is not
	// known; and so do these numbers, the last of which may mean a module loaded anew under another family number.
	var errno syscall.Errno
	if !errors.As(err, &errno) || slices.Contains([]syscall.Errno{syscall.EBADF, syscall.ENOBUFS, syscall.EAGAIN, syscall.EOPNOTSUPP}, errno) {
		k.drop()
	}
	return fmt.Errorf("%s: %w", what(), err)
}

// gone looks again whether IPVS is there, after an answer that a removed module gives too.
func (k *Kernel) gone(ctx context.Context) error {
	k.drop()
	return k.ready(ctx)
}

// request sends one message of the IPVS family and returns the answers' data.
func (k *Kernel) request(cmd uint8, flags netlink.HeaderFlags, data []byte) ([]genetlink.Message, error) {
	k.mu.Lock()
	conn, family := k.conn, k.family
	k.mu.Unlock()
	if conn == nil {
		return nil, os.ErrClosed
	}
	return conn.Execute(genetlink.Message{Header: genetlink.Header{Command: cmd, Version: 1}, Data: data}, family.ID, netlink.Request|flags)
}

// Services implements ipvssync.Kernel.
func (k *Kernel) Services(ctx context.Context) ([]ipvssync.Service, error) {
	list, err := k.services(ctx)
	if errors.Is(err, syscall.ENOENT) { // the family is not registered (any more, or under this number)
		if err := k.gone(ctx); err != nil {
			return nil, err
		}
		list, err = k.services(ctx)
	}
	return list, err
}

func (k *Kernel) services(ctx context.Context) (list []ipvssync.Service, err error) {
	err = k.call(ctx, func() string { return "list the IPVS services" }, func() error {
		list = make([]ipvssync.Service, 0, k.listed)
		return k.dump(cmdGetService, nil, func(attrs []byte) error {
			st, err := decodeService(attrs, false)
			list = append(list, st.service)
			return err
		})
	})
	k.listed = len(list)
	return list, err
}

// Service implements ipvssync.Kernel.
func (k *Kernel) Service(ctx context.Context, key ipvssync.Key) (ipvssync.Service, bool, error) {
	st, ok, err := k.service(ctx, key)
	return st.service, ok, err
}

func (k *Kernel) service(ctx context.Context, key ipvssync.Key) (st serviceState, ok bool, err error) {
	if err := key.Validate(); err != nil {
		return st, false, err
	}
	err = k.call(ctx, func() string { return "read service " + key.String() }, func() error {
		data, err := encode(func(ae *netlink.AttributeEncoder) { nestKey(ae, key) })
		if err != nil {
			return err
		}
		msgs, err := k.request(cmdGetService, 0, data)
		if err != nil {
			return err
		}
		if len(msgs) == 0 {
			return errors.New("the kernel sent no answer")
		}
		st, err = decodeService(msgs[0].Data, true)
		return err
	})
	switch {
	case errors.Is(err, syscall.ESRCH):
		return serviceState{}, false, nil
	case errors.Is(err, syscall.ENOENT):
		return serviceState{}, false, errors.Join(k.gone(ctx), err)
	}
	return st, err == nil, err
}

// Servers implements ipvssync.Kernel.
func (k *Kernel) Servers(ctx context.Context, key ipvssync.Key) ([]ipvssync.ServerState, error) {
	list := make([]ipvssync.ServerState, 0, 8)
	err := k.servers(ctx, key, false, func(st ipvssync.ServerStats) { list = append(list, st.ServerState) })
	return list, err
}

func (k *Kernel) servers(ctx context.Context, key ipvssync.Key, counters bool, each func(ipvssync.ServerStats)) error {
	if err := key.Validate(); err != nil {
		return err
	}
	return k.call(ctx, func() string { return "list the servers of " + key.String() }, func() error {
		data, err := encode(func(ae *netlink.AttributeEncoder) { nestKey(ae, key) })
		if err != nil {
			return err
		}
		return k.dump(cmdGetDest, data, func(attrs []byte) error {
			st, err := decodeServer(attrs, key.Family, counters)
			if err == nil {
				each(st)
			}
			return err
		})
	})
}

// Stats implements ipvssync.Kernel.
func (k *Kernel) Stats(ctx context.Context, key ipvssync.Key) (ipvssync.ServiceStats, error) {
	st, ok, err := k.service(ctx, key)
	if err != nil {
		return ipvssync.ServiceStats{}, err
	}
	if !ok {
		return ipvssync.ServiceStats{}, fmt.Errorf("read counters of %s: %w", key, ipvssync.ErrNotFound)
	}
	var servers []ipvssync.ServerStats
	err = k.servers(ctx, key, true, func(st ipvssync.ServerStats) { servers = append(servers, st) })
	return ipvssync.ServiceStats{Key: key, Counters: st.counters, Servers: servers}, err
}

// Apply implements ipvssync.Kernel.
func (k *Kernel) Apply(ctx context.Context, op ipvssync.Op) error {
	if err := op.Validate(); err != nil {
		return err
	}
	if op.Kind == ipvssync.AddServer && op.Service.Protocol == ipvssync.TCP && op.Service.Port == 21 {
		k.helpFTP(ctx)
	}
	err := k.call(ctx, op.String, func() error {
		k.mu.Lock()
		handle := k.handle
		k.mu.Unlock()
		if handle == nil || needsCodec(op) {
			return k.write(op)
		}
		return mobyWrite(handle, op)
	})
	return explain(op, err)
}

// explain gives the kernel's errors the names of ipvssync, and words where its own mislead.
func explain(op ipvssync.Op, err error) error {
	settings := op.Kind == ipvssync.AddService || op.Kind == ipvssync.UpdateService
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EEXIST):
		return fmt.Errorf("%w: %w", err, ipvssync.ErrExists)
	case errors.Is(err, syscall.ENOENT) && settings && op.Service.Engine != "":
		return fmt.Errorf("%w: the kernel has no scheduler %s or no persistence engine %s; try: modprobe -a ip_vs_%s ip_vs_pe_%s: %w",
			err, op.Service.Scheduler, op.Service.Engine, op.Service.Scheduler, op.Service.Engine, ipvssync.ErrRefused)
	case errors.Is(err, syscall.ENOENT) && settings:
		return fmt.Errorf("%w: the kernel has no scheduler %s; try: modprobe ip_vs_%s: %w", err, op.Service.Scheduler, op.Service.Scheduler, ipvssync.ErrRefused)
	case errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ESRCH):
		return fmt.Errorf("%w: %w", err, ipvssync.ErrNotFound)
	case errors.Is(err, syscall.EINVAL) && op.Kind != ipvssync.DeleteService && ipvssync.FamilyOf(op.Server.Addr.Addr()) != op.Service.Family && !settings:
		return fmt.Errorf("%w: a server of the other address family needs TUN and no synchronisation daemon: %w", err, ipvssync.ErrRefused)
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return fmt.Errorf("%w: the kernel does not balance %s: %w", err, op.Service.Family, ipvssync.ErrRefused)
	}
	return err
}

// Timeouts implements ipvssync.Kernel.
func (k *Kernel) Timeouts(ctx context.Context) (t ipvssync.Timeouts, err error) {
	err = k.call(ctx, func() string { return "read the IPVS timeouts" }, func() error {
		msgs, err := k.request(cmdGetConfig, 0, nil)
		if err != nil {
			return err
		}
		if len(msgs) == 0 {
			return errors.New("the kernel sent no answer")
		}
		t, err = decodeTimeouts(msgs[0].Data)
		return err
	})
	return t, err
}

// SetTimeouts implements ipvssync.Kernel.
func (k *Kernel) SetTimeouts(ctx context.Context, t ipvssync.Timeouts) error {
	for _, d := range []time.Duration{t.TCP, t.TCPFin, t.UDP} {
		if d < 0 || d%time.Second != 0 || d > 1<<30*time.Second {
			return fmt.Errorf("set the IPVS timeouts: %s is not in whole seconds up to 34 years: %w", d, ipvssync.ErrRefused)
		}
	}
	return k.call(ctx, func() string { return "set the IPVS timeouts" }, func() error {
		data, err := encode(func(ae *netlink.AttributeEncoder) {
			ae.Uint32(attrTimeoutTCP, uint32(t.TCP/time.Second))
			ae.Uint32(attrTimeoutTCPFin, uint32(t.TCPFin/time.Second))
			ae.Uint32(attrTimeoutUDP, uint32(t.UDP/time.Second))
		})
		if err != nil {
			return err
		}
		_, err = k.request(cmdSetConfig, netlink.Acknowledge, data)
		return err
	})
}

// helpFTP loads the kernel's helper for FTP, once: without it NAT breaks the data connections. A kernel that has none built in or
// as a module balances the control connection all the same.
func (k *Kernel) helpFTP(ctx context.Context) {
	k.ftp.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, silence)
		defer cancel()
		out, err := exec.CommandContext(ctx, "modprobe", ftpModule).CombinedOutput()
		if _, missing := os.Stat("/sys/module/" + ftpModule); err == nil || missing == nil {
			return
		}
		why := strings.TrimSpace(string(out))
		if why == "" {
			why = err.Error()
		}
		err = fmt.Errorf("%s: FTP's data connections will fail through NAT; try: modprobe %s", why, ftpModule)
		k.ftpErr.Store(&err)
	})
}

const ftpModule = "ip_vs_ftp"

// HelperError is why the kernel's helper for FTP could not be loaded although a service of port 21 needs it; nil when all is well.
func (k *Kernel) HelperError() error {
	if err := k.ftpErr.Load(); err != nil {
		return *err
	}
	return nil
}

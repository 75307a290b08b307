package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// settle is how long after the start of a synchronisation daemon its thread may not have run yet; stopping it before that gets no
// acknowledgement from the kernel.
const settle = 200 * time.Millisecond

// SyncDaemons implements ipvssync.Kernel.
func (k *Kernel) SyncDaemons(ctx context.Context) (list []ipvssync.SyncDaemon, err error) {
	err = k.call(ctx, func() string { return "list the synchronisation daemons" }, func() error {
		msgs, err := k.request(cmdGetDaemon, netlink.Dump, nil)
		if err != nil {
			return err
		}
		list = nil
		for _, m := range msgs {
			d, err := decodeDaemon(m.Data)
			if err != nil {
				return err
			}
			list = append(list, d)
		}
		return nil
	})
	return list, err
}

func decodeDaemon(data []byte) (d ipvssync.SyncDaemon, err error) {
	err = nested(data, attrDaemon, func(ad *netlink.AttributeDecoder) error {
		for ad.Next() {
			switch ad.Type() {
			case daemonState:
				d.Role = ipvssync.SyncRole(ad.Uint32())
			case daemonIfn:
				d.Interface = ad.String()
			case daemonID:
				d.ID = uint8(ad.Uint32())
			case daemonMaxLen:
				d.MaxLen = ad.Uint16()
			case daemonGroup:
				if b := ad.Bytes(); len(b) == 4 {
					d.Group = netip.AddrFrom4([4]byte(b))
				}
			case daemonGroup6:
				if b := ad.Bytes(); len(b) == 16 {
					d.Group = netip.AddrFrom16([16]byte(b))
				}
			case daemonPort:
				d.Port = ad.Uint16()
			case daemonTTL:
				d.TTL = ad.Uint8()
			}
		}
		return ad.Err()
	})
	if err != nil {
		return d, fmt.Errorf("read a synchronisation daemon: %w", err)
	}
	return d, nil
}

func encodeDaemon(d ipvssync.SyncDaemon, full bool) ([]byte, error) {
	return encode(func(ae *netlink.AttributeEncoder) {
		ae.Nested(attrDaemon, func(n *netlink.AttributeEncoder) error {
			n.Uint32(daemonState, uint32(d.Role))
			n.String(daemonIfn, d.Interface)
			n.Uint32(daemonID, uint32(d.ID))
			if !full {
				return nil
			}
			if d.MaxLen != 0 {
				n.Uint16(daemonMaxLen, d.MaxLen)
			}
			switch {
			case d.Group.Is4():
				n.Uint32(daemonGroup, binary.NativeEndian.Uint32(d.Group.AsSlice()))
			case d.Group.Is6():
				n.Bytes(daemonGroup6, d.Group.AsSlice())
			}
			if d.Port != 0 {
				n.Uint16(daemonPort, d.Port)
			}
			if d.TTL != 0 {
				n.Uint8(daemonTTL, d.TTL)
			}
			return nil
		})
	})
}

// StartSync implements ipvssync.Kernel.
func (k *Kernel) StartSync(ctx context.Context, d ipvssync.SyncDaemon) error {
	if d.Role != ipvssync.SyncMaster && d.Role != ipvssync.SyncBackup || d.Interface == "" || len(d.Interface) > 15 {
		return fmt.Errorf("start a synchronisation daemon on %q: no role or no interface: %w", d.Interface, ipvssync.ErrRefused)
	}
	err := k.call(ctx, func() string { return fmt.Sprintf("start the %s synchronisation daemon on %s", d.Role, d.Interface) }, func() error {
		data, err := encodeDaemon(d, true)
		if err != nil {
			return err
		}
		_, err = k.request(cmdNewDaemon, netlink.Acknowledge, data)
		return err
	})
	switch {
	case err == nil:
		k.last[d.Role] = time.Now()
	case errors.Is(err, syscall.EEXIST):
		return fmt.Errorf("%w: %w", err, ipvssync.ErrExists)
	case errors.Is(err, syscall.ENODEV):
		return fmt.Errorf("%w: no such interface", err)
	}
	return err
}

// StopSync implements ipvssync.Kernel. A daemon whose thread has not run yet is stopped without an acknowledgement (the kernel
// swallows the EINTR of its thread); so one that was just started is given time first, and a missing answer is judged by the list.
func (k *Kernel) StopSync(ctx context.Context, d ipvssync.SyncDaemon) error {
	if wait := settle - time.Since(k.last[d.Role]); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := k.call(ctx, func() string { return fmt.Sprintf("stop the %s synchronisation daemon on %s", d.Role, d.Interface) }, func() error {
		k.mu.Lock()
		conn := k.conn
		k.mu.Unlock()
		if conn != nil { // an answer that does not come within a second will not come
			if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
				return err
			}
		}
		data, err := encodeDaemon(d, false)
		if err != nil {
			return err
		}
		_, err = k.request(cmdDelDaemon, netlink.Acknowledge, data)
		return err
	})
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("%w: %w", err, ipvssync.ErrNotFound)
	}
	list, listErr := k.SyncDaemons(ctx)
	if listErr != nil {
		return errors.Join(err, listErr)
	}
	for _, o := range list {
		if o.Role == d.Role {
			return err
		}
	}
	return nil
}

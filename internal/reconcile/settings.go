package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// fullNATRules are the rules that the wanted services need, with those of more entries besides.
func (r *Reconciler) fullNATRules(more map[ipvssync.Key]*entry) []ipvssync.FullNATRule {
	var services []ipvssync.Service
	for _, e := range r.entries {
		if e.want.FullNAT {
			services = append(services, e.want)
		}
	}
	for k, e := range more {
		if r.entries[k] == nil && e.want.FullNAT {
			services = append(services, e.want)
		}
	}
	return ipvssync.FullNATRules(services)
}

// fullNAT makes the owned nftables table hold these rules. Without rules and without a table of ours nothing is asked.
func (r *Reconciler) fullNAT(ctx context.Context, rules []ipvssync.FullNATRule, cause string) {
	if len(rules) == 0 && !r.record.FullNAT {
		return
	}
	if len(rules) > 0 && !r.record.FullNAT {
		r.record.FullNAT, r.record.dirty = true, true
		if err := r.record.save(); err != nil {
			r.fail("record", "record what is ours in "+r.record.path, err)
		}
	}
	changed, err := r.kernel.FullNAT(ctx, rules)
	if err != nil {
		r.fail("fullnat", fmt.Sprintf("write %d rules of the FULLNAT table", len(rules)), err)
		return
	}
	delete(r.failing, "fullnat")
	if changed {
		r.publish(event.IPVSFullNAT.With(len(rules), cause))
	}
	if len(rules) == 0 {
		r.record.FullNAT, r.record.dirty = false, true
	}
}

// convergeSysctls sets what the configuration and FULLNAT need, and puts back what is needed no more. A value is put back only
// if it is still the one we wrote.
func (r *Reconciler) convergeSysctls() {
	r.noteHelper()
	want := ipvssync.FullNATSysctls(r.fullNATRules(nil))
	if want == nil {
		want = map[string]string{}
	}
	maps.Copy(want, r.desired.Sysctls)
	maps.Copy(want, r.receivingSysctls())
	for _, name := range slices.Sorted(maps.Keys(want)) {
		r.setSysctl(name, want[name])
	}
	r.shutBySysctl(r.failing)
	if r.desired.Keep {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.record.Sysctls)) {
		if _, ok := want[name]; !ok {
			r.restoreSysctl(name)
		}
	}
}

// noteHelper tells of a kernel helper that a service needs and that could not be loaded.
func (r *Reconciler) noteHelper() {
	if h, ok := r.kernel.Kernel.(interface{ HelperError() error }); ok {
		if err := h.HelperError(); err != nil {
			r.fail("helper", "load the helper for FTP", err)
		}
	}
}

func (r *Reconciler) setSysctl(name, value string) {
	now, err := r.kernel.Sysctl(name)
	if err != nil {
		r.fail("sysctl "+name, "read sysctl "+name, err)
		return
	}
	if now = strings.TrimSpace(now); now == value {
		delete(r.failing, "sysctl "+name)
		return
	}
	old, had := r.record.Sysctls[name]
	if !had || old.Ours != value {
		before := now
		if had {
			before = old.Before
		}
		r.record.Sysctls[name] = recordSysctl{Before: before, Ours: value}
		r.record.dirty = true
		if err := r.record.save(); err != nil {
			r.fail("record", "record what is ours in "+r.record.path, err)
		}
	}
	if err := r.kernel.SetSysctl(name, value); err != nil {
		r.fail("sysctl "+name, fmt.Sprintf("set sysctl %s to %s", name, value), err)
		return
	}
	delete(r.failing, "sysctl "+name)
	r.publish(event.IPVSSysctl.With(name, now, value, "configuration"))
}

func (r *Reconciler) restoreSysctl(name string) {
	rec := r.record.Sysctls[name]
	now, err := r.kernel.Sysctl(name)
	if err == nil && strings.TrimSpace(now) == rec.Ours && rec.Before != rec.Ours {
		if err := r.kernel.SetSysctl(name, rec.Before); err != nil {
			r.fail("sysctl "+name, fmt.Sprintf("put sysctl %s back to %s", name, rec.Before), err)
			return
		}
		r.publish(event.IPVSSysctl.With(name, rec.Ours, rec.Before, "put back"))
	}
	delete(r.record.Sysctls, name)
	r.record.dirty = true
}

// convergeTimeouts sets the timeouts that are wanted; what was there before is recorded and put back like a sysctl.
func (r *Reconciler) convergeTimeouts(ctx context.Context) {
	want := r.desired.Timeouts
	before, had := r.record.Timeouts["before"]
	if want == (ipvssync.Timeouts{}) && !had {
		return
	}
	now, err := r.kernel.Timeouts(ctx)
	if err != nil {
		r.fail("timeouts", "read the connection timeouts", err)
		return
	}
	ours := r.record.Timeouts["ours"]
	next := ipvssync.Timeouts{
		TCP:    timeout(want.TCP, now.TCP, ours.TCP, before.TCP),
		TCPFin: timeout(want.TCPFin, now.TCPFin, ours.TCPFin, before.TCPFin),
		UDP:    timeout(want.UDP, now.UDP, ours.UDP, before.UDP),
	}
	if want == (ipvssync.Timeouts{}) {
		delete(r.record.Timeouts, "before")
		delete(r.record.Timeouts, "ours")
		r.record.dirty = true
	} else if ours != want {
		if !had {
			r.record.Timeouts["before"] = now
		}
		r.record.Timeouts["ours"] = want
		r.record.dirty = true
	}
	if next == now {
		delete(r.failing, "timeouts")
		return
	}
	if err := r.record.save(); err != nil {
		r.fail("record", "record what is ours in "+r.record.path, err)
	}
	if err := r.kernel.SetTimeouts(ctx, next); err != nil {
		r.fail("timeouts", fmt.Sprintf("set the connection timeouts to tcp %s, tcpfin %s, udp %s", next.TCP, next.TCPFin, next.UDP), err)
		return
	}
	delete(r.failing, "timeouts")
}

// timeout is what one timeout should be: the wanted value; else the one before ours if it is still ours; else what it is.
func timeout(want, now, ours, before time.Duration) time.Duration {
	switch {
	case want != 0:
		return want
	case ours != 0 && now == ours && before != 0:
		return before
	}
	return now
}

// convergeDaemons starts and stops connection synchronisation daemons. A running one that is not wanted is stopped if it is ours
// by record, or by bearing the interface and id of one we want.
func (r *Reconciler) convergeDaemons(ctx context.Context) {
	want := r.desired.Daemons
	if len(want) == 0 && len(r.record.Daemons) == 0 {
		r.running = nil
		return
	}
	running, err := r.kernel.SyncDaemons(ctx)
	if err != nil {
		r.fail("sync", "list the synchronisation daemons", err)
		return
	}
	failed := false
	note := func(operation string, err error) {
		failed = true
		r.fail("sync", operation, err)
	}
	var have []ipvssync.SyncDaemon
	r.running = nil
	for _, d := range running {
		if slices.ContainsFunc(want, func(w ipvssync.SyncDaemon) bool { return w.Same(d) }) {
			have = append(have, d)
			r.running = append(r.running, d)
			continue
		}
		if !r.oursDaemon(d, want) {
			r.running = append(r.running, d)
			continue
		}
		if err := r.kernel.StopSync(ctx, d); err != nil && !errors.Is(err, ipvssync.ErrNotFound) {
			note(fmt.Sprintf("stop the %s synchronisation daemon on %s", d.Role, d.Interface), err)
			have = append(have, d)
			r.running = append(r.running, d)
			continue
		}
		r.publish(event.IPVSSync.With(d.Role, d.Interface, d.ID, "stopped"))
	}
	record := slices.Clone(want)
	for _, d := range have {
		if !slices.ContainsFunc(want, func(w ipvssync.SyncDaemon) bool { return w.Same(d) }) {
			record = append(record, d)
		}
	}
	if !slices.Equal(record, r.record.Daemons) {
		r.record.Daemons, r.record.dirty = record, true
		if err := r.record.save(); err != nil {
			r.fail("record", "record what is ours in "+r.record.path, err)
		}
	}
	for _, w := range want {
		if slices.ContainsFunc(have, w.Same) {
			continue
		}
		if err := r.kernel.StartSync(ctx, w); err != nil {
			note(fmt.Sprintf("start the %s synchronisation daemon on %s", w.Role, w.Interface), err)
			continue
		}
		r.running = append(r.running, w)
		r.publish(event.IPVSSync.With(w.Role, w.Interface, w.ID, "started"))
	}
	if !failed {
		delete(r.failing, "sync")
	}
}

func (r *Reconciler) oursDaemon(d ipvssync.SyncDaemon, want []ipvssync.SyncDaemon) bool {
	same := func(o ipvssync.SyncDaemon) bool { return o.Interface == d.Interface && o.ID == d.ID }
	return slices.ContainsFunc(want, same) || slices.ContainsFunc(r.record.Daemons, same)
}

// release is Stop on the owner's goroutine.
func (r *Reconciler) release(ctx context.Context, keep bool) error {
	if r.stopped {
		return nil
	}
	r.takeUpdates(ctx)
	services := max(len(r.entries), len(r.record.owned))
	r.stopped = true
	defer r.publishStatus()
	if keep {
		r.publish(event.IPVSStopped.With(services, true))
		return r.record.save()
	}
	r.entries, r.ordered, r.pools, r.ways = map[ipvssync.Key]*entry{}, nil, map[string][]ipvssync.Key{}, map[netip.Addr]string{}
	r.desired = Desired{}
	var errs []error
	if len(r.record.owned) > 0 {
		out := r.deleteServices(ctx, slices.SortedFunc(maps.Keys(r.record.owned), ipvssync.Key.Compare))
		if r.down == nil || !errors.Is(r.down, ipvssync.ErrNoIPVS) { // without IPVS there is nothing to remove
			for _, p := range out.problems {
				errs = append(errs, errors.New(p))
			}
		}
	}
	r.convergeDaemons(ctx)
	r.convergeTimeouts(ctx)
	r.fullNAT(ctx, nil, "stop")
	r.convergeSysctls()
	if errors.Is(r.down, ipvssync.ErrNoIPVS) {
		services = 0 // there was nothing to let go of
	}
	r.publish(event.IPVSStopped.With(services, false))
	if len(errs) > 0 {
		return errors.Join(append(errs, r.record.save())...)
	}
	return r.record.remove()
}

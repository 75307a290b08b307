package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// outcome is what a batch of operations came to.
type outcome struct {
	writes   int
	problems []string
}

// apply is Set on the owner's goroutine.
func (r *Reconciler) apply(ctx context.Context, d Desired) Result {
	if r.stopped {
		return Result{Problems: []string{"the owner of IPVS has stopped"}}
	}
	start := time.Now()
	first := !r.set
	r.set = true
	old := r.entries
	r.takeDesired(d)
	gone := r.carryOver(old, d.Keep)
	var out outcome
	if err := r.record.save(); err != nil {
		out.problems = append(out.problems, fmt.Sprintf("record what is ours in %s: %v", r.record.path, err))
	}

	var listed map[ipvssync.Key]ipvssync.Service
	if first || !r.allKnown() {
		var err error
		if listed, err = r.list(ctx); err != nil {
			return r.finish(Result{Problems: out.problems}) // r.down says why
		}
		r.adopt(ctx, listed, first)
	}
	if r.down == nil {
		r.fullNAT(ctx, r.fullNATRules(old), "configuration")
		r.convergeSysctls()
		entries := r.all()
		out.add(r.converge(ctx, entries))
		if !d.Keep {
			out.add(r.deleteServices(ctx, r.doomed(gone, listed, first && d.Flush)))
			r.fullNAT(ctx, r.fullNATRules(nil), "configuration")
			r.convergeSysctls()
		}
		r.convergeTimeouts(ctx)
		r.convergeDaemons(ctx)
	}
	if out.writes > 0 {
		r.publish(event.IPVSApplied.With("configuration", "", len(r.entries), out.writes, len(out.problems), time.Since(start).Milliseconds()))
	}
	return r.finish(Result{Writes: out.writes, Problems: out.problems})
}

func (o *outcome) add(p outcome) {
	o.writes += p.writes
	o.problems = append(o.problems, p.problems...)
}

// finish saves the record, refreshes the status and adds what else the kernel refuses to the result.
func (r *Reconciler) finish(res Result) Result {
	if err := r.record.save(); err != nil {
		res.Problems = append(res.Problems, fmt.Sprintf("record what is ours in %s: %v", r.record.path, err))
	}
	if errors.Is(r.down, ipvssync.ErrNoIPVS) && len(r.entries)+len(r.record.owned)+len(r.failing) == 0 {
		res.Problems = slices.DeleteFunc(res.Problems, func(p string) bool { return p == r.down.Error() }) // nothing to balance, nothing missing
	} else if r.down != nil && !slices.Contains(res.Problems, r.down.Error()) {
		res.Problems = append(res.Problems, r.down.Error())
	}
	for _, p := range slices.Sorted(maps.Values(r.failing)) {
		if !slices.Contains(res.Problems, p) {
			res.Problems = append(res.Problems, p)
		}
	}
	r.publishStatus()
	return res
}

// takeDesired replaces entries and pools by those of d; entries keep nothing yet.
func (r *Reconciler) takeDesired(d Desired) {
	r.desired = d
	r.desired.Pools, r.desired.Private = nil, nil // the entries have them
	r.entries, r.ordered, r.pools = map[ipvssync.Key]*entry{}, nil, map[string][]ipvssync.Key{}
	r.mu.Lock()
	clear(r.pending) // updates of the old configuration
	r.order = nil
	r.mu.Unlock()
	for _, pool := range slices.Sorted(maps.Keys(d.Pools)) {
		r.pools[pool] = nil
		for _, s := range d.Pools[pool] {
			if r.entries[s.Key] != nil {
				continue
			}
			r.put(s.Key, &entry{pool: pool, want: s})
			r.pools[pool] = append(r.pools[pool], s.Key)
			r.record.own(s.Key)
		}
	}
	r.takePrivate(d)
}

// carryOver takes what is known of the kernel from the old entries and answers those that are wanted no more; with keep they
// stay as they were.
func (r *Reconciler) carryOver(old map[ipvssync.Key]*entry, keep bool) (gone []ipvssync.Key) {
	for _, k := range slices.SortedFunc(maps.Keys(old), ipvssync.Key.Compare) {
		o := old[k]
		if e := r.entries[k]; e != nil {
			e.have, e.present, e.known, e.borrowed = o.have, o.present, o.known, o.borrowed
			e.taken = o.taken && e.private
			e.repairs, e.muted, e.strikes = o.repairs, o.muted, o.strikes
			if len(o.overrides) > 0 { // they end here; what is in the kernel is their weight
				e.known = false
			}
			continue
		}
		if o.taken {
			delete(r.failing, k.String())
			continue
		}
		if keep && o.private {
			r.put(k, o)
			continue
		}
		if keep {
			r.put(k, o)
			r.pools[o.pool] = append(r.pools[o.pool], k)
			continue
		}
		gone = append(gone, k)
	}
	return gone
}

func (r *Reconciler) allKnown() bool {
	if r.down != nil {
		return false
	}
	for _, e := range r.entries {
		if !e.known {
			return false
		}
	}
	return true
}

// all are the entries in the order of their keys.
func (r *Reconciler) all() []*entry {
	list := make([]*entry, 0, len(r.entries))
	for _, k := range r.keys() {
		list = append(list, r.entries[k])
	}
	return list
}

// list reads the list of services, each key once.
func (r *Reconciler) list(ctx context.Context) (map[ipvssync.Key]ipvssync.Service, error) {
	services, err := r.kernel.Services(ctx)
	if err != nil {
		r.goDown(err)
		return nil, err
	}
	r.comeBack()
	listed := make(map[ipvssync.Key]ipvssync.Service, len(services))
	foreign := 0
	for _, s := range services {
		if _, twice := listed[s.Key]; !twice && (r.entries[s.Key] == nil || r.entries[s.Key].private) && !r.record.owned[s.Key] {
			foreign++
		}
		listed[s.Key] = s
	}
	r.mu.Lock()
	r.status.LastCheck, r.status.Foreign = time.Now(), foreign
	r.mu.Unlock()
	return listed, nil
}

// adopt fills in what the kernel holds for entries of which that is not known. A service that one listing lacks is only
// believed to be absent: adding it again is refused and read then.
func (r *Reconciler) adopt(ctx context.Context, listed map[ipvssync.Key]ipvssync.Service, first bool) {
	services, servers := 0, 0
	for _, e := range r.all() {
		if e.known {
			continue
		}
		s, ok := listed[e.want.Key]
		if ok {
			states, err := r.kernel.Servers(ctx, s.Key)
			if err != nil {
				r.goDown(err)
				return
			}
			s.Servers = plain(states)
			if !e.private {
				services++
				servers += len(s.Servers)
			}
		}
		if !r.claim(e, s, ok) {
			continue
		}
		e.have, e.present, e.known = s, ok, true
	}
	if err := r.record.save(); err != nil {
		r.fail("record", "record what is ours in "+r.record.path, err)
	}
	if first && (services > 0 || r.status.Foreign > 0) {
		r.publish(event.IPVSAdopted.With(services, servers, r.status.Foreign))
	}
}

// plain takes the servers out of what was read, each address once. Most services have few servers, for which a map costs more than a look.
func plain(states []ipvssync.ServerState) []ipvssync.Server {
	servers := make([]ipvssync.Server, 0, len(states))
	if len(states) <= 16 {
		for _, s := range states {
			if !slices.ContainsFunc(servers, func(o ipvssync.Server) bool { return o.Addr == s.Addr }) {
				servers = append(servers, s.Server)
			}
		}
		return servers
	}
	seen := make(map[netip.AddrPort]bool, len(states))
	for _, s := range states {
		if !seen[s.Addr] {
			seen[s.Addr] = true
			servers = append(servers, s.Server)
		}
	}
	return servers
}

// target is what an entry should be in the kernel, weights set by hand included.
func (e *entry) target() ipvssync.Service {
	if len(e.overrides) == 0 {
		return e.want
	}
	t := e.want.Clone()
	for i, s := range t.Servers {
		if w, ok := e.overrides[s.Addr]; ok {
			t.Servers[i].Weight = w
		}
	}
	return t
}

// converge writes what makes the entries so. Entries of which nothing is known are left to the next read-back.
func (r *Reconciler) converge(ctx context.Context, entries []*entry) outcome {
	out, again := r.write(ctx, r.difference(entries))
	if len(again) == 0 || r.down != nil {
		return out
	}
	// Somebody else was here: look, and try once more.
	var retry []*entry
	for _, k := range again {
		e := r.entries[k]
		if e == nil {
			continue
		}
		absent := !e.present
		if err := r.read(ctx, e); err != nil {
			r.goDown(err)
			return out
		}
		if e.private && absent && e.present && len(ipvssync.Diff([]ipvssync.Service{e.want}, e.haveList())) > 0 {
			r.record.disown(k) // it was only believed to be absent
			e.known = r.claim(e, e.have, true)
			continue
		}
		retry = append(retry, e)
	}
	more, again := r.write(ctx, r.difference(retry))
	for _, k := range again {
		if e := r.entries[k]; e != nil {
			e.known = false
		}
	}
	out.add(more)
	return out
}

func (r *Reconciler) difference(entries []*entry) []ipvssync.Op {
	want := make([]ipvssync.Service, 0, len(entries))
	var have []ipvssync.Service
	for _, e := range entries {
		if !e.known {
			continue
		}
		want = append(want, e.target())
		if e.present {
			have = append(have, e.have)
		}
	}
	return ipvssync.Diff(want, have)
}

// read asks the kernel for one entry.
func (r *Reconciler) read(ctx context.Context, e *entry) error {
	s, ok, err := r.kernel.Service(ctx, e.want.Key)
	if err != nil {
		return err
	}
	if ok {
		states, err := r.kernel.Servers(ctx, s.Key)
		if err != nil {
			return err
		}
		s.Servers = plain(states)
	}
	e.have, e.present, e.known = s, ok, true
	return nil
}

// write applies operations in their order. It answers the keys whose state was not as believed.
func (r *Reconciler) write(ctx context.Context, ops []ipvssync.Op) (out outcome, again []ipvssync.Key) {
	skip := map[ipvssync.Key]bool{}
	failed := map[ipvssync.Key]bool{}
	for _, op := range ops {
		k := op.Service.Key
		if skip[k] {
			continue
		}
		err := r.kernel.Apply(ctx, op)
		switch {
		case err == nil:
			out.writes++
			r.writes++
			if e := r.entries[k]; e != nil {
				e.note(op)
			}
		case errors.Is(err, ipvssync.ErrExists) || errors.Is(err, ipvssync.ErrNotFound):
			skip[k] = true
			again = append(again, k)
		case errors.Is(err, ipvssync.ErrNoIPVS) || ctx.Err() != nil:
			r.goDown(err)
			out.problems = append(out.problems, err.Error())
			return out, nil
		default:
			out.problems = append(out.problems, err.Error())
			failed[k] = true
			r.fail(k.String(), op.String(), err)
			if op.Kind == ipvssync.AddService {
				skip[k] = true
			}
		}
	}
	for _, op := range ops {
		if k := op.Service.Key; !failed[k] {
			delete(r.failing, k.String())
		}
	}
	return out, again
}

// note brings what is believed of the kernel up to date after an operation succeeded.
func (e *entry) note(op ipvssync.Op) {
	if e.borrowed {
		e.have.Servers, e.borrowed = slices.Clone(e.have.Servers), false
	}
	i := slices.IndexFunc(e.have.Servers, func(s ipvssync.Server) bool { return s.Addr == op.Server.Addr })
	switch op.Kind {
	case ipvssync.AddService:
		e.have, e.present = op.Service, true
		e.have.Servers = nil
	case ipvssync.UpdateService:
		servers := e.have.Servers
		e.have = op.Service
		e.have.Servers = servers
	case ipvssync.DeleteService:
		e.have, e.present = ipvssync.Service{}, false
	case ipvssync.AddServer:
		e.have.Servers = append(e.have.Servers, op.Server)
	case ipvssync.UpdateServer:
		if i >= 0 {
			e.have.Servers[i] = op.Server
		}
	case ipvssync.DeleteServer:
		if i >= 0 {
			e.have.Servers = slices.Delete(e.have.Servers, i, i+1)
		}
	}
}

// fail publishes a refusal once.
func (r *Reconciler) fail(about, operation string, err error) {
	if r.failing[about] == err.Error() {
		return
	}
	r.failing[about] = err.Error()
	r.publish(event.IPVSFailed.With(operation, err))
}

// doomed are the keys to delete: those just gone, those that a former configuration left and the kernel lists, and with flush
// everything that is not wanted.
func (r *Reconciler) doomed(gone []ipvssync.Key, listed map[ipvssync.Key]ipvssync.Service, flush bool) []ipvssync.Key {
	dead := map[ipvssync.Key]bool{}
	for _, k := range gone {
		dead[k] = true
	}
	for k := range r.record.owned {
		if _, ok := listed[k]; listed != nil && !ok && r.entries[k] == nil && !dead[k] {
			r.record.disown(k) // it is gone already
			continue
		}
		dead[k] = true
	}
	if flush {
		for k := range listed {
			dead[k] = true
		}
	}
	maps.DeleteFunc(dead, func(k ipvssync.Key, _ bool) bool { return r.entries[k] != nil })
	return slices.SortedFunc(maps.Keys(dead), ipvssync.Key.Compare)
}

// deleteServices deletes and disowns; what is gone already is fine.
func (r *Reconciler) deleteServices(ctx context.Context, keys []ipvssync.Key) (out outcome) {
	for _, k := range keys {
		op := ipvssync.Op{Kind: ipvssync.DeleteService, Service: ipvssync.Service{Key: k}}
		err := r.kernel.Apply(ctx, op)
		switch {
		case err == nil:
			out.writes++
			r.writes++
			r.record.disown(k)
			delete(r.failing, k.String())
		case errors.Is(err, ipvssync.ErrNotFound):
			r.record.disown(k)
		case errors.Is(err, ipvssync.ErrNoIPVS) || ctx.Err() != nil:
			r.goDown(err)
			out.problems = append(out.problems, err.Error())
			return out
		default:
			out.problems = append(out.problems, err.Error())
			r.fail(k.String(), op.String(), err)
		}
	}
	return out
}

// takeUpdates writes what pools want after verdicts.
func (r *Reconciler) takeUpdates(ctx context.Context) {
	r.mu.Lock()
	pending, order, daemons := r.pending, r.order, r.daemons
	r.pending, r.order, r.daemons = map[string][]ipvssync.Service{}, nil, nil
	r.mu.Unlock()
	if r.stopped {
		return
	}
	if daemons != nil && r.set {
		r.desired.Daemons = *daemons
		r.convergeDaemons(ctx)
		r.publishStatus()
	}
	if len(order) == 0 {
		return
	}
	start := time.Now()
	var entries []*entry
	var gone []ipvssync.Key
	for _, pool := range order {
		if _, ok := r.pools[pool]; ok {
			touched, dropped := r.replacePool(pool, pending[pool])
			entries, gone = append(entries, touched...), append(gone, dropped...)
		}
	}
	if err := r.record.save(); err != nil {
		r.fail("record", "record what is ours in "+r.record.path, err)
	}
	if r.down != nil {
		r.publishStatus()
		return
	}
	for _, e := range entries {
		if !e.known {
			if err := r.read(ctx, e); err != nil {
				r.goDown(err)
				r.publishStatus()
				return
			}
		}
	}
	out := r.converge(ctx, entries)
	out.add(r.deleteServices(ctx, gone))
	if out.writes > 0 || len(out.problems) > 0 {
		name := order[0]
		if len(order) > 1 {
			name = fmt.Sprintf("%s and %d more", name, len(order)-1)
		}
		r.publish(event.IPVSApplied.With("verdict", name, len(entries), out.writes, len(out.problems), time.Since(start).Milliseconds()))
	}
	if len(gone) > 0 {
		if err := r.record.save(); err != nil {
			r.fail("record", "record what is ours in "+r.record.path, err)
		}
	}
	r.publishStatus()
}

// replacePool makes want the services of a pool. A server whose wanted values changed loses the weight that was set by hand.
func (r *Reconciler) replacePool(pool string, want []ipvssync.Service) (touched []*entry, gone []ipvssync.Key) {
	old := r.pools[pool]
	var keys []ipvssync.Key
	for _, s := range want {
		e := r.entries[s.Key]
		switch {
		case e == nil:
			e = &entry{pool: pool, want: s}
			r.put(s.Key, e)
			r.record.own(s.Key)
		case e.pool != pool:
			continue
		default:
			for a := range e.overrides {
				before, _ := e.want.Server(a)
				if now, ok := s.Server(a); !ok || now != before {
					delete(e.overrides, a)
				}
			}
			e.want = s
		}
		keys = append(keys, s.Key)
		touched = append(touched, e)
	}
	r.pools[pool] = keys
	for _, k := range old {
		if !slices.Contains(keys, k) {
			delete(r.entries, k)
			r.ordered = nil
			gone = append(gone, k)
		}
	}
	return touched, gone
}

// goDown notes that the kernel does not answer; told once, and only where there is something to balance: a director that moves addresses
// alone needs no IPVS.
func (r *Reconciler) goDown(err error) {
	if r.down == nil {
		r.downFrom = time.Now()
	}
	if r.kernel.stuck.Swap(nil) != nil { // told while it hung
		r.downTold = true
	}
	if !r.downTold && len(r.entries)+len(r.record.owned) > 0 {
		r.downTold = true
		r.publish(event.IPVSMissing.With(err, hint(err)))
	}
	r.down = err
	for _, e := range r.entries {
		e.known, e.present = false, false
		e.overrides = nil
	}
	r.pass = pass{}
}

func (r *Reconciler) comeBack() {
	r.down = nil
	if c := r.kernel.stuck.Swap(nil); c != nil && !r.downTold {
		r.downTold, r.downFrom = true, c.since
	}
	if r.downTold {
		r.downTold = false
		r.publish(event.IPVSBack.With(time.Since(r.downFrom).Round(time.Second)))
	}
}

// hint is what a person can do about a kernel that does not answer.
func hint(err error) string {
	switch {
	case errors.Is(err, ipvssync.ErrNoIPVS):
		return "modprobe ip_vs"
	case errors.Is(err, os.ErrPermission):
		return "run as root, or with CAP_NET_ADMIN"
	}
	return "it is tried again every few seconds"
}

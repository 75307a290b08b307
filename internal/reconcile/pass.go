package reconcile

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

const (
	// batch is how many services' servers are read between two looks at the verdicts.
	batch = 25
	// nftEvery is how often the FULLNAT table is looked at, if there is one.
	nftEvery = 500 * time.Millisecond
	// contendedAfter repairs of one key within contendedWithin pause its repair for pauseFirst, doubling up to pauseMost.
	contendedAfter  = 3
	contendedWithin = time.Minute
	pauseFirst      = time.Minute
	pauseMost       = 10 * time.Minute
	// passShare bounds what read-backs take of the time: after one that took long the next one waits so many times as long, but not longer
	// than passMost usual pauses.
	passShare = 9
	passMost  = 10
)

// pass is one read-back under way.
type pass struct {
	active bool
	next   time.Time // when the next one starts
	spent  time.Duration
	listed map[ipvssync.Key]ipvssync.Service
	settle bool // what comes right after the listing is still to be done
	todo   []ipvssync.Key
	cursor ipvssync.Key // the last key whose servers were read, for the slices
	begun  bool         // cursor means something
	nft    time.Time
}

// step does a bounded piece of a read-back and answers when it wants to go on.
func (r *Reconciler) step(ctx context.Context) time.Duration {
	if !r.set || r.stopped {
		return r.opt.Every
	}
	now := time.Now()
	if rules := r.fullNATRules(nil); len(rules) > 0 && r.down == nil && !now.Before(r.pass.nft) {
		r.fullNAT(ctx, rules, "restored")
		r.pass.nft = now.Add(nftEvery)
	}
	if !r.pass.active && now.Before(r.pass.next) {
		return r.pause(now)
	}
	switch {
	case !r.pass.active:
		r.pass.spent = 0
		r.beginPass(ctx)
	case r.pass.settle:
		r.settlePass(ctx)
	default:
		r.continuePass(ctx)
	}
	end := time.Now()
	r.pass.spent += end.Sub(now)
	if r.pass.active {
		return 0
	}
	wait := r.opt.Every
	if r.down == nil {
		wait = max(wait, min(passShare*r.pass.spent, passMost*r.opt.Every))
	}
	r.pass.next = end.Add(wait)
	r.publishStatus()
	return r.pause(time.Now())
}

func (r *Reconciler) pause(now time.Time) time.Duration {
	d := r.pass.next.Sub(now)
	if r.record.FullNAT {
		d = min(d, nftEvery)
	}
	return max(d, 0)
}

// beginPass lists the services and adopts what is not known.
func (r *Reconciler) beginPass(ctx context.Context) {
	listed, err := r.list(ctx)
	if err != nil {
		return
	}
	if !r.allKnown() {
		// After the kernel was away, or after a refusal: fill in without calling it drift.
		start := time.Now()
		r.adopt(ctx, listed, false)
		if r.down != nil {
			return
		}
		if out := r.converge(ctx, r.all()); out.writes > 0 {
			r.publish(event.IPVSApplied.With("retry", "", len(r.entries), out.writes, len(out.problems), time.Since(start).Milliseconds()))
		}
		if r.down != nil {
			return
		}
	}
	r.pass.active, r.pass.settle, r.pass.listed = true, true, listed
}

// settlePass is the second piece: it removes what a former configuration left, looks at the settings, and chooses whose servers to read. With
// thousands of services each piece takes milliseconds, and verdicts come between.
func (r *Reconciler) settlePass(ctx context.Context) {
	listed := r.pass.listed
	if !r.desired.Keep {
		r.deleteServices(ctx, r.leftovers(listed))
	}
	if r.down != nil {
		return
	}
	r.convergeSysctls()
	r.convergeTimeouts(ctx)
	r.convergeDaemons(ctx)
	if err := r.record.save(); err != nil {
		r.fail("record", "record what is ours in "+r.record.path, err)
	}
	r.pass.settle, r.pass.todo = false, r.slice()
	chosen := make(map[ipvssync.Key]bool, len(r.pass.todo))
	for _, k := range r.pass.todo {
		chosen[k] = true
	}
	for k, e := range r.entries { // what differs in the list needs a look wherever it stands in the slices
		if s, ok := listed[k]; (!ok || !s.Same(e.want)) && !chosen[k] {
			r.pass.todo = append(r.pass.todo, k)
		}
	}
}

// leftovers are recorded services that nobody wants and the kernel still lists.
func (r *Reconciler) leftovers(listed map[ipvssync.Key]ipvssync.Service) []ipvssync.Key {
	var keys []ipvssync.Key
	for k := range r.record.owned {
		if _, ok := listed[k]; ok && r.entries[k] == nil {
			keys = append(keys, k)
		}
	}
	return keys
}

// slice is which services' servers are read in this pass: the next ones after the last, wrapping around.
func (r *Reconciler) slice() []ipvssync.Key {
	keys := r.keys()
	if len(keys) <= r.opt.Slice {
		r.pass.begun = false
		return slices.Clone(keys)
	}
	from := 0
	if r.pass.begun {
		from, _ = slices.BinarySearchFunc(keys, r.pass.cursor, ipvssync.Key.Compare)
		if from < len(keys) && keys[from] == r.pass.cursor {
			from++
		}
	}
	part := keys[min(from, len(keys)):min(from+r.opt.Slice, len(keys))]
	if len(part) == 0 {
		part = keys[:r.opt.Slice]
	}
	r.pass.cursor, r.pass.begun = part[len(part)-1], true
	if r.pass.cursor == keys[len(keys)-1] {
		r.pass.begun = false
		r.noteRound()
	}
	return slices.Clone(part)
}

func (r *Reconciler) noteRound() {
	r.mu.Lock()
	r.status.LastRound = time.Now()
	r.mu.Unlock()
}

// continuePass looks at the next few services; repairs what differs twice.
func (r *Reconciler) continuePass(ctx context.Context) {
	n := min(batch, len(r.pass.todo))
	part := r.pass.todo[:n]
	r.pass.todo = r.pass.todo[n:]
	var services, operations int
	var firstOp string
	for _, k := range part {
		e := r.entries[k]
		if e == nil || !e.known {
			continue
		}
		ops, err := r.inspect(ctx, e, k)
		if err != nil {
			r.goDown(err)
			return
		}
		if len(ops) == 0 || !r.mayRepair(e) {
			continue
		}
		// A retry of what the kernel refuses is not a repair.
		refused := r.failing[k.String()] != ""
		out := r.converge(ctx, []*entry{e})
		if r.down != nil {
			return
		}
		if out.writes > 0 && !refused {
			services++
			operations += out.writes
			if firstOp == "" {
				firstOp = ops[0].String()
			}
			r.countRepair(e)
		}
	}
	if services > 0 {
		r.repairs += uint64(operations)
		r.publish(event.IPVSRepaired.With(services, operations, firstOp))
	}
	if len(r.pass.todo) == 0 {
		r.pass.active = false
		r.pass.listed = nil
		if !r.pass.begun {
			r.noteRound()
		}
	}
}

// inspect reads one service's servers and answers what differs; a difference counts only if a second look, at the service
// itself, shows it as well. What is believed of the entry is the second look then.
func (r *Reconciler) inspect(ctx context.Context, e *entry, k ipvssync.Key) ([]ipvssync.Op, error) {
	seen, ok := r.pass.listed[k]
	if ok {
		states, err := r.kernel.Servers(ctx, k)
		if err != nil {
			return nil, err
		}
		if e.asWanted(seen, states) {
			e.have, e.present, e.borrowed = e.want, true, true
			return nil, nil
		}
		seen.Servers = plain(states)
	}
	first, hands := e.compare(seen, ok)
	if len(first) == 0 && len(hands) == 0 {
		e.have, e.present = seen, ok
		r.endOverrides(e, seen)
		return nil, nil
	}
	again := &entry{want: e.want}
	if err := r.read(ctx, again); err != nil {
		return nil, err
	}
	second, hands2 := e.compare(again.have, again.present)
	for a, w := range hands {
		if w2, ok := hands2[a]; ok && w2 == w {
			r.override(e, a, w)
		}
	}
	e.have, e.present = again.have, again.present
	var both []ipvssync.Op
	for _, op := range second {
		if slices.ContainsFunc(first, func(o ipvssync.Op) bool { return o.String() == op.String() }) {
			both = append(both, op)
		}
	}
	return both, nil
}

// asWanted says that a service as read is exactly what is wanted, which is what nearly every look finds; without weights set by hand. What is
// believed of the entry can be the wanted value itself then, which is there already.
func (e *entry) asWanted(seen ipvssync.Service, states []ipvssync.ServerState) bool {
	want := e.want.Servers
	if len(e.overrides) > 0 || len(states) != len(want) || !e.want.Same(seen) {
		return false
	}
	for i := range want {
		// The kernel lists the servers in the reverse order of their coming.
		if have := &states[len(states)-1-i]; have.Addr == want[i].Addr {
			if !want[i].Same(have.Server) {
				return false
			}
			continue
		}
		k := slices.IndexFunc(states, func(s ipvssync.ServerState) bool { return s.Addr == want[i].Addr })
		if k < 0 || !want[i].Same(states[k].Server) {
			return false
		}
	}
	return true
}

// compare answers what would make the service as wanted, and apart from that the weights that somebody set by hand: only the
// weight of a server differs from what was last written.
func (e *entry) compare(seen ipvssync.Service, ok bool) ([]ipvssync.Op, map[netip.AddrPort]int) {
	target := e.target()
	if !ok {
		return ipvssync.Diff([]ipvssync.Service{target}, nil), nil
	}
	hands := map[netip.AddrPort]int{}
	if e.private {
		return ipvssync.Diff([]ipvssync.Service{target}, []ipvssync.Service{seen}), nil
	}
	for i, w := range target.Servers {
		s, there := seen.Server(w.Addr)
		if !there || s.Weight == w.Weight {
			continue
		}
		if last, was := e.have.Server(w.Addr); e.present && was && last.Weight == w.Weight {
			if len(hands) == 0 {
				target = target.Clone()
			}
			hands[w.Addr] = s.Weight
			target.Servers[i].Weight = s.Weight
		}
	}
	return ipvssync.Diff([]ipvssync.Service{target}, []ipvssync.Service{seen}), hands
}

func (r *Reconciler) override(e *entry, a netip.AddrPort, weight int) {
	w, _ := e.want.Server(a)
	if weight == w.Weight {
		delete(e.overrides, a)
		return
	}
	if e.overrides == nil {
		e.overrides = map[netip.AddrPort]int{}
	}
	e.overrides[a] = weight
	r.publish(event.IPVSOverride.With(e.want.Key, a, weight, w.Weight))
}

// endOverrides forgets weights set by hand on servers that are gone.
func (r *Reconciler) endOverrides(e *entry, seen ipvssync.Service) {
	maps.DeleteFunc(e.overrides, func(a netip.AddrPort, _ int) bool { _, ok := seen.Server(a); return !ok })
}

// mayRepair says whether the repair of a key does not pause.
func (r *Reconciler) mayRepair(e *entry) bool { return !time.Now().Before(e.muted) }

func (r *Reconciler) countRepair(e *entry) {
	now := time.Now()
	e.repairs = slices.DeleteFunc(append(e.repairs, now), func(t time.Time) bool { return now.Sub(t) > contendedWithin })
	if now.Sub(e.muted) > contendedWithin {
		e.strikes = 0
	}
	if len(e.repairs) < contendedAfter && e.strikes == 0 { // once more right after a pause is enough
		return
	}
	pause := min(pauseFirst<<min(e.strikes, 4), pauseMost)
	e.strikes++
	e.muted = now.Add(pause)
	n := len(e.repairs)
	e.repairs = nil
	who := strings.Join(r.opt.Writers(), " ")
	if who == "" {
		who = "none found"
	}
	r.publish(event.IPVSContended.With(e.want.Key, n, pause, who))
}

// reconcileAll is Reconcile on the owner's goroutine.
func (r *Reconciler) reconcileAll(ctx context.Context) Result {
	if !r.set || r.stopped {
		return Result{Problems: []string{"nothing is configured"}}
	}
	start := time.Now()
	for _, e := range r.entries {
		e.known, e.overrides, e.muted, e.repairs, e.strikes = false, nil, time.Time{}, nil, 0
	}
	r.pass = pass{}
	listed, err := r.list(ctx)
	if err != nil {
		return r.finish(Result{})
	}
	r.adopt(ctx, listed, false)
	var out outcome
	if r.down == nil {
		out = r.converge(ctx, r.all())
		out.add(r.deleteServices(ctx, r.leftovers(listed)))
		r.fullNAT(ctx, r.fullNATRules(nil), "request")
		r.convergeSysctls()
		r.convergeTimeouts(ctx)
		r.convergeDaemons(ctx)
	}
	if out.writes > 0 {
		r.publish(event.IPVSApplied.With("request", "", len(r.entries), out.writes, len(out.problems), time.Since(start).Milliseconds()))
	}
	return r.finish(Result{Writes: out.writes, Problems: out.problems})
}

// publishStatus refreshes what Status answers.
func (r *Reconciler) publishStatus() {
	st := Status{Ready: r.set && r.down == nil && !r.stopped, Writes: r.writes, Repairs: r.repairs}
	switch {
	case r.down != nil:
		st.Error = r.down.Error()
	case !r.set:
		st.Error = "nothing is configured yet"
	case r.stopped:
		st.Error = "stopped"
	}
	now := time.Now()
	for k, e := range r.entries {
		if e.private {
			continue
		}
		st.Services++
		st.Servers += len(e.want.Servers)
		for a, w := range e.overrides {
			if st.Overrides == nil {
				st.Overrides = map[string]int{}
			}
			st.Overrides[fmt.Sprintf("%s %s", k, a)] = w
		}
		if now.Before(e.muted) {
			st.Contended = append(st.Contended, k.String())
		}
	}
	slices.Sort(st.Contended)
	st.Problems = slices.Sorted(maps.Values(r.failing))
	st.Daemons = slices.Clone(r.running)
	r.mu.Lock()
	defer r.mu.Unlock()
	st.LastCheck, st.LastRound, st.Foreign = r.status.LastCheck, r.status.LastRound, r.status.Foreign
	r.status = st
}

package checkers

import (
	"maps"
	"slices"
	"time"
)

// Apply makes specs the checks there are. State is kept by identity (see Saved for what outlives the process): a check that is the
// same goes on undisturbed, a new one or one that probes something else is attempted at once (large numbers spread a little; after
// Warmup where the spec has one), others at their usual moment. Of two specs with one ID the first counts.
//
// For each check that is new, or whose state at this place is another than before, a Change of kind Began is told, before anything
// else about it. Checks that are gone are not mentioned again. The Scheduler keeps specs: they must not be changed afterwards.
func (s *Scheduler) Apply(specs []Spec) { s.ApplyBegan(specs, nil) }

// ApplyBegan is Apply that hands each Began to began, if there is one, instead of OnChange, before any attempt of the new checks is made.
// began is called with a lock held and must not call the Scheduler.
func (s *Scheduler) ApplyBegan(specs []Spec, began func(Change)) {
	// The expensive part comes before the lock, so that a large reload delays no attempt.
	probes, keys := make([]Fingerprint, len(specs)), make([]Fingerprint, len(specs))
	perServer := map[server][]int{}
	seen := make(map[ID]bool, len(specs))
	var last written
	for i := range specs {
		if seen[specs[i].ID] {
			continue
		}
		seen[specs[i].ID] = true
		probes[i] = specs[i].Probe.fingerprint(&last)
		keys[i] = shareKey(&specs[i], probes[i])
		key := specs[i].ID.server()
		perServer[key] = append(perServer[key], i)
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	at := s.opt.Clock.Now()
	now := at.Sub(s.base)
	before := s.saved(at)
	old, oldJobs := make(map[ID]*check, len(s.checks)), make(map[Fingerprint]*job, len(s.jobs))
	for _, c := range s.checks {
		old[c.spec.ID] = c
	}
	for _, j := range s.jobs {
		oldJobs[j.key] = j
	}
	made := make([]check, len(seen))
	checks := make([]*check, 0, len(seen))
	jobs := make(map[Fingerprint]*job, len(specs))
	fresh := 0
	for i := range specs {
		key := specs[i].ID.server()
		members := perServer[key]
		if len(members) == 0 || members[0] != i {
			continue
		}
		ids := make([]ID, len(members))
		fps := make([]Fingerprint, len(members))
		for k, m := range members {
			ids[k], fps[k] = specs[m].ID, probes[m]
		}
		got := inherit(before[key], ids, fps)
		for k, m := range members {
			c := &made[len(checks)]
			s.adopt(c, old[specs[m].ID], &specs[m], probes[m], got[k], at, began)
			checks = append(checks, c)
			var before *check
			if got[k] != nil && got[k].same && s.restored == nil {
				before = old[got[k].from.ID]
			}
			if s.join(c, keys[m], jobs, oldJobs, before, now, fresh) {
				fresh++
			}
		}
	}
	for key, j := range oldJobs {
		if jobs[key] != j {
			s.retire(j)
		}
	}
	slices.SortFunc(checks, func(a, b *check) int { return a.spec.ID.compare(b.spec.ID) })
	s.applied++
	s.settled, s.knownTo = 0, 0
	s.checks, s.jobs, s.restored = checks, slices.AppendSeq(make([]*job, 0, len(jobs)), maps.Values(jobs)), nil
	s.recount()
	s.arm(now)
	s.mu.Unlock()
	s.deliver()
}

// saved is what there is to inherit from, by server: the checks that are, or at the first Apply those of the process before.
func (s *Scheduler) saved(now time.Time) map[server][]Saved {
	if s.restored != nil {
		return s.restored
	}
	all := map[server][]Saved{}
	for _, c := range s.checks { // in order of their index
		key := c.spec.ID.server()
		all[key] = append(all[key], s.save(c, now))
	}
	return all
}

func (s *Scheduler) save(c *check, now time.Time) Saved {
	out := Saved{ID: c.spec.ID, Probe: c.probe, Up: c.verdict.Up, Proven: c.verdict.Proven, Streak: c.verdict.Streak, Since: s.wall(now, c.since),
		Weight: c.weight, Reason: c.reason, Detail: c.detail, Told: c.told}
	if d := c.verdict.damped; d != nil && now.Before(d.until) {
		out.HeldUntil = d.until
	}
	return out
}

// adopt makes c the check of a spec from what it inherits, and tells Began where that is news; old is the check that was in this place
// before. Called with the lock.
func (s *Scheduler) adopt(c, old *check, spec *Spec, probe Fingerprint, from *inherited, at time.Time, began func(Change)) {
	*c = check{spec: spec, probe: probe, verdict: Begin(&spec.Rules), since: at.Sub(s.base)}
	if from != nil {
		f := from.from
		c.known = s.restored != nil || old != nil && old.known
		c.verdict = Verdict{Up: f.Up, Proven: f.Proven, Streak: f.Streak}
		if !f.Since.IsZero() {
			c.since = f.Since.Sub(s.base)
		}
		c.reason, c.detail = f.Reason, f.Detail
		if from.same {
			c.weight = f.Weight
		} else {
			c.verdict.Streak = 0
		}
	}
	if old != nil && from != nil && from.from.ID == spec.ID {
		c.verdict.damped, c.warning = old.verdict.damped, old.warning
	} else if from != nil && at.Before(from.from.HeldUntil) {
		c.verdict.damped = &damped{until: from.from.HeldUntil}
	}
	if old != nil {
		c.told = old.told
	}
	if old == nil || old.verdict.Up != c.verdict.Up || old.weight != c.weight {
		ch := s.numbered(c, Change{ID: spec.ID, What: Began, Kind: spec.Probe.Kind, Target: spec.Probe.Asks(), Up: c.verdict.Up, Weight: c.weight,
			Reason: c.reason, Detail: c.detail, At: at})
		if began != nil {
			began(ch)
		} else {
			s.tell(ch)
		}
	}
}

// join puts the check into the job that serves it, and says whether that job is to be attempted at once; before is the check of
// this process that asked the same, if there was one, and fresh counts those joined so before. Called with the lock.
func (s *Scheduler) join(c *check, key Fingerprint, jobs, old map[Fingerprint]*job, before *check, now time.Duration, fresh int) bool {
	j := jobs[key]
	if j == nil {
		if j = old[key]; j != nil {
			j.clear()
		} else {
			j = &job{key: key, index: -1}
		}
		jobs[key] = j
	}
	j.add(c)
	if c.spec.Suspended {
		if j.suspended() {
			if !j.running {
				s.drop(j)
			}
		}
		return false
	}
	if j.running {
		// Its result is on the way and does for this check too.
		return false
	}
	if before != nil && before.job.ran && !before.spec.Suspended {
		if j.index < 0 {
			old := before.job
			j.ran, j.stray, j.passed, j.failed, j.result, j.lastAt = true, old.stray, old.passed, old.failed, old.result, old.lastAt
			s.put(j, j.slot(now), true)
		}
		return false
	}
	if before != nil && before.job == j && j.index >= 0 {
		return false
	}
	switch due := now + max(time.Duration(fresh-burst), 0)*pace; {
	case c.spec.Warmup > 0:
		due = now + time.Duration(uint64(c.probe[0])<<8|uint64(c.probe[1]))*c.spec.Warmup/65536
		if j.index < 0 || due < j.due {
			s.put(j, due, false)
		}
	case j.index < 0 || due < j.due:
		if due == now {
			s.put(j, due, false)
		} else {
			s.putFresh(j, due)
		}
	}
	return true
}

// retire forgets a job. An attempt in flight ends by itself and is not judged. Called with the lock.
func (s *Scheduler) retire(j *job) {
	j.gone = true
	j.clear()
	s.drop(j)
}

// recount counts the strays of the jobs there are. Called with the lock.
func (s *Scheduler) recount() {
	s.strays, s.awake = [4]int{}, 0
	for _, j := range s.jobs {
		if j.suspended() {
			continue
		}
		s.awake++
		if j.ran {
			s.strays[j.stray]++
		}
	}
}

// Restore gives the state of an earlier process to the first Apply. Afterwards it does nothing.
func (s *Scheduler) Restore(saved []Saved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.checks) > 0 {
		return
	}
	s.restored = map[server][]Saved{}
	for _, one := range saved {
		s.restored[one.ID.server()] = append(s.restored[one.ID.server()], one)
	}
}

// CheckNow attempts every check for which match is true as soon as there is a slot, and says how many checks that are. One whose
// attempt is in flight gets another after it.
func (s *Scheduler) CheckNow(match func(*Spec) bool) int {
	n := 0
	s.each(func(spec *Spec) bool { return !spec.Suspended && match(spec) }, func(c *check, at time.Time) {
		n++
		if c.job.running {
			c.job.again = true
			return
		}
		now := at.Sub(s.base)
		s.put(c.job, now, false)
		s.arm(now)
	})
	return n
}

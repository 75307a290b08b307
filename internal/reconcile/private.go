package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Private services belong to checks through the forwarding path (check_via forward): one of a firewall mark for each real server. They are
// reconciled, recorded and removed like all others, and shown nowhere. Unlike the others they are never taken over from somebody else.

// errTaken: the mark of a private service is in use by somebody else.
var errTaken = errors.New("another program balances this firewall mark; choose other marks with forward_check_marks")

// takePrivate adds the private services to the entries. Whose they are is settled when the kernel was listed.
func (r *Reconciler) takePrivate(d Desired) {
	for _, s := range d.Private {
		if r.entries[s.Key] == nil {
			r.put(s.Key, &entry{want: s, private: true})
		}
	}
}

// claim settles whose a private service is that was not ours so far, by what the kernel holds under its mark. What looks exactly like ours is
// ours: the mark is computed from the server. Anything else is somebody else's, and stays so until it is gone.
func (r *Reconciler) claim(e *entry, held ipvssync.Service, present bool) (ours bool) {
	k := e.want.Key
	if !e.private || r.record.owned[k] {
		return true
	}
	if e.taken = present && len(ipvssync.Diff([]ipvssync.Service{e.want}, []ipvssync.Service{held})) > 0; e.taken {
		r.fail(k.String(), "make the service for checks through "+e.want.Servers[0].Addr.String(), errTaken)
		return false
	}
	delete(r.failing, k.String())
	r.record.own(k)
	return true
}

// Hold makes sure that a private service is in the kernel as it should be, and that the kernel lets the answers in; the error is for people.
// Checks ask before each attempt: without its service an attempt would reach any server, or none.
func (r *Reconciler) Hold(ctx context.Context, k ipvssync.Key) error {
	var failed error
	if err := r.do(ctx, func(ctx context.Context) { failed = r.hold(ctx, k) }); err != nil {
		return err
	}
	return failed
}

func (r *Reconciler) hold(ctx context.Context, k ipvssync.Key) error {
	e := r.entries[k]
	switch {
	case e == nil || !e.private || r.stopped:
		return fmt.Errorf("the service for this check (%s) is not configured", k)
	case r.down != nil:
		return r.down
	case e.taken:
		return errTaken
	}
	if why := r.shut[e.want.Servers[0].Addr.Addr()]; why != "" {
		return errors.New(why)
	}
	if err := r.read(ctx, e); err != nil {
		r.goDown(err)
		return err
	}
	if len(ipvssync.Diff([]ipvssync.Service{e.want}, e.haveList())) == 0 {
		return nil
	}
	out := r.converge(ctx, []*entry{e})
	if len(out.problems) > 0 {
		return errors.New(strings.Join(out.problems, "; "))
	}
	return r.down
}

// haveList is what is believed to be in the kernel, as a list.
func (e *entry) haveList() []ipvssync.Service {
	if !e.present {
		return nil
	}
	return []ipvssync.Service{e.have}
}

// waysFor is how long the interface of a server is believed.
const waysFor = time.Minute

// receivingSysctls are the settings that let a check's answer in. On the owner of a virtual address the answer of a DR or TUN server comes from
// an address of this machine's own, which IPv4 drops as impossible (a martian) unless the interface accepts local sources and does not filter
// strictly by the reverse path. A check through NAT that comes from an address of another network (bindto) is answered, on a BACKUP, by way of the master: from a
// server that this machine would reach by another interface, which a strict filter drops too. They are set on every director all the time: a check must not fail in the moment of a takeover.
func (r *Reconciler) receivingSysctls() map[string]string {
	want := map[string]string{}
	fresh := time.Since(r.waysAt) < waysFor
	if !fresh {
		r.waysAt = time.Now()
	}
	names, loose := map[string]bool{}, map[string]bool{} // where both settings are needed, and where only the filter must not be strict
	for _, a := range r.desired.Sources {
		if !a.Is4() {
			continue
		}
		if !fresh || r.ways[a] == "" {
			if name, err := r.kernel.Holder(a); err == nil && name != "" {
				r.ways[a] = name
			}
		}
		if name := r.ways[a]; name != "" {
			loose[name] = true
		}
	}
	for _, e := range r.entries {
		if !e.private || e.want.Family != ipvssync.IPv4 {
			continue
		}
		s := e.want.Servers[0]
		if s.Forward != ipvssync.DR && s.Forward != ipvssync.TUN {
			continue
		}
		a := s.Addr.Addr()
		if !fresh || r.ways[a] == "" {
			name, err := r.kernel.Outgoing(a)
			switch {
			case err == nil:
				r.ways[a] = name
			case r.ways[a] == "":
				r.shut[a] = err.Error()
				continue
			}
		}
		delete(r.shut, a)
		names[r.ways[a]], loose[r.ways[a]] = true, true
	}
	for name := range loose {
		if name == "lo" {
			continue
		}
		conf := "net.ipv4.conf." + strings.ReplaceAll(name, ".", "/") + "."
		if names[name] {
			want[conf+"accept_local"] = "1"
		}
		if r.strict(conf + "rp_filter") {
			want[conf+"rp_filter"] = "2"
		} else {
			delete(r.failing, "sysctl "+conf+"rp_filter")
		}
	}
	return want
}

// strict says that an interface filters strictly by the reverse path, or would without our setting. The kernel takes the larger value of the
// interface's own and all's.
func (r *Reconciler) strict(name string) bool {
	if _, ours := r.record.Sysctls[name]; ours {
		return true
	}
	own, err := r.kernel.Sysctl(name)
	all, err2 := r.kernel.Sysctl("net.ipv4.conf.all.rp_filter")
	if err != nil || err2 != nil {
		return err != nil // setting it says why
	}
	return max(strings.TrimSpace(own), strings.TrimSpace(all)) == "1"
}

// shutBySysctl notes for which servers' checks a setting that could not be made keeps the answers out.
func (r *Reconciler) shutBySysctl(failed map[string]string) {
	for a, name := range r.ways {
		conf := "sysctl net.ipv4.conf." + strings.ReplaceAll(name, ".", "/") + "."
		for _, about := range []string{conf + "accept_local", conf + "rp_filter"} {
			if why, ok := failed[about]; ok {
				r.shut[a] = "the answer of a DR or TUN server would be dropped here: " + why
			}
		}
	}
}

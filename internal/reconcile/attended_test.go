package reconcile

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
)

// hung is a kernel that does not come back from an operation while it is told to, whatever the deadline: as one does that waits for a module.
type hung struct {
	*ipvstest.Kernel
	gate atomic.Pointer[chan struct{}]
}

func (h *hung) Apply(ctx context.Context, op ipvssync.Op) error {
	if g := h.gate.Load(); g != nil {
		<-*g
	}
	return h.Kernel.Apply(ctx, op)
}

// While the kernel hangs in one operation nobody waits but the owner: verdicts are taken, status and the log say so, and afterwards everything is written.
func TestKernelThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hung{Kernel: ipvstest.New()}
		var mu sync.Mutex
		var told []event.Event
		bus := &event.Bus{}
		bus.Add(func(e event.Event) { mu.Lock(); defer mu.Unlock(); told = append(told, e) })
		r := New(h, Options{Bus: bus, Writers: func() []string { return nil }})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); _ = r.Run(ctx) }()
		defer func() { cancel(); <-done }()
		if _, err := r.Set(ctx, pools(svc(1, srv(1, 1)), svc(2, srv(1, 1)))); err != nil {
			t.Fatal(err)
		}
		gate := make(chan struct{})
		h.gate.Store(&gate)
		r.Update("p00", []ipvssync.Service{svc(1, srv(1, 2))})
		time.Sleep(time.Minute)
		before := time.Now()
		r.Update("p01", []ipvssync.Service{svc(2, srv(1, 3))})
		if st := r.Status(); st.Ready || !strings.Contains(st.Error, "has not come back") || !strings.Contains(st.Error, "192.0.2.1:80") || time.Since(before) > 0 {
			t.Errorf("status: %+v after %s", st, time.Since(before))
		}
		of := func(id string) (list []event.Event) {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range told {
				if e.ID == id {
					list = append(list, e)
				}
			}
			return list
		}
		if n := len(of("ipvs.missing")); n != 1 {
			t.Errorf("told %d times that the kernel hangs", n)
		}
		h.gate.Store(nil)
		close(gate)
		time.Sleep(20 * time.Second)
		if ops := ipvssync.Diff([]ipvssync.Service{svc(1, srv(1, 2)), svc(2, srv(1, 3))}, h.Table()); len(ops) > 0 {
			t.Errorf("the table still needs %v", ops)
		}
		if st := r.Status(); !st.Ready || st.Error != "" || len(of("ipvs.missing")) != 1 || len(of("ipvs.back")) != 1 {
			t.Errorf("afterwards: %+v; missing told %d times, back %d", st, len(of("ipvs.missing")), len(of("ipvs.back")))
		}
		// A call that is merely slow is not called hanging.
		slow := make(chan struct{})
		h.gate.Store(&slow)
		r.Update("p00", []ipvssync.Service{svc(1, srv(1, 9))})
		time.Sleep(8 * time.Second)
		h.gate.Store(nil)
		close(slow)
		time.Sleep(20 * time.Second)
		if len(of("ipvs.missing")) != 1 {
			t.Error("a call of 8 s was told as one that hangs")
		}
	})
}

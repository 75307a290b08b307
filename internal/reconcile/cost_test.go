package reconcile

import (
	"context"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
)

// watched is a kernel that counts questions and can lose its handle.
type watched struct {
	*ipvstest.Kernel
	mu       sync.Mutex
	lists    int
	read     map[ipvssync.Key]int
	failNext error
}

func (w *watched) Services(ctx context.Context) ([]ipvssync.Service, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lists++
	if err := w.failNext; err != nil {
		w.failNext = nil
		return nil, err
	}
	return w.Kernel.Services(ctx)
}

func (w *watched) Servers(ctx context.Context, k ipvssync.Key) ([]ipvssync.ServerState, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read[k]++
	if err := w.failNext; err != nil {
		w.failNext = nil
		return nil, err
	}
	return w.Kernel.Servers(ctx, k)
}

func (w *watched) take() (lists, reads, different int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lists, different = w.lists, len(w.read)
	for _, n := range w.read {
		reads += n
	}
	w.lists, w.read = 0, map[ipvssync.Key]int{}
	return lists, reads, different
}

// TestReadBackInSlices: a read-back lists the services once and asks for the servers of one slice, and every service has its turn. So 40,000 servers
// in 5,000 services cost one list and 500 questions every three seconds.
func TestReadBackInSlices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const services, slice = 200, 20
		w := &watched{Kernel: ipvstest.New(), read: map[ipvssync.Key]int{}}
		bus := &event.Bus{}
		var told []string
		bus.Add(func(e event.Event) { told = append(told, e.ID) })
		ctx, cancel := context.WithCancel(context.Background())
		r := New(w, Options{Bus: bus, Slice: slice})
		done := make(chan struct{})
		go func() { defer close(done); _ = r.Run(ctx) }()
		defer func() { cancel(); <-done }()
		if _, err := r.Set(ctx, large(services, 8)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		w.take()
		const passes = services / slice
		time.Sleep(passes * 3 * time.Second)
		if lists, reads, different := w.take(); lists != passes || reads != services || different != services {
			t.Errorf("%d passes: %d lists, %d reads of %d services", passes, lists, reads, different)
		}
		told = nil
		for range 2 { // a handle that hangs is closed by its guard; the next question opens another
			w.mu.Lock()
			w.failNext = os.ErrClosed
			w.mu.Unlock()
			time.Sleep(30 * time.Second)
			if st := r.Status(); !st.Ready {
				t.Errorf("after a lost handle: %+v", st)
			}
		}
		n := map[string]int{}
		for _, id := range told {
			n[id]++
		}
		if n["ipvs.missing"] != 2 || n["ipvs.back"] != 2 || n["ipvs.repaired"] != 0 || len(told) != 4 {
			t.Errorf("told %v", n)
		}
	})
}

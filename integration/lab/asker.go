//go:build linux

package lab

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
)

// Ask is one request of a client.
type Ask struct {
	// Begin and End bound it.
	Begin, End time.Time
	// By is the server that answered.
	By string
	// Err is why none did.
	Err error
}

// Asker is a client that keeps asking a web service: a new connection for every request, several at a time, each with a timeout.
type Asker struct {
	mu   sync.Mutex
	asks []Ask
	stop chan struct{}
	wg   sync.WaitGroup
}

// Ask starts asking addr (host:port) every so often; a request that takes longer than the timeout has failed.
func (n *Node) Ask(addr string, every, timeout time.Duration) *Asker {
	a := &Asker{stop: make(chan struct{})}
	// Enough threads that a hanging request does not hold up the next ones.
	workers := min(32, max(2, int(timeout/every)+1))
	turns := make(chan struct{})
	a.wg.Add(workers + 1)
	for range workers {
		n.Go(func() {
			defer a.wg.Done()
			for range turns {
				ask := Ask{Begin: time.Now()}
				ask.By, ask.Err = get(addr, timeout)
				ask.End = time.Now()
				a.mu.Lock()
				a.asks = append(a.asks, ask)
				a.mu.Unlock()
			}
		})
	}
	go func() {
		defer a.wg.Done()
		defer close(turns)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-a.stop:
				return
			case <-tick.C:
			}
			select {
			case turns <- struct{}{}:
			case <-a.stop:
				return
			}
		}
	}()
	n.lab.atEnd(a.Stop)
	return a
}

// Stop ends asking and waits for the requests under way.
func (a *Asker) Stop() {
	a.mu.Lock()
	select {
	case <-a.stop:
	default:
		close(a.stop)
	}
	a.mu.Unlock()
	a.wg.Wait()
}

// Asks returns the requests that began in [from, to); a zero end means now.
func (a *Asker) Asks(from, to time.Time) []Ask {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []Ask
	for _, ask := range a.asks {
		if !ask.Begin.Before(from) && (to.IsZero() || ask.Begin.Before(to)) {
			list = append(list, ask)
		}
	}
	return list
}

// Tally counts requests by who answered; failures are under "failed".
type Tally map[string]int

// Failed is the number of requests without an answer.
func (t Tally) Failed() int { return t["failed"] }

// Total is the number of requests.
func (t Tally) Total() int {
	sum := 0
	for _, n := range t {
		sum += n
	}
	return sum
}

func (t Tally) String() string {
	var names []string
	for name := range t {
		names = append(names, name)
	}
	sort.Strings(names)
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, t[name])
	}
	return strings.Join(names, ", ")
}

// Tally counts the requests that began in [from, to).
func (a *Asker) Tally(from, to time.Time) Tally {
	t := Tally{}
	for _, ask := range a.Asks(from, to) {
		if ask.Err != nil {
			t["failed"]++
		} else {
			t[ask.By]++
		}
	}
	return t
}

// Silence is the longest time between the ends of two successful requests that began in [from, to).
func (a *Asker) Silence(from, to time.Time) time.Duration {
	var ends []time.Time
	for _, ask := range a.Asks(from, to) {
		if ask.Err == nil {
			ends = append(ends, ask.End)
		}
	}
	sort.Slice(ends, func(i, j int) bool { return ends[i].Before(ends[j]) })
	longest := time.Duration(0)
	for i := 1; i < len(ends); i++ {
		longest = max(longest, ends[i].Sub(ends[i-1]))
	}
	return longest
}

// Errors lists the different failures in [from, to), with how often each came.
func (a *Asker) Errors(from, to time.Time) string {
	t := Tally{}
	for _, ask := range a.Asks(from, to) {
		if ask.Err != nil {
			t[fmt.Sprintf("%q", ask.Err.Error())]++
		}
	}
	return t.String()
}

package checkers

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// scripted answers with what it was told last.
type scripted struct{ atomic.Pointer[Result] }

func (s *scripted) Probe(context.Context, *Probe) Result { return *s.Load() }

// A conversation with one agent: each step is what it says (as its probe reads it) and what follows. What it does not mention stays.
func TestAgentTakesBackItsOwnWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{}
		p.Store(&Result{OK: true})
		s := New(Options{Prober: p, Clock: bubbleClock{}})
		defer s.Close()
		spec := one("v", "a", 0, 1)
		spec.Probe.Kind, spec.Rules.Retry = Agent, 0
		s.Apply([]Spec{spec})
		pass(time.Second)
		conversation(t, p, s)
	})
}

func conversation(t *testing.T, p *scripted, s *Scheduler) {
	percent := func(v int) Weight { return Weight{Mode: Percent, Value: v} }
	for _, step := range []struct {
		name   string
		says   Result
		up     bool
		weight Weight
	}{
		{"75%", Result{OK: true, Weight: percent(75), Unsaid: UnsaidUp | UnsaidReady}, true, percent(75)},
		{"up", Result{OK: true, Unsaid: UnsaidReady | UnsaidWeight}, true, percent(75)},
		{"drain", Result{OK: true, Weight: Weight{Drain: true}, Unsaid: UnsaidUp | UnsaidWeight}, true, Weight{Percent, 75, true}},
		{"up 50%", Result{OK: true, Weight: percent(50), Unsaid: UnsaidReady}, true, Weight{Percent, 50, true}},
		{"ready", Result{OK: true, Unsaid: UnsaidUp | UnsaidWeight}, true, percent(50)},
		{"down", Result{Reason: AgentDown, Unsaid: UnsaidReady | UnsaidWeight}, false, percent(50)},
		{"ready 100%", Result{OK: true, Weight: percent(100), Unsaid: UnsaidUp}, false, percent(100)},
		{"up", Result{OK: true, Unsaid: UnsaidReady | UnsaidWeight}, true, percent(100)},
		{"maint", Result{Reason: AgentMaint, Unsaid: UnsaidUp | UnsaidWeight}, false, percent(100)},
		{"up", Result{OK: true, Unsaid: UnsaidReady | UnsaidWeight}, false, percent(100)},
		{"ready", Result{OK: true, Unsaid: UnsaidUp | UnsaidWeight}, true, percent(100)},
		{"refused", Fail(Refused, ""), false, percent(100)},
		{"50% says that it is there again", Result{OK: true, Weight: percent(50), Unsaid: UnsaidUp | UnsaidReady}, true, percent(50)},
	} {
		p.Store(&step.says)
		pass(10 * time.Second)
		if st := s.Status()[0]; st.Up != step.up || st.Weight != step.weight {
			t.Errorf("after %s: up %v, weight %+v; want %v, %+v", step.name, st.Up, st.Weight, step.up, step.weight)
		}
	}
}

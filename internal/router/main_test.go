package router

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// TestMain lets the test binary be the processes that tests start: "router RUNDIR CONFIG" and, started by it, "balancer CONFIG", which does nothing but
// send the configuration (a vrrp.Config in JSON).
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "router":
			os.Exit(testRouter(os.Args[2], os.Args[3]))
		case "balancer":
			os.Exit(testBalancer(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

func testRouter(runDir, config string) int {
	var bus event.Bus
	bus.Add(func(e event.Event) {
		fmt.Fprintf(os.Stderr, "%s %s", e.Time.Format("05.000000"), e.ID)
		for i, f := range e.Kind().Fields {
			fmt.Fprintf(os.Stderr, " %s=%q", f, fmt.Sprint(e.Values[i]))
		}
		fmt.Fprintln(os.Stderr)
	})
	if err := Main(Options{RunDir: runDir, BalancerArgs: []string{"balancer", config}, Version: "test", Bus: &bus}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func testBalancer(config string) int {
	c, err := seam.Inherited()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	conn := seam.NewConn(c)
	go func() {
		for range time.Tick(time.Second) {
			conn.Send(seam.Message{Heartbeat: &seam.Heartbeat{}})
		}
	}()
	gen := uint64(0)
	apply := func() error {
		b, err := os.ReadFile(config)
		if err != nil {
			return err
		}
		gen++
		a := &seam.Apply{Gen: gen}
		if err := json.Unmarshal(b, &a.Config); err != nil {
			return err
		}
		conn.Send(seam.Message{Apply: a})
		conn.Send(seam.Message{Ready: &vrrp.Ready{OK: true}})
		return nil
	}
	for {
		m, err := conn.Receive()
		switch {
		case err != nil:
			return 1 // the router is gone; a real balancer would wait for another one
		case m.Snapshot != nil && gen == 0, m.Reload != nil:
			if m.Snapshot != nil {
				gen = m.Snapshot.Gen
			}
			if err := apply(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return ExitRefused
			}
		case m.Stop != nil:
			conn.Send(seam.Message{Stopped: &seam.Stopped{}})
			conn.Flush(time.Second)
			return 0
		}
	}
}

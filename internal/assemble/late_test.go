package assemble

import (
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/holdfast-ha/holdfast/config"
)

// What is about waiting and being late arrives in the router's configuration.
func TestDelaysReachTheRouter(t *testing.T) {
	const file = `global_defs {
 vrrp_startup_delay 3
 vrrp_delay_after_boot 60.5
}
vrrp_instance A {
 interface eth0
 virtual_router_id 7
 priority 100
 nopreempt
 timer_expired_backup 77
 virtual_ipaddress {
  192.0.2.10/24
 }
}
`
	m, ds := config.Parse(fstest.MapFS{"a.conf": {Data: []byte(file)}}, "/a.conf", config.Host{}, config.Options{})
	c := VRRP(m)
	if ds.HasErrors() || c.StartupDelay != 3*time.Second || c.DelayAfterBoot != 60500*time.Millisecond || c.Instances[0].LateBackup != 77 || c.Instances[0].Blocked != "" {
		t.Errorf("%+v\n%s", c, ds.Text(false))
	}
}

// Adverts that must leave within milliseconds make the router a real-time process, unless the file says how it is to run.
func TestHurriedAdvertsAreRealTime(t *testing.T) {
	for _, c := range []struct {
		global, interval string
		realTime         int
		unasked          bool
	}{
		{"", "1", 0, true},
		{"", "0.11", 0, true},
		{"", "0.1", 1, true},
		{"", "0.01", 1, true},
		{"vrrp_priority 0", "0.01", 0, false},
		{"vrrp_priority -5", "0.01", 0, false},
		{"vrrp_rt_priority 50", "0.01", 50, false},
		{"max_auto_priority 0", "0.01", 0, true},
		{"max_auto_priority 20", "0.01", 0, true},
	} {
		text := fmt.Sprintf("global_defs {\n vrrp_version 3\n %s\n}\nvrrp_instance a {\n interface eth0\n virtual_router_id 1\n priority 100\n advert_int %s\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n", c.global, c.interval)
		m, diags := config.Parse(fstest.MapFS{"x.conf": {Data: []byte(text)}}, "/x.conf", config.Host{}, config.Options{})
		if m == nil {
			t.Fatal(diags)
		}
		if p := VRRP(m).Process; p.RealTime != c.realTime || p.Unasked != c.unasked {
			t.Errorf("%q, adverts every %s s: %+v", c.global, c.interval, p)
		}
	}
}

// nopreempt and preempt_delay hold with state MASTER; an owner preempts all the same.
func TestNopreemptHoldsWithStateMaster(t *testing.T) {
	for _, c := range []struct {
		words     string
		nopreempt bool
		delay     time.Duration
	}{
		{"priority 150\n nopreempt", true, 0},
		{"priority 150\n preempt_delay 5", false, 5 * time.Second},
		{"priority 255\n nopreempt", false, 0},
		{"priority 255\n preempt_delay 5", false, 0},
		{"nopreempt", false, 0}, // state MASTER without a priority is an owner
	} {
		text := "vrrp_instance a {\n state MASTER\n interface eth0\n virtual_router_id 1\n " + c.words + "\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n"
		m, diags := config.Parse(fstest.MapFS{"x.conf": {Data: []byte(text)}}, "/x.conf", config.Host{}, config.Options{})
		if m == nil {
			t.Fatal(diags)
		}
		if v := VRRP(m).Instances[0]; v.NoPreempt != c.nopreempt || v.PreemptDelay != c.delay {
			t.Errorf("%q: nopreempt %v, preempt_delay %v", c.words, v.NoPreempt, v.PreemptDelay)
		}
	}
}

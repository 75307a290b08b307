package assemble

import (
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

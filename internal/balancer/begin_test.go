package balancer

import (
	"fmt"
	"testing"

	"github.com/holdfast-ha/holdfast/internal/seam"
)

// Attempts that end while the daemon is still starting do not make servers come, go and come again.
func TestServersComeOnce(t *testing.T) {
	const servers = 200
	var all []string
	for i := range servers {
		all = append(all, fmt.Sprintf("10.0.%d.%d", i/100, 1+i%100))
	}
	m := model(all...)
	for i := range m.VirtualServers[0].RealServers {
		m.VirtualServers[0].RealServers[i].Alpha = true
	}
	w := newWorld(t, m)
	w.start(seam.Snapshot{})
	w.up()
	eventually(t, "every server is in the table", func() bool {
		for _, a := range all {
			if !w.holds(a + ":80") {
				return false
			}
		}
		return true
	})
	if w.has("pool.server_down") {
		t.Error("a server that never failed was down for a moment")
	}
}

package control

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

func TestSplitBrainIsShownWhileItLasts(t *testing.T) {
	since := time.Now().Add(-time.Minute)
	for _, c := range []struct {
		rival vrrp.Rival
		want  string
	}{
		{vrrp.Rival{}, ""},
		{vrrp.Rival{Addr: "192.0.2.2", Priority: 100, Since: since, Until: time.Now().Add(-time.Second)}, ""},
		{vrrp.Rival{Addr: "192.0.2.2", Priority: 100, Since: since, Until: time.Now().Add(time.Hour)}, "does not hear this director"},
		{vrrp.Rival{Addr: "192.0.2.2", Refused: "auth_failure", Since: since, Until: time.Now().Add(time.Hour)}, "refused here: auth_failure"},
	} {
		got := FromInstance(vrrp.Status{Rival: c.rival}).SplitBrain
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c.rival, got)
		}
	}
}

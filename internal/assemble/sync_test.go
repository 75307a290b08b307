package assemble

import (
	"testing"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

func TestSyncDaemons(t *testing.T) {
	master, backup := func(string) bool { return true }, func(string) bool { return false }
	m := &config.Model{Instances: []config.VRRPInstance{{Name: "VI", VRID: 51}}}
	if got := SyncDaemons(m, master); got != nil {
		t.Errorf("none asked for: %+v", got)
	}
	m.Global.LVSSync = config.LVSSyncDaemon{Interface: "eth0", ID: -1}
	if got := SyncDaemons(m, master); len(got) != 2 || got[0].Role != ipvssync.SyncMaster || got[1].Role != ipvssync.SyncBackup {
		t.Errorf("without an instance both roles run: %+v", got)
	}
	m.Global.LVSSync.Instance = "VI"
	if got := SyncDaemons(m, backup); len(got) != 1 || got[0].Role != ipvssync.SyncBackup || got[0].ID != 51 {
		t.Errorf("it follows its instance, with its VRID: %+v", got)
	}
	m.Global.LVSSync = config.LVSSyncDaemon{}
	m.Instances[0].LVSSyncInterface = "eth1"
	if got := SyncDaemons(m, master); len(got) != 1 || got[0].Role != ipvssync.SyncMaster || got[0].ID != 51 || got[0].Interface != "eth1" {
		t.Errorf("the older form: %+v", got)
	}
}

package config

import "testing"

func TestTheOldFormOfTheSyncDaemon(t *testing.T) {
	m, ds := read(t, instance(" lvs_sync_daemon_interface eth5"))
	if s := m.Global.LVSSync; ds.HasErrors() || s.Interface != "eth5" || s.Instance != "A" || s.ID != -1 {
		t.Errorf("%+v %v", s, ds)
	}
}

func TestAnAddressIsKeptOnce(t *testing.T) {
	m, _ := read(t, instance(" virtual_ipaddress_excluded {\n 192.0.2.10\n 192.0.2.77\n 192.0.2.77\n }"))
	if i := m.Instances[0]; len(i.VIPs) != 1 || len(i.ExcludedVIPs) != 1 {
		t.Errorf("%v %v", i.VIPs, i.ExcludedVIPs)
	}
}

// A user line may stand before or after the command.
func TestUserOfACommand(t *testing.T) {
	for _, text := range []string{"vrrp_script s {\n user nobody daemon\n script /bin/x\n}\n", "vrrp_script s {\n script /bin/x\n user nobody daemon\n}\n"} {
		m, ds := read(t, text)
		if len(m.Scripts) != 1 || m.Scripts[0].Script.User != "nobody" || m.Scripts[0].Script.Group != "daemon" {
			t.Errorf("%+v %v", m.Scripts, ds)
		}
	}
}

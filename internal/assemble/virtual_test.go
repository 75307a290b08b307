package assemble

import (
	"fmt"
	"testing"
)

func TestVirtualAddresses(t *testing.T) {
	m := parse(t, "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n fe80::1/64\n 2001:db8::1/64\n }\n virtual_ipaddress_excluded {\n 192.0.2.9/24\n }\n}\n"+
		"virtual_server_group G {\n 192.0.2.1-2 80,443\n}\n"+forwardVS("group G", "DR", "", "192.0.2.21 80")+
		forwardVS("2001:db8::1 80", "DR", "", "2001:db8::21 80")+forwardVS("2001:db8::2 80", "DR", "", "2001:db8::21 80")+forwardVS("fwmark 7", "DR", "", "192.0.2.22 80"))
	const want = "[fe80::1 2001:db8::1 192.0.2.9 192.0.2.1 192.0.2.2 2001:db8::2]"
	if got := fmt.Sprint(VirtualAddresses(m)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

package assemble

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// carriers are the addresses of an instance with what carries each.
func carriers(i *vrrp.Instance) string {
	var out []string
	for _, a := range i.Addresses {
		out = append(out, a.Prefix.Addr().String()+"="+a.Interface+"/"+a.On)
	}
	return strings.Join(out, " ")
}

// The names and places are what keepalived 2.2.7 makes of the same file.
func TestWhichInterfaceCarriesWhat(t *testing.T) {
	const six = "vrrp_instance V6 {\n interface eth0\n virtual_router_id 51\n use_vmac\n virtual_ipaddress {\n  fe80::51/64\n  2001:db8::51/64 dev eth0\n }\n" +
		" virtual_ipaddress_excluded {\n  10.9.0.77/24\n  10.8.1.77/24 dev eth1\n  10.8.1.78/24 dev eth1 use_vmac\n  10.9.0.79/24 dev eth0\n }\n}\n"
	parse := func(text string) vrrp.Config {
		m, _ := config.Parse(fstest.MapFS{"c.conf": {Data: []byte(text)}}, "/c.conf", config.Host{}, config.Options{})
		return VRRP(m)
	}
	c := parse(six)
	if got, want := carriers(&c.Instances[0]), "fe80::51=/vrrp.51 2001:db8::51=/vrrp.51 10.9.0.77=/ 10.8.1.77=eth1/ 10.8.1.78=eth1/vrrp1.51 10.9.0.79=eth0/"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if x := c.Instances[0].AddressVMACs; len(x) != 1 || x[0].MAC != "00:00:5e:00:01:33" || x[0].Parent != "eth1" || c.Instances[0].VMAC.MAC != "00:00:5e:00:02:33" {
		t.Errorf("%+v", c.Instances[0])
	}

	const four = "vrrp_instance V4 {\n interface eth0\n virtual_router_id 51\n use_vmac\n use_vmac_addr\n virtual_ipaddress {\n  10.9.0.51/24\n  10.8.1.51/24 dev eth1\n  10.8.1.52/24 dev eth1\n }\n" +
		" virtual_ipaddress_excluded {\n  2001:db8::99/64\n }\n}\n"
	c = parse(four)
	if got, want := carriers(&c.Instances[0]), "10.9.0.51=/vrrp.51 10.8.1.51=eth1/vrrp1.51 10.8.1.52=eth1/vrrp1.51 2001:db8::99=/vrrp6.51"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if c = parse(four + six); c.Instances[0].Blocked != "" || !strings.Contains(c.Instances[1].Blocked, "is that of V4 already") {
		t.Errorf("one MAC twice on one interface: %q %q", c.Instances[0].Blocked, c.Instances[1].Blocked)
	}
	c = parse("vrrp_instance A {\n interface eth0\n virtual_router_id 10\n use_ipvlan vip 169.254.1.212/30\n virtual_ipaddress {\n  169.254.1.213\n }\n}\n")
	if i := c.Instances[0]; carriers(&i) != "169.254.1.213=/vip" || i.Source.String() != "169.254.1.212" || !i.VMAC.IPVLAN || i.VMAC.Mode != "bridge" || i.Blocked != "" {
		t.Errorf("%+v", i)
	}
	c = parse("vrrp_instance A {\n vrf red\n virtual_router_id 10\n unicast_src_ip 10.0.0.1\n unicast_peer {\n 10.0.0.2\n }\n virtual_ipaddress {\n  10.0.0.9/24 dev eth1\n }\n}\n")
	if i := c.Instances[0]; i.Interface != "red" || !i.VRF || carriers(&i) != "10.0.0.9=eth1/" || i.Blocked != "" {
		t.Errorf("%+v", i)
	}
	c = parse("vrrp_instance A {\n interface eth0\n virtual_router_id 10\n use_vmac 02:00:00:00:07\n virtual_ipaddress {\n  10.0.0.9/24\n }\n}\n")
	if mac := c.Instances[0].VMAC.MAC; mac != "02:00:00:00:07:0a" {
		t.Errorf("five octets and the VRID: %s", mac)
	}
}

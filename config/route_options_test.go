package config

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

func TestRareWordsOfRoutes(t *testing.T) {
	parse := func(block, line string) (*Model, string) {
		m, ds := Parse(fstest.MapFS{"x.conf": {Data: []byte(block + " {\n" + line + "\n}\n")}}, "/x.conf", Host{}, Options{})
		var said []string
		for _, d := range ds {
			if d.Severity != Note {
				said = append(said, d.Message)
			}
		}
		return m, strings.Join(said, "; ")
	}
	m, said := parse("static_routes", "10.0.0.0/8 encap ip id 5 dst 10.1.1.1 ttl 9 via 10.0.0.1 dev eth0 rtt lock 1.5s rto_min 200ms tos lowdelay realms 3 append congctl reno features ecn")
	o, err := m.StaticRoutes[0].Options()
	if said != "" || err != nil || o.Encap.Kind != "ip" || o.Encap.ID != 5 || o.Encap.TTL != 9 || m.StaticRoutes[0].Via.String() != "10.0.0.1" || o.TOS != 0x10 || o.Realms != 3 || o.Create != "append" ||
		!reflect.DeepEqual(o.Metrics, []RouteMetric{{Name: "rtt", Value: 12000, Lock: true}, {Name: "rto_min", Value: 200}, {Name: "congctl", Text: "reno"}, {Name: "features", Value: 1}}) {
		t.Errorf("%q %v %+v", said, err, o)
	}
	m, said = parse("static_routes", "10.0.0.0/8 via inet6 2001:db8::1 dev eth0")
	if r := m.StaticRoutes[0]; said != "" || r.IPv6 || r.Dst.String() != "10.0.0.0/8" || !r.Via.Is6() {
		t.Errorf("%q %+v", said, r)
	}
	m, said = parse("static_routes", "10.0.0.0/8 nexthop via 10.0.0.1 encap mpls 100/200 dev eth0 nexthop via 10.0.0.2 dev eth1 realms 3/4 weight 2")
	encap, _, err := m.StaticRoutes[0].Nexthops[0].HopOptions()
	if said != "" || err != nil || encap.Labels != "100/200" || m.StaticRoutes[0].Nexthops[0].Dev != "eth0" {
		t.Errorf("%q %v %+v", said, err, m.StaticRoutes[0].Nexthops)
	}
	for line, want := range map[string]string{
		"10.0.0.0/8 via 10.0.0.1 features x":         "features knows ecn",
		"10.0.0.0/8 via 10.0.0.1 advmss big":         "advmss",
		"10.0.0.0/8 via 10.0.0.1 pref most":          "low, medium or high",
		"10.0.0.0/8 encap ila 1 via 10.0.0.1":        "not supported",
		"10.0.0.0/8 encap mpls 9999999 via 10.0.0.1": "MPLS",
		"10.0.0.0/8 via 10.0.0.1 from 10.0.0.0/8":    "IPv6 prefix",
		"10.0.0.0/8 via 10.0.0.1 rtt":                "needs a value",
	} {
		if _, said := parse("static_routes", line); !strings.Contains(said, want) {
			t.Errorf("%s: %q, want %q", line, said, want)
		}
	}
	m, said = parse("static_rules", "from all ipproto tcp dport 80-90 table 7 priority 9 uidrange 1-2 suppress_prefixlength 0")
	ro, err := m.StaticRules[0].Options()
	if said != "" || err != nil || ro.IPProto != 6 || ro.DportTo != 90 || !ro.UIDs || ro.SuppressPrefixLen != 0 || ro.SuppressGroup != -1 {
		t.Errorf("%q %v %+v", said, err, ro)
	}
	for line, want := range map[string]string{
		"from all dport 80 table 7 priority 9":     "no range",
		"from all ipproto none table 7 priority 9": "no IP protocol",
		"from all goto there priority 9":           "goto needs",
	} {
		if _, said := parse("static_rules", line); !strings.Contains(said, want) {
			t.Errorf("%s: %q, want %q", line, said, want)
		}
	}
}

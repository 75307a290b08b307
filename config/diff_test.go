package config

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		want           []string
		splits         bool
	}{
		{"nothing", "", "", nil, false},
		{"a comment", "advert_int 1\n", "# moved\n\n advert_int 1\n", nil, false},
		{"weight", "        weight 3\n", "        weight 5\n", []string{"update real_server 192.0.2.10:80 tcp 10.0.0.1:80: weight 3 -> 5"}, false},
		{"password", "auth_pass secret-long", "auth_pass other", []string{"update vrrp_instance VI_1: auth_pass (secret) -> (another secret)"}, true},
		{"priority", "priority 150", "priority 90", []string{"update vrrp_instance VI_1: priority 150 -> 90"}, false},
		{"version", "advert_int 1\n", "advert_int 1\n version 3\n", []string{"update vrrp_instance VI_1: version 2 -> 3, auth_type PASS -> none, auth_pass (secret) -> none"}, true},
		{"check", "connect_timeout 3", "connect_timeout 4", []string{"update check 192.0.2.10:80 tcp 10.0.0.1:80 TCP_CHECK: connect_timeout 3s -> 4s"}, false},
		{"server gone", "real_server 10.0.0.2 80", "real_server 10.0.0.3 80", []string{"add real_server 192.0.2.10:80 tcp 10.0.0.3:80", "remove real_server 192.0.2.10:80 tcp 10.0.0.2:80"}, false},
		{"scheduler", "lb_algo wrr", "lb_algo rr", []string{"update virtual_server 192.0.2.10:80 tcp: lb_algo wrr -> rr"}, false},
		{"script", "interval 2", "interval 3", []string{"update vrrp_script chk: interval 2s -> 3s, timeout 2s -> 3s"}, false},
	} {
		a, _ := read(t, first)
		b, ds := read(t, strings.Replace(first, c.from, c.to, 1))
		if ds.HasErrors() {
			t.Fatal(c.name, ds)
		}
		var got []string
		splits := false
		for _, x := range Diff(a, b) {
			got = append(got, x.String())
			splits = splits || x.Splits
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") || splits != c.splits {
			t.Errorf("%s: %v\n%s", c.name, splits, strings.Join(got, "\n"))
		}
	}
}

// Every part of a Model that asks for something has its operation: nothing changes that the plan does not show.
func TestDiffSeesEverything(t *testing.T) {
	// What describes the file rather than what it asks for.
	about := map[string]bool{"Syntax": true, "Files": true, "ConfigID": true}
	typ := reflect.TypeFor[Model]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		if about[f.Name] || !f.IsExported() {
			continue
		}
		old, next := &Model{}, &Model{}
		set(reflect.ValueOf(next).Elem().Field(i))
		if len(Diff(old, next)) == 0 {
			t.Errorf("a change of %s is no operation", f.Name)
		}
	}
	for _, part := range []struct {
		name string
		in   func(*Model) reflect.Value
	}{
		{"global_defs", func(m *Model) reflect.Value { return reflect.ValueOf(&m.Global).Elem() }},
		{"vrrp_instance", func(m *Model) reflect.Value { return reflect.ValueOf(&m.Instances[0]).Elem() }},
		{"vrrp_sync_group", func(m *Model) reflect.Value { return reflect.ValueOf(&m.Groups[0]).Elem() }},
		{"virtual_server", func(m *Model) reflect.Value { return reflect.ValueOf(&m.VirtualServers[0]).Elem() }},
		{"real_server", func(m *Model) reflect.Value { return reflect.ValueOf(&m.VirtualServers[0].RealServers[0]).Elem() }},
		{"check", func(m *Model) reflect.Value {
			return reflect.ValueOf(&m.VirtualServers[0].RealServers[0].Checks[0]).Elem()
		}},
	} {
		whole := func() *Model {
			return &Model{Instances: make([]VRRPInstance, 1), Groups: make([]SyncGroup, 1), VirtualServers: []VirtualServer{{RealServers: []RealServer{{Checks: make([]Check, 1)}}}}}
		}
		n := part.in(whole()).NumField()
		for i := range n {
			next := whole()
			v := part.in(next)
			if f := v.Type().Field(i); f.Name == "Meta" || f.Name == "Pos" || f.Name == "PrioritySet" || !f.IsExported() {
				continue
			}
			if part.name == "real_server" && v.Type().Field(i).Name == "Checks" {
				v.Field(i).SetZero()
			} else {
				set(v.Field(i))
			}
			if len(Diff(whole(), next)) == 0 {
				t.Errorf("a change of %s %s is no operation", part.name, v.Type().Field(i).Name)
			}
		}
	}
}

// set gives a value that is not its zero.
func set(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Struct:
		switch v.Type() {
		case prefixType:
			v.Set(reflect.ValueOf(netip.MustParsePrefix("192.0.2.1/24")))
			return
		case addrType:
			v.Set(reflect.ValueOf(netip.MustParseAddr("192.0.2.1")))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "Meta" && f.Name != "Pos" {
				set(v.Field(i))
				return
			}
		}
	}
}

func TestFieldNames(t *testing.T) {
	for field, want := range map[string]string{"SMTPServer": "smtp_server", "VRRPMcastGroup4": "vrrp_mcast_group4", "ConnectIP": "connect_ip", "Quorum": "quorum", "HASuspend": "ha_suspend", "VRID": "virtual_router_id", "OPS": "ops"} {
		if got := snake(field); got != want {
			t.Errorf("%s: %s", field, got)
		}
	}
}

// Nothing changes between a configuration and itself, also where names or services stand twice and one of them does not run.
func TestDiffOfTheSameIsEmpty(t *testing.T) {
	for _, text := range []string{
		many,
		"virtual_server_group G {\n 192.0.2.10 80\n}\n" + strings.Repeat("virtual_server group G {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.0.0.1 80 {\n TCP_CHECK { }\n }\n}\n", 2) +
			"virtual_server group G {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.0.0.2 80 {\n TCP_CHECK { }\n }\n}\n",
		"static_routes {\n 10.0.0.0/8 via 192.0.2.1 dev eth0\n 10.0.0.0/8 via 192.0.2.2 dev eth0\n}\nstatic_ipaddress {\n 10.0.0.1 dev eth0\n 10.0.0.1 dev eth0\n}\n",
	} {
		a, _ := read(t, text)
		b, _ := read(t, text)
		if list := Diff(a, b); len(list) != 0 {
			t.Errorf("%v\n%s", list, text)
		}
	}
}

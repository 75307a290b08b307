package config

import (
	"strings"
	"testing"
)

func TestTextPointsAtTheWord(t *testing.T) {
	_, ds := read(t, "vrrp_instance VI_1 {\n\tinterface eth0\n\tvirtual_router_id 300\n\tvirtual_ipaddress { 10.0.0.1 }\n}\n")
	got := ds.Text(false)
	want := "/etc/x.conf:3:20: error: virtual_router_id 300 is outside 1 to 255 [out-of-range]\n     3 | \tvirtual_router_id 300\n       | \t                  ^~~\n"
	if !strings.Contains(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if strings.Contains(got, "\x1b") || !strings.Contains(ds.Text(true), "\x1b[1;31m") {
		t.Error("colour where none is wanted, or none where it is")
	}
}

func TestHostileTextIsHarmlessOnATerminal(t *testing.T) {
	_, ds := read(t, "vrrp_instance \x1b[31mA { \x1b]0;title\x07 1\n}\n")
	if s := ds.Text(false); strings.ContainsAny(s, "\x1b\x07") {
		t.Errorf("%q", s)
	}
}

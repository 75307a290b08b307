package config

import (
	"strings"
	"testing"
	"time"
)

func TestExplain(t *testing.T) {
	m, ds := read(t, strings.Replace(first, "chk weight -20", "chk weight -20\n", 1))
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	got := Explain(m, 140)
	for _, want := range []string{
		"Instance VI_1: virtual router 51 on eth0, IPv4, VRRP version 2, priority 150",
		"within 2.414 s to 3.414 s (3 adverts missed, skew 0.414 s)",
		"takes over after 0.414 s",
		"FAULT, and the other director takes over, when this fails: interface eth0",
		"150  all well  above the peer's 140",
		"130  failed: script chk  below the peer's 140: the peer is MASTER",
		"TCP_CHECK every 2 s: a server that refuses is out after 1 s to 3 s, one that is silent after 7 s to 9 s (1 retries); back within 2 s",
		"Quorum: won at a total weight of 1, lost below 1 (all together weigh 4)",
		"Without quorum 10.0.0.9:80 serves alone",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if !strings.Contains(Explain(m, 100), "no failure of these moves the addresses") {
		t.Error("a weight that cannot move the addresses is not pointed out")
	}
}

func TestSkew(t *testing.T) {
	for _, c := range []struct {
		version, priority int
		advert, want      time.Duration
	}{{2, 100, time.Second, 609375 * time.Microsecond}, {2, 100, 10 * time.Second, 609375 * time.Microsecond}, {3, 100, 10 * time.Millisecond, 6093750 * time.Nanosecond}, {3, 255, time.Second, 3906250 * time.Nanosecond}} {
		i := VRRPInstance{Version: c.version, AdvertInt: c.advert}
		if got := i.Skew(c.priority); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

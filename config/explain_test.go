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
		"It is lost with the failure of",
		"Without quorum 10.0.0.9:80 serves alone",
		"This director is killed or cut off as MASTER: the peer of priority 140 takes over within 2.453 s to 3.453 s",
		"can still send: the peer takes over after 0.453 s",
		"Both well: this director is MASTER, 150 against 140",
		"Script chk every 2 s: a failure counts after 0 s to 2 s",
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

// Where a line for each combination would be too many, the smallest ones that decide are named.
func TestExplainDecisive(t *testing.T) {
	text := strings.Replace(first, "chk weight -20", "chk weight -3", 1)
	text = strings.Replace(text, "    track_script {", "    track_interface {\n        a weight -1\n        b weight -1\n        c weight -4\n        d weight -8\n        e weight 5\n    }\n    track_script {", 1)
	m, ds := read(t, text)
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	got := Explain(m, 148) // 155 while all is well
	_, list, _ := strings.Cut(got, "Fewest failures with which the peer of priority 148 is ahead:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	want := "interface d\ninterface c, interface e\n"
	var lines []string
	for _, l := range strings.Split(list, "\n") {
		lines = append(lines, strings.TrimSpace(l))
	}
	if all := strings.Join(lines, "\n"); !strings.HasPrefix(all, want) || !strings.Contains(got, "Both well: this director is MASTER, 155 against 148") {
		t.Errorf("got\n%s\nwant at first\n%s", got, want)
	}
	for k, a := range lines {
		for _, b := range lines[:k] {
			if strings.HasPrefix(a, b) {
				t.Errorf("%q is covered by %q", a, b)
			}
		}
	}
}

package dump

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

func source() Source {
	in := vrrp.Instance{Name: "VI_1", Interface: "eth0", Family: vrrp.IPv4, VRID: 51, Version: 2, Priority: 160, Interval: time.Second, DownTimerAdverts: 3,
		Auth:       vrrp.Auth{Type: "PASS", Key: "secret"},
		Addresses:  []vrrp.Address{{Prefix: netip.MustParsePrefix("10.7.0.50/24")}, {Prefix: netip.MustParsePrefix("10.7.0.51/24"), Excluded: true, Interface: "eth1"}},
		Tracks:     []vrrp.TrackRef{{ID: "script/chk", Weight: 2}, {ID: "process/p"}},
		Gratuitous: vrrp.Gratuitous{Repeat: 5, Delay: 5 * time.Second}}
	return Source{RouterID: "vm", Instances: []Instance{{Config: in, Accept: true, Status: vrrp.Status{ID: in.ID(), Name: "VI_1", State: vrrp.Master, Priority: 162, Base: 160,
		Since:    time.UnixMicro(1795268022118134),
		Counters: vrrp.Counters{AdvertsSent: 2, BecameMaster: 1, Refused: map[string]uint64{"ttl": 3, "truncated": 1, "length": 1, "auth_failure": 4}}}}},
		Groups:  []vrrp.Group{{Name: "G", Members: []vrrp.ID{in.ID()}}},
		Scripts: []Script{{Name: "new"}, {Name: "good", Known: true, OK: true}, {Name: "bad", Known: true}}}
}

// The text is keepalived 2.2.7's own, measured, with other counts.
func TestStats(t *testing.T) {
	want := `VRRP Instance: VI_1
  Advertisements:
    Received: 0
    Sent: 2
  Became master: 1
  Released master: 0
  Packet Errors:
    Length: 2
    TTL: 3
    Invalid Type: 0
    Advertisement Interval: 0
    Address List: 0
  Authentication Errors:
    Invalid Type: 0
    Type Mismatch: 0
    Failure: 4
  Priority Zero:
    Received: 0
    Sent: 0
`
	if got := string(Stats(source())); got != want {
		t.Errorf("got %s", got)
	}
}

func TestJSON(t *testing.T) {
	var v1 []map[string]map[string]any
	if err := json.Unmarshal(JSON(source(), 1), &v1); err != nil {
		t.Fatal(err)
	}
	d := v1[0]["data"]
	for key, want := range map[string]any{"iname": "VI_1", "state": 2.0, "effective_priority": 162.0, "last_transition": 1795268022.118134, "vipset": true, "adver_int": 1.0, "garp_delay": 5.0, "auth_data": "****"} {
		if d[key] != want {
			t.Errorf("%s is %v, want %v", key, d[key], want)
		}
	}
	if vip := d["vips"].([]any)[0]; vip != "10.7.0.50/24 dev eth0 scope global set" {
		t.Errorf("address %v", vip)
	}
	var v2 struct{ VRRP []map[string]map[string]any }
	if err := json.Unmarshal(JSON(source(), 2), &v2); err != nil || v2.VRRP[0]["stats"]["ip_ttl_err"] != 3.0 {
		t.Errorf("version 2: %v %v", v2, err)
	}
	if strings.Contains(string(JSON(source(), 1)), "secret") {
		t.Error("a dump shows no password")
	}
}

// What exporters look for.
func TestData(t *testing.T) {
	text := string(Data(source()))
	for _, want := range []string{`(?m)^ VRRP Instance = VI_1$`, `(?m)^   State = MASTER$`, `(?m)^   Wantstate = MASTER$`, `(?m)^   Interface = eth0$`, `(?m)^   Virtual Router ID = 51$`,
		`(?m)^   Effective priority = 162$`, `(?m)^   Gratuitous ARP delay = 5$`, `(?m)^   Virtual IP \(1\):\n     10\.7\.0\.50/24 dev eth0 scope global set$`,
		`(?m)^   Last transition = 1795268022\.118134 \(`, `(?m)^   Tracked scripts \(1\):\n     chk weight 2$`, `(?m)^ VRRP Sync Group = G, MASTER$`, `Advert interval = 1 sec`,
		`(?m)^   Sync group = G$`, `(?m)^   State = idle$`, `(?ms)VRRP Script = new$.*Status = INIT$.*Script = good$.*Status = GOOD$.*Script = bad$.*Status = BAD$`} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no line matches %s in\n%s", want, text)
		}
	}
}

// VyOS waits for the end of a write under the final name.
func TestWriteIsHeardUnderTheFinalName(t *testing.T) {
	dir := t.TempDir()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CLOSE_WRITE); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "keepalived.json"), []byte("[]")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096) // the kernel queues events before the call that causes them returns
	n, err := unix.Read(fd, b)
	if err != nil || !strings.Contains(string(b[:n]), "\x00keepalived.json\x00") {
		t.Errorf("%q %v", b[:max(n, 0)], err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "keepalived.json")); err != nil || string(text) != "[]" {
		t.Errorf("%q %v", text, err)
	}
}

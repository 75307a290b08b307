package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/control"
)

func status() control.Status {
	return control.Status{
		Version: "1.0", Ready: true, Config: control.Config{Generation: 3, Loaded: time.Unix(1700000000, 5e8), Rejected: "bad file"}, IPVS: "no IPVS",
		Router: control.Router{LatenessMaxMicros: 1500, UnknownAdverts: map[string]uint64{"vrid": 2, "checksum": 1}},
		Instances: []control.Instance{{Name: `VI "1"\`, Interface: "eth0", Family: 4, VRID: 51, State: "MASTER", Priority: 150, BasePriority: 100,
			Addresses: []string{"a", "b"}, Counters: control.Counters{AdvertsSent: 9, Refused: map[string]uint64{"ttl": 4}}}},
		Kernel:  &control.IPVS{Sync: &control.Sync{Daemons: []control.SyncDaemon{{Role: "backup", Interface: "eth1", ID: 7}}, Counted: true, Learned: 4, Own: 1, Dropped: 2}},
		Tracked: []control.Tracked{{ID: "script/a", Known: true}, {ID: "script/new"}, {ID: "file/f", Known: true, OK: true, Value: -3}},
		VirtualServers: []control.VirtualServer{{ID: "tcp 10.0.0.1:80", Quorum: true, Weight: 2, Traffic: &control.Traffic{Connections: 5}, Servers: []control.RealServer{
			{ID: "10.0.0.2:80", Up: true, Weight: 2, Traffic: &control.Traffic{InBytes: 7}, Checks: []control.Check{{Kind: "HTTP_GET", Target: "10.0.0.2:80", Up: true, Passed: 7, Micros: 250},
				{Kind: "HTTP_GET", Target: "10.0.0.2:80"}}},
			{ID: "10.0.0.3:80"}}}},
		Checks: control.FromTotals(checkers.Totals{Checks: 2, Probes: 1, Attempts: []checkers.Count{{Kind: checkers.TCP, Reason: checkers.Refused, N: 4}},
			Lateness: checkers.Lateness{Buckets: [len(checkers.LatenessBounds) + 1]uint64{3, 2, len(checkers.LatenessBounds): 1}, Sum: 7e9, Max: 6e9}}),
	}
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, status()); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`holdfast_sync_daemon{role="backup",interface="eth1",id="7"} 1`, `holdfast_sync_connections{origin="learned"} 4`, `holdfast_sync_messages_dropped_total 2`,
		`holdfast_up 1`, `holdfast_info{version="1.0"} 1`, `holdfast_config_loaded_timestamp_seconds 1700000000.5`,
		`holdfast_config_last_reload_successful 0`, `holdfast_ipvs_in_sync 0`, `holdfast_router_lateness_max_seconds 0.0015`,
		`holdfast_router_unknown_adverts_total{reason="checksum"} 1`,
		`holdfast_vrrp_state{vrrp_instance="VI \"1\"\\",interface="eth0",family="4",vrid="51"} 2`,
		`holdfast_vrrp_adverts_refused_total{vrrp_instance="VI \"1\"\\",interface="eth0",family="4",vrid="51",reason="ttl"} 4`,
		`holdfast_track_ok{track="script/a"} 0`, `holdfast_track_value{track="file/f"} -3`,
		`holdfast_virtual_server_real_servers_up{virtual_server="tcp 10.0.0.1:80"} 1`,
		`holdfast_real_server_weight{virtual_server="tcp 10.0.0.1:80",real_server="10.0.0.2:80"} 2`,
		`holdfast_check_latency_seconds{virtual_server="tcp 10.0.0.1:80",real_server="10.0.0.2:80",check="HTTP_GET",target="10.0.0.2:80"} 0.00025`,
		`holdfast_check_up{virtual_server="tcp 10.0.0.1:80",real_server="10.0.0.2:80",check="HTTP_GET #2",target="10.0.0.2:80"} 0`,
		`holdfast_checks_lateness_seconds_bucket{le="0.0001"} 3`, `holdfast_checks_lateness_seconds_bucket{le="0.001"} 5`,
		`holdfast_checks_lateness_seconds_bucket{le="5"} 5`, `holdfast_checks_lateness_seconds_bucket{le="+Inf"} 6`,
		`holdfast_checks_lateness_seconds_sum 7`, `holdfast_checks_lateness_seconds_count 6`, `holdfast_checks_probes 1`,
		`holdfast_checks_attempts_total{check="TCP_CHECK",reason="refused"} 4`,
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	if strings.Contains(b.String(), `holdfast_track_ok{track="script/new"}`) {
		t.Error("what is not known yet has no value")
	}
	wellFormed(t, b.String())
}

// wellFormed checks the rules of the text format: HELP and TYPE once per family, before its series, which are together and unique.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	family, histogram, seen := "", false, map[string]bool{}
	series := regexp.MustCompile(`^([a-z0-9_]+)(\{[a-z_]+="([^"\\\n]|\\.)*"(,[a-z_]+="([^"\\\n]|\\.)*")*\})? -?[0-9.]+$`)
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "# HELP "):
			family = strings.Fields(line)[2]
			if seen[family] {
				t.Errorf("family %s twice", family)
			}
			seen[family] = true
		case strings.HasPrefix(line, "# TYPE "):
			f := strings.Fields(line)
			histogram = f[3] == "histogram"
			if f[2] != family || (f[3] == "counter") != strings.HasSuffix(family, "_total") {
				t.Errorf("bad line %s", line)
			}
		default:
			m := series.FindStringSubmatch(line)
			base := family
			if m != nil && histogram {
				base = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(m[1], "_bucket"), "_sum"), "_count")
			} else if m != nil {
				base = m[1]
			}
			if m == nil || base != family {
				t.Errorf("bad line %s in family %s", line, family)
			}
			id := line[:strings.LastIndexByte(line, ' ')]
			if seen[id+" "] {
				t.Errorf("series %s twice", id)
			}
			seen[id+" "] = true
		}
	}
}

func TestHostileLabels(t *testing.T) {
	s := status()
	s.Instances[0].Name = "a\nb\xffc"
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, b.String())
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestWriteErrors(t *testing.T) {
	if Write(broken{}, status()) == nil || Down(broken{}) == nil {
		t.Error("a reader that is gone must be noticed")
	}
	var b bytes.Buffer
	if err := Down(&b); err != nil || !strings.Contains(b.String(), "\nholdfast_up 0\n") {
		t.Errorf("%v %s", err, b.String())
	}
}

func BenchmarkWrite(b *testing.B) {
	s := status()
	v := s.VirtualServers[0]
	s.VirtualServers = nil
	for i := range 1000 {
		c := v
		c.ID = fmt.Sprint(v.ID, i)
		c.Servers = nil
		for j := range 10 {
			r := v.Servers[0]
			r.ID = fmt.Sprint(r.ID, j)
			c.Servers = append(c.Servers, r)
		}
		s.VirtualServers = append(s.VirtualServers, c)
	}
	for b.Loop() {
		_ = Write(new(bytes.Buffer), s)
	}
}

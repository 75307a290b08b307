package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// bigFile is a file of v virtual servers with r real servers each.
func bigFile(v, r int) string {
	var b strings.Builder
	for i := range v {
		fmt.Fprintf(&b, "virtual_server 10.%d.%d.1 80 {\n    delay_loop 6\n    lb_algo wlc\n    lb_kind DR\n    protocol TCP\n", i>>8, i&255)
		for j := range r {
			fmt.Fprintf(&b, "    real_server 172.%d.%d.%d 80 {\n        weight 1\n        TCP_CHECK {\n            connect_timeout 3\n        }\n    }\n", j>>16, j>>8&255, j&255)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct {
		name string
		v, r int
	}{{"1x10000", 1, 10000}, {"1000x10", 1000, 10}, {"5000x8", 5000, 8}} {
		text := bigFile(c.v, c.r)
		fsys := fstest.MapFS{"etc/x.conf": {Data: []byte(text)}}
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, ds := Parse(fsys, "/etc/x.conf", Host{Hostname: "h"}, Options{}); ds.HasErrors() {
					b.Fatal(ds.Err())
				}
			}
		})
	}
}

// What a file costs grows with its length, no faster: twice the servers, twice the pieces of memory.
func TestMemoryIsLinear(t *testing.T) {
	cost := func(v, r int) float64 {
		fsys := fstest.MapFS{"etc/x.conf": {Data: []byte(bigFile(v, r))}}
		return testing.AllocsPerRun(1, func() {
			if _, ds := Parse(fsys, "/etc/x.conf", Host{Hostname: "h"}, Options{}); ds.HasErrors() {
				t.Fatal(ds.Err())
			}
		})
	}
	if one, four := cost(50, 10), cost(200, 10); four > 5*one {
		t.Errorf("four times the virtual servers cost %.1f times the allocations", four/one)
	}
	if one, four := cost(1, 500), cost(1, 2000); four > 5*one {
		t.Errorf("four times the real servers cost %.1f times the allocations", four/one)
	}
}

// BenchmarkPack is what is done once after every reload.
func BenchmarkPack(b *testing.B) {
	m, _ := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(bigFile(1000, 10))}}, "/etc/x.conf", Host{Hostname: "h"}, Options{})
	for b.Loop() {
		_, packed, err := m.Pack()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(packed.data))/10_000, "bytes/server")
	}
}

// BenchmarkUnpack is what the next reload does with it.
func BenchmarkUnpack(b *testing.B) {
	m, _ := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(bigFile(1000, 10))}}, "/etc/x.conf", Host{Hostname: "h"}, Options{})
	_, packed, err := m.Pack()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err = packed.Unpack(); err != nil {
			b.Fatal(err)
		}
	}
}

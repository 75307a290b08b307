package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"testing/fstest"
)

// fill sets everything in v that a Model can hold, each to another value.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Type() {
	case posType, metaType: // places do not count
		return
	case addrType:
		v.Set(reflect.ValueOf(netip.MustParseAddr(fmt.Sprintf("fe80::%x%%eth%d", *n&0xffff, *n))))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.String:
		v.SetString(fmt.Sprint("word ", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(-*n % 100))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n % 200))
	default:
		panic("a real server has a " + v.Type().String() + ": say here what it is filled with, and see that Pack keeps it")
	}
}

// Whatever a real server and its checks hold comes back from a pack, so that a reload shows the same plan.
func TestPackKeepsEveryValue(t *testing.T) {
	m := &Model{Files: []string{"a"}, VirtualServers: make([]VirtualServer, 3)}
	n := 0
	for i := range m.VirtualServers[:2] {
		vs := &m.VirtualServers[i]
		vs.Port, vs.RealServers = uint16(80+i), make([]RealServer, 2)
		for k := range vs.RealServers {
			fill(reflect.ValueOf(&vs.RealServers[k]).Elem(), &n)
		}
	}
	rest, packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for i := range rest.VirtualServers {
		if rest.VirtualServers[i].RealServers != nil || rest.VirtualServers[i].Port != m.VirtualServers[i].Port {
			t.Fatalf("the rest has %+v", rest.VirtualServers[i])
		}
	}
	if len(m.VirtualServers[0].RealServers) != 2 {
		t.Fatal("the Model itself was changed")
	}
	for range 2 { // as often as one likes
		whole, err := packed.Unpack()
		if err != nil {
			t.Fatal(err)
		}
		if !Same(m, whole) {
			t.Fatalf("the plan to what was packed is %v", Diff(whole, m))
		}
	}
	m.VirtualServers[1].RealServers[1].Checks[1].URLs[1].Headers[1] = "another"
	if whole, _ := packed.Unpack(); Same(m, whole) || len(Diff(whole, m)) != 1 {
		t.Fatalf("a change is not seen: %v", Diff(whole, m))
	}
}

// Servers of the usual kind pack to next to nothing.
func TestPackedIsSmall(t *testing.T) {
	m, diags := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(bigFile(50, 10))}}, "/etc/x.conf", Host{Hostname: "h"}, Options{})
	if diags.HasErrors() {
		t.Fatal(diags.Err())
	}
	_, packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if each := len(packed.data) / 500; each > 40 {
		t.Errorf("a real server with its check packs to %d bytes", each)
	}
	whole, err := packed.Unpack()
	if err != nil || len(Diff(whole, m)) != 0 || len(Diff(m, whole)) != 0 {
		t.Fatalf("%v; %v", err, Diff(whole, m))
	}
}

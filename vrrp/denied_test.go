package vrrp

import (
	"testing"
	"time"
)

func deniedOf(i Instance, all ...Address) Denied {
	d := Denied{ID: i.ID()}
	for _, a := range all {
		d.Addresses = append(d.Addresses, DeniedAddress{Prefix: a.Prefix, Interface: "eth0", Reason: "permission denied"})
	}
	return d
}

func TestWithoutOneAddressAMasterGoesOn(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	r.shows(r.step(deniedOf(i, vip2)), "notice address_denied")
	r.shows(r.step(deniedOf(i, vip2)), "")
	r.want(i.ID(), Master)
	if s := r.ms.Snapshot()[0]; len(s.Denied) != 1 || len(s.Faults) != 0 || len(s.Addresses) != 2 {
		t.Fatalf("%+v", s)
	}
	// Peers compare the lists: all are advertised.
	if p := r.ms.Packet(Send{ID: i.ID(), Priority: 100}, addrB); p[0].Payload[3] != 2 {
		t.Fatalf("%x", p[0].Payload)
	}
	r.shows(r.step(deniedOf(i)), "notice address_set, announce 1x5")
	if s := r.ms.Snapshot()[0]; len(s.Denied) != 0 {
		t.Fatalf("%+v", s)
	}
	// A reload without it forgets it.
	r.step(deniedOf(i, vip2))
	i.Addresses = []Address{vip1}
	r.ms.Apply(r.now, Config{Instances: []Instance{i}})
	if s := r.ms.Snapshot()[0]; len(s.Denied) != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestWithoutAnyAddressAMasterGivesWay(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	for _, pause := range []time.Duration{1, 2, 4, 8, 10, 10} {
		r.shows(r.step(deniedOf(i, vip1, vip2)), "notice address_denied, notice address_denied, send 0, send 0, hold 0, MASTER>FAULT")
		r.shows(r.run(pause*time.Minute-time.Second), "")
		r.shows(r.run(time.Second), "FAULT>BACKUP")
		r.run(TakeoverTime(i))
		r.want(i.ID(), Master)
	}
	// An interface that changes, or another configuration, is worth another try at once.
	r.step(deniedOf(i, vip1, vip2))
	l := up("eth0")
	l.Up = false
	r.step(l)
	r.want(i.ID(), Fault)
	r.shows(r.step(up("eth0")), "FAULT>BACKUP")
	r.run(TakeoverTime(i))
	r.step(deniedOf(i, vip1, vip2))
	r.want(i.ID(), Fault)
	i.Addresses = []Address{vip1, vip2, vip6}
	r.shows(r.ms.Apply(r.now, Config{Instances: []Instance{i}}), "FAULT>BACKUP")
	// One that is set in the end resets the patience.
	r.run(TakeoverTime(i))
	r.step(deniedOf(i, vip1))
	r.step(deniedOf(i, vip1, vip2, vip6))
	r.shows(r.run(time.Minute), "FAULT>BACKUP")
}

func TestARefusalDuringAHandOverAnnouncesNothing(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	r.step(deniedOf(i, vip2))
	r.step(Handover{Instance: i.Name})
	r.shows(r.step(deniedOf(i)), "notice address_set")
	r.hear(i.ID(), 50, addrA)
	r.want(i.ID(), Backup)
	r.shows(r.step(deniedOf(i, vip1, vip2)), "")
}

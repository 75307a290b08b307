package balancer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/internal/dump"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// dump writes what a signal of keepalived's exporters asks for, with the router's present counters, or its last ones if it does not answer.
func (d *daemon) dump(kind string) {
	if !d.started {
		return
	}
	done := false
	write := func() {
		if !done {
			done = true
			d.writeDump(kind)
		}
	}
	cancel := d.ask(func(token uint64) seam.Message { return seam.Message{Query: &seam.Query{Token: token}} }, func(seam.Message) { write() })
	time.AfterFunc(routerWithin, func() { d.inbox.post(func() { cancel(); write() }) })
}

func (d *daemon) writeDump(kind string) {
	src, g := d.dumpSource(), d.in.model.Global
	files := map[string][]byte{}
	switch kind {
	case "data":
		name := dumpName(g.StateDumpFile, "keepalived.data")
		files[name] = dump.Data(src)
		files[strings.TrimSuffix(name, ".data")+"_check.data"] = dump.CheckData(src)
	case "stats", "stats_clear":
		files[dumpName(g.StatsDumpFile, "keepalived.stats")] = dump.Stats(src)
	case "json":
		files[dumpName(g.JSONDumpFile, "keepalived.json")] = dump.JSON(src, g.JSONVersion)
	}
	if kind == "stats_clear" {
		for id, s := range d.instances {
			d.cleared[id] = s.Counters
		}
	}
	d.writers.Go(func() {
		var names []string
		var failed error
		for name, b := range files {
			names = append(names, name)
			failed = errors.Join(failed, writeDumpFile(name, b))
		}
		d.bus.Publish(event.DumpWritten.With(kind, strings.Join(names, " "), failed))
	})
}

// dumpName is where keepalived writes: TMPDIR or /tmp, unless the configuration says another file.
func dumpName(configured, name string) string {
	if configured != "" {
		return configured
	}
	return filepath.Join(os.TempDir(), name)
}

// writeDumpFile replaces the file as a whole: a link that somebody put there is replaced, never followed.
func writeDumpFile(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func (d *daemon) dumpSource() dump.Source {
	m := d.in.model
	s := dump.Source{RouterID: m.Global.RouterID, Groups: d.in.vrrp.Groups}
	for i, in := range d.in.vrrp.Instances {
		st := d.instances[in.ID()]
		st.Counters = since(st.Counters, d.cleared[in.ID()])
		s.Instances = append(s.Instances, dump.Instance{Config: in, Status: st, SMTPAlert: m.Instances[i].SMTPAlert, Accept: m.Instances[i].Accept})
	}
	ok := map[string]bool{}
	for _, t := range d.tracked() {
		ok[t.ID] = t.Known && t.OK
	}
	for i := range m.Scripts {
		c := &m.Scripts[i]
		s.Scripts = append(s.Scripts, dump.Script{Name: c.Name, Command: c.Script.Line, Interval: c.Interval, Timeout: c.Timeout, Weight: c.Weight,
			Rise: c.Rise, Fall: c.Fall, OK: ok["script/"+c.Name]})
	}
	for p := range d.pools.All() {
		s.Pools = append(s.Pools, dump.Pool{Spec: p.Spec(), Status: p.Status()})
	}
	return s
}

// since are the counters since they were last cleared by a signal; the router itself never clears them.
func since(now, before vrrp.Counters) vrrp.Counters {
	c := vrrp.Counters{
		AdvertsReceived: now.AdvertsReceived - before.AdvertsReceived, AdvertsSent: now.AdvertsSent - before.AdvertsSent,
		BecameMaster: now.BecameMaster - before.BecameMaster, ReleasedMaster: now.ReleasedMaster - before.ReleasedMaster,
		PriorityZeroSent: now.PriorityZeroSent - before.PriorityZeroSent, PriorityZeroRcvd: now.PriorityZeroRcvd - before.PriorityZeroRcvd,
		Refused: map[string]uint64{},
	}
	for reason, n := range now.Refused {
		c.Refused[reason] = n - before.Refused[reason]
	}
	if now.AdvertsSent < before.AdvertsSent || now.AdvertsReceived < before.AdvertsReceived {
		return now // another router counts, from 0
	}
	return c
}

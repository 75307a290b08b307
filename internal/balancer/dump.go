package balancer

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/internal/dump"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/track"
)

// dumpWithin is how long a dump waits for the router's present counters.
const dumpWithin = time.Second

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
	cancel := d.router.Refresh(write)
	time.AfterFunc(dumpWithin, func() { d.inbox.post(func() { cancel(); write() }) })
}

func (d *daemon) writeDump(kind string) {
	src, g := d.dumpSource(), d.in.Model.Global
	files := map[string][]byte{}
	switch kind {
	case "data":
		name := dump.Name(g.StateDumpFile, "keepalived.data")
		files[name] = dump.Data(src)
		files[strings.TrimSuffix(name, ".data")+"_check.data"] = dump.CheckData(src)
	case "stats", "stats_clear":
		files[dump.Name(g.StatsDumpFile, "keepalived.stats")] = dump.Stats(src)
	case "json":
		files[dump.Name(g.JSONDumpFile, "keepalived.json")] = dump.JSON(src, g.JSONVersion)
	}
	if kind == "stats_clear" {
		d.router.Clear()
	}
	d.writers.Go(func() {
		names := slices.Sorted(maps.Keys(files))
		var failed error
		for _, name := range names {
			failed = errors.Join(failed, dump.Write(name, files[name]))
		}
		if failed != nil {
			d.bus.Publish(event.DumpFailed.With(kind, strings.Join(names, " "), failed))
			return
		}
		d.bus.Publish(event.DumpWritten.With(kind, strings.Join(names, " ")))
	})
}

func (d *daemon) dumpSource() dump.Source {
	m := d.in.Model
	s := dump.Source{RouterID: m.Global.RouterID, Groups: d.in.VRRP.Groups}
	for i, in := range d.in.VRRP.Instances {
		s.Instances = append(s.Instances, dump.Instance{Config: in, Status: d.router.SinceClear(in.ID()), SMTPAlert: m.Instances[i].SMTPAlert, Accept: m.Instances[i].Accept})
	}
	results := map[string]track.Status{} // keepalived shows no script that nothing tracks
	for _, t := range d.outside.Tracked() {
		results[t.ID] = t
	}
	for i := range m.Scripts {
		c := &m.Scripts[i]
		t, used := results["script/"+c.Name]
		if !used {
			continue
		}
		s.Scripts = append(s.Scripts, dump.Script{Name: c.Name, Command: c.Script.Line, Interval: c.Interval, Timeout: c.Timeout, Weight: c.Weight,
			Rise: c.Rise, Fall: c.Fall, Known: t.Known, OK: t.Known && t.OK})
	}
	for p := range d.pools.All() {
		s.Pools = append(s.Pools, dump.Pool{Spec: p.Spec(), Status: p.Status()})
	}
	return s
}

package assemble

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/track"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// someConfiguration writes a configuration of a few objects, each of which may be there or not, with values of few choices.
func someConfiguration(r *rand.Rand) string {
	var b strings.Builder
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	fmt.Fprintf(&b, "vrrp_script chk {\n script /bin/%s\n interval %s\n weight %s\n}\n", pick("true", "false"), pick("1", "2"), pick("-10", "-20"))
	for i, name := range []string{"A", "B"} {
		if r.IntN(4) == 0 {
			continue
		}
		fmt.Fprintf(&b, "vrrp_instance %s {\n interface eth%d\n virtual_router_id %d\n priority %s\n advert_int %s\n virtual_ipaddress {\n 192.0.2.%d/24\n%s\n }\n%s\n}\n", name, i, i+1,
			pick("100", "150"), pick("1", "2"), 10+i, pick("", fmt.Sprintf(" 192.0.2.%d/24", 20+i)), pick("", " nopreempt", " track_script {\n chk\n }", " notify /bin/true"))
	}
	for i := range 3 {
		if r.IntN(4) == 0 {
			continue
		}
		fmt.Fprintf(&b, "virtual_server 192.0.2.%d 80 {\n protocol TCP\n lb_algo %s\n lb_kind NAT\n delay_loop %s\n%s\n", 10+i, pick("rr", "wlc"), pick("5", "6"), pick("", " quorum 2", " persistence_timeout 60", " quorum_up /bin/true"))
		for j := range 3 {
			if j > 0 && r.IntN(3) == 0 {
				continue
			}
			fmt.Fprintf(&b, " real_server 10.0.0.%d 80 {\n weight %s\n%s\n %s\n }\n", j+1, pick("2", "3"), pick("", " inhibit_on_failure", " uthreshold 9"), pick("TCP_CHECK { }", "TCP_CHECK {\n connect_timeout 1\n }", "HTTP_GET {\n url {\n path /\n }\n }", ""))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// by makes a map of a list.
func by[T any](list []T, name func(*T) string) map[string]any {
	out := map[string]any{}
	for i := range list {
		out[name(&list[i])] = list[i]
	}
	return out
}

// changed lists the names whose values differ, with + for new ones and - for those that are gone.
func changed(old, new map[string]any) map[string]string {
	out := map[string]string{}
	for name, o := range old {
		if n, ok := new[name]; !ok {
			out[name] = "remove"
		} else if !reflect.DeepEqual(o, n) {
			out[name] = "update"
		}
	}
	for name := range new {
		if _, ok := old[name]; !ok {
			out[name] = "add"
		}
	}
	return out
}

// What the rooms are given differs exactly in the objects that the plan of a reload names: an object that the plan does not name stays as it
// was, in the router, in IPVS, in the checks and in the scripts, and one that it names does change.
func TestRoomsChangeWhatThePlanNames(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 14))
	load := func(text string) *config.Model {
		m, ds := config.Parse(fstest.MapFS{"x": {Data: []byte(text)}}, "/x", config.Host{Hostname: "h"}, config.Options{})
		if ds.HasErrors() {
			t.Fatal(ds.Err(), text)
		}
		return m
	}
	texts := make([]string, 120)
	for i := range texts {
		texts[i] = someConfiguration(r)
	}
	ops, empty := 0, 0
	for i := range texts {
		oldText, newText := texts[i], texts[(i*7+1)%len(texts)]
		if i%10 == 0 {
			newText = oldText
		}
		old, next := load(oldText), load(newText)
		plan := config.Diff(old, next)
		was, is := All(old), All(next)
		if len(plan) == 0 {
			empty++
			if !was.Same(is) {
				t.Fatalf("the plan is empty and something changes:\n%s\n%s", oldText, newText)
			}
			continue
		}
		// What the plan says of instances, services and scripts.
		instances, pools, scripts := map[string]string{}, map[string]string{}, map[string]string{}
		for _, c := range plan {
			ops++
			switch c.Kind {
			case "vrrp_instance":
				instances[c.Name] = string(c.Op)
			case "vrrp_script":
				scripts[c.Name] = string(c.Op)
			case "virtual_server", "real_server", "check":
				words := strings.Fields(c.Name)
				id := strings.ToUpper(words[1]) + " " + words[0]
				if c.Kind == "virtual_server" || pools[id] == "" {
					pools[id] = string(c.Op)
				}
				if c.Kind != "virtual_server" {
					pools[id] = "update"
				}
			default:
				t.Fatalf("an operation on %s", c.Kind)
			}
		}
		equal := func(room string, says, does map[string]string) {
			if !reflect.DeepEqual(says, does) {
				t.Fatalf("%s: the plan says %v, changed is %v\nplan %v\n%s\n---\n%s", room, says, does, plan, oldText, newText)
			}
		}
		// An instance: what the router gets, and what is notified.
		routed := changed(by(was.VRRP.Instances, nameOf), by(is.VRRP.Instances, nameOf))
		for name := range instances {
			if o, n := old.Instance(name), next.Instance(name); o != nil && n != nil && routed[name] == "" && o.Notify.Line != n.Notify.Line {
				routed[name] = "update" // notify is the balancer's
			}
		}
		equal("router", instances, routed)
		// A service: its pool, and its checks.
		balanced := changed(by(was.Pools, poolID), by(is.Pools, poolID))
		for id := range changed(by(was.Checks, checkID), by(is.Checks, checkID)) {
			for _, list := range [][]string{poolNames(by(was.Pools, poolID)), poolNames(by(is.Pools, poolID))} {
				for _, pool := range list {
					if strings.Contains(id, pool) && balanced[pool] == "" {
						balanced[pool] = "update"
					}
				}
			}
		}
		for id := range pools {
			if balanced[id] == "" && quorumScript(old, id) != quorumScript(next, id) {
				balanced[id] = "update"
			}
		}
		equal("balancer", pools, balanced)
		run := func(in Inputs) map[string]any {
			return by(in.Outside.Scripts, func(s *track.Script) string { return strings.TrimPrefix(s.ID, "script/") })
		}
		for name, op := range changed(run(was), run(is)) {
			if scripts[name] == "" && instances["A"]+instances["B"] == "" { // a script runs while an instance tracks it
				t.Fatalf("script %s: %s is not in the plan %v", name, op, plan)
			}
		}
	}
	if ops < 500 || empty < 5 {
		t.Errorf("only %d operations and %d empty plans were tried", ops, empty)
	}
}

func nameOf(i *vrrp.Instance) string          { return i.Name }
func poolID(v *ipvssync.VirtualServer) string { return v.ID }
func checkID(s *checkers.Spec) string         { return fmt.Sprint(s.ID) }

func poolNames(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

func quorumScript(m *config.Model, id string) string {
	for i := range m.VirtualServers {
		if virtualServerName(&m.VirtualServers[i]) == id {
			return m.VirtualServers[i].QuorumUp.Line
		}
	}
	return ""
}

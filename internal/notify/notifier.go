package notify

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
)

// Notifier tells. Its methods return at once (Close excepted) and may be called by any goroutine; calls about one object must come
// in the order of its changes.
type Notifier struct {
	readers Runner
	bus     *event.Bus
	queues  *queues
	mail    *mailer
	told    *told

	mu     sync.Mutex
	closed bool
	conf   Config
	// objects are the instances and groups by key, virtuals the virtual servers by ID.
	objects  map[string]Object
	virtuals map[string]virtual
	pipes    map[string]*fifo
}

// virtual is a virtual server with its real servers by ID.
type virtual struct {
	Virtual
	servers map[string]Server
}

// New makes a notifier that tells nobody. runner runs the notify scripts; readers the programs that read FIFOs, which run for ever
// and so must not share runner's limit. file is where the states that have been told are recorded, "" for nowhere.
func New(runner, readers Runner, file string, bus *event.Bus) *Notifier {
	n := &Notifier{readers: readers, bus: bus, queues: newQueues(runner, bus), mail: newMailer(bus), told: newTold(file, bus),
		objects: map[string]Object{}, virtuals: map[string]virtual{}, pipes: map[string]*fifo{}}
	go n.mail.run()
	return n
}

// key names an object among all that are told about: the kind and the identities.
func key(kind string, ids ...string) string { return kind + " " + strings.Join(ids, " ") }

// Apply replaces what is told and to whom. Pipes that stay are not reopened, so that their readers stay too. An instance that is
// gone is told once more, as DELETED or FAULT.
func (n *Notifier) Apply(conf Config) {
	objects, virtuals, kept := map[string]Object{}, map[string]virtual{}, map[string]bool{}
	for _, o := range conf.Instances {
		objects[key(instance, o.ID)] = o
		kept[key(instance, o.ID)] = true
	}
	for _, f := range []FIFO{conf.All, conf.VRRP, conf.LVS} {
		kept[key("FIFO", f.Path)] = true
	}
	for _, o := range conf.Groups {
		objects[key(group, o.ID)] = o
		kept[key(group, o.ID)] = true
	}
	for _, v := range conf.Virtuals {
		servers := map[string]Server{}
		kept[key("VS", v.ID)] = true
		for _, s := range v.Servers {
			servers[s.ID] = s
			kept[key("RS", v.ID, s.ID)] = true
		}
		virtuals[v.ID] = virtual{v, servers}
	}

	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return
	}
	gone := n.conf.Instances
	n.conf, n.objects, n.virtuals = conf, objects, virtuals
	n.mail.apply(conf.Mail)
	n.openPipes()
	n.mu.Unlock()

	for _, o := range gone {
		if kept[key(instance, o.ID)] {
			continue
		}
		s := Fault
		if o.ReportDeleted {
			s = Deleted
		}
		n.change(instance, o, s, n.told.last(key(instance, o.ID)).Priority, "removed by a reload")
	}
	n.told.keep(kept)
	if conf.StatesOnReload && gone != nil {
		n.repeat(conf)
	}
}

// repeat writes all known states to the pipes.
func (n *Notifier) repeat(conf Config) {
	for _, o := range conf.Instances {
		if e := n.told.last(key(instance, o.ID)); e.State != "" {
			n.write(vrrpPipes, vrrpLine(instance, o.Name, e.State, e.Priority))
		}
	}
	for _, o := range conf.Groups {
		if e := n.told.last(key(group, o.ID)); e.State != "" {
			n.write(vrrpPipes, vrrpLine(group, o.Name, e.State, 0))
		}
	}
}

// The pipes by what they are for. A path that is named twice is opened once and gets each line once.
const (
	allPipe = 1 << iota
	vrrpPipe
	lvsPipe
	vrrpPipes = allPipe | vrrpPipe
	lvsPipes  = allPipe | lvsPipe
)

// openPipes brings the open pipes to the configuration; the lock is held. Closing an old one happens aside, since its reader may
// take a moment.
func (n *Notifier) openPipes() {
	want := map[string]FIFO{}
	for _, c := range []FIFO{n.conf.LVS, n.conf.VRRP, n.conf.All} {
		if c.Path != "" {
			want[c.Path] = c
		}
	}
	for path, f := range n.pipes {
		if c, ok := want[path]; !ok || !c.equal(f.conf) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			f.close(ctx)
			cancel()
			delete(n.pipes, path)
		}
	}
	for path, c := range want {
		if n.pipes[path] != nil {
			continue
		}
		f, err := openFIFO(c, n.readers, n.bus)
		if err != nil {
			n.bus.Publish(event.NotifyProblem.With(path, err))
			continue
		}
		// A pipe that a killed daemon made is removed at an orderly stop all the same.
		if made := key("FIFO", path); f.made {
			n.told.set(made, madeHere, 0)
		} else if n.told.last(made).State == madeHere {
			f.made = true
		}
		n.pipes[path] = f
	}
}

// madeHere is recorded of a pipe that was made, in the place of a state.
const madeHere State = "made"

// write puts a line into the pipes that are for it.
func (n *Notifier) write(to int, line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := map[string]bool{}
	for i, c := range []FIFO{n.conf.All, n.conf.VRRP, n.conf.LVS} {
		if to&(1<<i) == 0 || seen[c.Path] {
			continue
		}
		seen[c.Path] = true
		if f := n.pipes[c.Path]; f != nil {
			f.write(line)
		}
	}
}

// Close tells STOP (and DOWN where omega asks for it), lets waiting scripts, readers and mails finish until ctx ends, then ends them.
func (n *Notifier) Close(ctx context.Context) {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return
	}
	n.closed = true
	conf := n.conf
	n.mu.Unlock()
	const why = "the director stops"
	for _, v := range conf.Virtuals {
		if !v.Omega {
			continue
		}
		for _, s := range v.Servers {
			if n.told.last(key("RS", v.ID, s.ID)).State == up {
				n.server(v, s, false, why)
			}
		}
		if n.told.last(key("VS", v.ID)).State == up {
			n.Quorum(v.ID, false, why)
		}
	}
	for _, o := range conf.Instances {
		n.change(instance, o, Stop, n.told.last(key(instance, o.ID)).Priority, why)
	}
	for _, o := range conf.Groups {
		n.change(group, o, Stop, 0, why)
	}
	n.queues.close(ctx)
	n.mu.Lock()
	pipes := n.pipes
	n.pipes = map[string]*fifo{}
	n.mu.Unlock()
	var all sync.WaitGroup
	for _, f := range pipes {
		all.Go(func() {
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			f.close(short)
		})
	}
	all.Go(func() { n.mail.close(ctx) })
	all.Wait()
	n.told.close()
}

// Abandon ends without telling anybody anything: what runs is killed, pipes stay for the next daemon, and so does the record of what
// has been told.
func (n *Notifier) Abandon() {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return
	}
	n.closed = true
	pipes := n.pipes
	n.pipes = map[string]*fifo{}
	n.mu.Unlock()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	n.queues.close(over)
	for _, f := range pipes {
		f.made = false
		f.close(over)
	}
	n.mail.stop()
	n.mail.close(over)
	n.told.end()
}

func (n *Notifier) object(key string) (Object, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o, ok := n.objects[key]
	return o, ok
}

func (n *Notifier) virtual(id string) (virtual, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	v, ok := n.virtuals[id]
	return v, ok
}

func (n *Notifier) mailConf() (router string, noFaults bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.conf.Mail.RouterID, n.conf.Mail.NoFaults
}

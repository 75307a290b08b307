package notify

import (
	"fmt"

	"github.com/holdfast-ha/holdfast/internal/script"
)

// Instance tells that an instance entered a state.
func (n *Notifier) Instance(id string, s State, priority int, reason string) {
	if o, ok := n.object(key(instance, id)); ok {
		n.change(instance, o, s, priority, reason)
	}
}

// Group tells that a sync group entered a state.
func (n *Notifier) Group(id string, s State, reason string) {
	if o, ok := n.object(key(group, id)); ok {
		n.change(group, o, s, 0, reason)
	}
}

// Current is the state an object is in.
type Current struct {
	// ID is the object's.
	ID    string
	State State
	// Priority is the effective one; not used for groups.
	Priority int
}

// Sync tells what has changed since it was last told: after a restart, or when changes were lost on the way. States other than
// MASTER, BACKUP and FAULT are passed over.
func (n *Notifier) Sync(instances, groups []Current) {
	const why = "found in this state"
	for _, c := range instances {
		if c.State == Master || c.State == Backup || c.State == Fault {
			n.Instance(c.ID, c.State, c.Priority, why)
		}
	}
	for _, c := range groups {
		if c.State == Master || c.State == Backup || c.State == Fault {
			n.Group(c.ID, c.State, why)
		}
	}
}

// LowerPriority tells that an instance, MASTER, heard a MASTER of lower priority.
func (n *Notifier) LowerPriority(id string, priority int) {
	o, ok := n.object(key(instance, id))
	if !ok {
		return
	}
	n.queues.add(key(instance, id), job{kind: "lower", name: key(instance, o.Name), what: string(lowerPriority), commands: []script.Command{o.LowerPriority}})
	n.write(vrrpPipes, vrrpLine(instance, o.Name, lowerPriority, priority))
}

// Priority writes a new effective priority to the pipes, as MASTER_PRIORITY or BACKUP_PRIORITY, if that is wanted. Scripts are not
// told (nor by keepalived 2.2, measured).
func (n *Notifier) Priority(id string, s State, priority int) {
	o, ok := n.object(key(instance, id))
	if !ok || !o.Priorities || s != Master && s != Backup {
		return
	}
	n.write(vrrpPipes, vrrpLine(instance, o.Name, s+"_PRIORITY", priority))
}

// generic is the script for every change with its four arguments, nothing if there is none.
func generic(o Object, kind string, s State, priority int) script.Command {
	if o.Any.Empty() {
		return script.Command{}
	}
	return o.Any.With(arguments(kind, o.Name, s, priority)...)
}

// change tells of a state that is news, in keepalived's order: the state's script, the generic one, the pipes, mail.
func (n *Notifier) change(kind string, o Object, s State, priority int, reason string) {
	id := key(kind, o.ID)
	if !n.told.set(id, s, priority) {
		return
	}
	own := map[State]script.Command{Master: o.Master, Backup: o.Backup, Fault: o.Fault, Stop: o.Stop, Deleted: o.Deleted}[s]
	n.queues.add(id, job{kind: "state", name: key(kind, o.Name), what: string(s), commands: []script.Command{own, generic(o, kind, s, priority)}})
	n.write(vrrpPipes, vrrpLine(kind, o.Name, s, priority))
	if router, noFaults := n.mailConf(); o.Mail && !(s == Fault && noFaults) {
		n.mail.post(vrrpSubject(router, kind, o.Name, s), fmt.Sprintf("%s: %s", mailWords[s], reason))
	}
}

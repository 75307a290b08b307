package notify

import "github.com/holdfast-ha/holdfast/internal/script"

const (
	up   State = "UP"
	down State = "DOWN"
)

func upDown(isUp bool) State {
	if isUp {
		return up
	}
	return down
}

// Quorum tells that a virtual server gained or lost its quorum.
func (n *Notifier) Quorum(id string, isUp bool, detail string) {
	v, ok := n.virtual(id)
	if !ok || !n.told.set(key("VS", id), upDown(isUp), 0) {
		return
	}
	c := v.QuorumDown
	if isUp {
		c = v.QuorumUp
	}
	n.queues.add(key("VS", id), job{kind: "state", what: "quorum " + string(upDown(isUp)), commands: []script.Command{c}})
	n.write(lvsPipes, virtualLine(v.Label, isUp))
	if v.Mail {
		router, _ := n.mailConf()
		n.mail.post(virtualSubject(router, v.Label, isUp), detail)
	}
}

// Server tells that a real server is up or down. initial says that it is the first verdict, which is told only if that is wanted
// (rs_init_notifies) and otherwise only remembered.
func (n *Notifier) Server(virtual, id string, isUp, initial bool, detail string) {
	v, ok := n.virtual(virtual)
	if !ok {
		return
	}
	s, ok := v.servers[id]
	if !ok {
		return
	}
	if initial && n.told.last(key("RS", virtual, id)).State == "" {
		n.mu.Lock()
		wanted := n.conf.InitialServers
		n.mu.Unlock()
		if !wanted {
			n.told.set(key("RS", virtual, id), upDown(isUp), 0)
			return
		}
	}
	n.server(v.Virtual, s, isUp, detail)
}

func (n *Notifier) server(v Virtual, s Server, isUp bool, detail string) {
	if !n.told.set(key("RS", v.ID, s.ID), upDown(isUp), 0) {
		return
	}
	c := s.Down
	if isUp {
		c = s.Up
	}
	n.queues.add(key("RS", v.ID, s.ID), job{kind: "state", what: string(upDown(isUp)), commands: []script.Command{c}})
	n.write(lvsPipes, serverLine(s.Label, v.Label, isUp))
	if s.Mail {
		router, _ := n.mailConf()
		n.mail.post(serverSubject(router, s.Label, v.Label, isUp), detail)
	}
}

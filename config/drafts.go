package config

// drafts hands out the objects that a real server and its checks are read into, and takes them back once inheritance is settled, so that ten
// thousand servers cost the drafts of one. What ends up in the Model is written where it stays.
type drafts struct {
	server rsDraft
	checks []*checkDraft
	whole  []Check // of the present virtual server: one piece for all checks
	room   []Check // the rest of it
	plain  []*node // lines of the present virtual server that are no real servers
}

// expect makes room for the checks of the real servers in kids.
func (f *drafts) expect(kids []*node) (servers int) {
	checks := 0
	for _, n := range kids {
		if n.key.text != "real_server" {
			continue
		}
		servers++
		for _, k := range n.kids {
			if k.block || checkKinds[k.key.text] {
				checks++
			}
		}
	}
	f.whole = make([]Check, checks)
	f.room = f.whole
	return servers
}

// begin gives the draft of the next real server.
func (f *drafts) begin(in *RealServer, n *node) *rsDraft {
	r := &f.server
	for _, c := range r.checks {
		*c = checkDraft{}
		f.checks = append(f.checks, c)
	}
	*r = rsDraft{RealServer: in, raw: noRaw(), checks: r.checks[:0], node: n}
	return r
}

func (f *drafts) check(kind CheckKind, n *node) *checkDraft {
	var c *checkDraft
	if last := len(f.checks) - 1; last >= 0 {
		c, f.checks = f.checks[last], f.checks[:last]
	} else {
		c = new(checkDraft)
	}
	if len(f.room) == 0 { // cannot be: expect has counted
		f.whole = make([]Check, 1)
		f.room = f.whole
	}
	c.Check, f.room = &f.room[0], f.room[1:]
	c.Pos, c.Kind, c.MaxReplyLen = n.pos(), kind, 255
	c.raw, c.node = noRaw(), n
	return c
}

// settled gives the checks of these drafts as one list. They stand one after the other already, unless one was left out or the kinds came
// in another order.
func (f *drafts) settled(all []*checkDraft) []Check {
	n := len(all)
	if n == 0 {
		return nil
	}
	used := f.whole[:len(f.whole)-len(f.room)]
	if tail := used[max(0, len(used)-n):]; len(tail) == n {
		inOrder := true
		for i := range tail {
			inOrder = inOrder && &tail[i] == all[i].Check
		}
		if inOrder {
			return tail[:n:n]
		}
	}
	out := make([]Check, n)
	for i, c := range all {
		out[i] = *c.Check
	}
	return out
}

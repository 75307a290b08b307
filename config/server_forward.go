package config

// Checks through the forwarding path (check_via forward): what can be wrong with them is settled once groups are known.

// linkForward refuses what a check through the forwarding path cannot do. Such a check is left out: a server that cannot be checked as the
// file says counts as not checked, so these are errors.
func (d *decoder) linkForward(m *draft, v *VirtualServer, n *node) {
	for i := range v.RealServers {
		r := &v.RealServers[i]
		for j := range r.Checks {
			if c := &r.Checks[j]; c.Via != "" {
				if why, keyword, code, hint := m.forwardFault(v, c); why != "" {
					at := nodeAt(n, c.Pos)
					d.say(at, Error, keyword, code, hint, "check_via forward: %s", why)
				}
			}
		}
	}
}

// forwardFault is why a check through the forwarding path cannot be, "" when it can.
func (m *draft) forwardFault(v *VirtualServer, c *Check) (why, keyword, code, hint string) {
	target, port := v.ForwardTarget(&m.Model, c)
	switch {
	case !target.IsValid():
		return "a firewall mark has no address to connect to", "check_via", "forward-address", "add connect_ip with the virtual address"
	case port == 0:
		return "there is no port to connect to", "check_via", "port-missing", "add connect_port N"
	case c.Fwmark != 0:
		return "it has a firewall mark of its own", "fwmark", "forward-mark", "remove fwmark"
	case c.BindIf != "":
		return "it cannot be bound to an interface: the packets begin inside the director", "bind_if", "forward-bind", "remove bind_if, or use bindto"
	case c.BindTo == target:
		return "the source must be an address of this director, not the virtual address, which the real server has too", "bindto", "forward-source", "name another address of this director"
	case c.BindTo.IsValid() && c.BindTo.Is6() != target.Is6():
		return "bindto is of another family than the virtual address", "bindto", "family", ""
	}
	return "", "", "", ""
}

// linkMarks keeps the marks of such checks apart from those of services.
func (d *decoder) linkMarks(m *draft, at []*node) {
	checks := int64(0)
	for i := range m.VirtualServers {
		servers := m.VirtualServers[i].RealServers
		for k := range servers {
			for c := range servers[k].Checks {
				if servers[k].Checks[c].Via != "" {
					checks++
					break
				}
			}
		}
	}
	if checks == 0 {
		return
	}
	marks := m.Global.ForwardMarks
	for i := range m.VirtualServers {
		v := &m.VirtualServers[i]
		used := []uint32{v.Fwmark}
		if g := m.VirtualServerGroup(v.Group); v.Group != "" && g != nil {
			for _, e := range g.Entries {
				used = append(used, e.Fwmark)
			}
		}
		for _, mark := range used {
			if mark != 0 && marks.Contains(mark) {
				d.fatal(at[i], &at[i].key, "forward-mark", "choose another mark, or another range with forward_check_marks",
					"the firewall mark %d lies in the range %d to %d that check_via forward uses", mark, marks.First, marks.Last)
			}
		}
	}
	if checks > marks.Size() {
		d.say(at[0], Error, "", "forward-mark", "name a larger range", "forward_check_marks has %d marks for %d real servers with check_via forward", marks.Size(), checks)
	}
}

// nodeAt is the node below n that begins at the place, n itself if there is none.
func nodeAt(n *node, at Pos) *node {
	if f := find(n, at); f != nil {
		return f
	}
	return n
}

func find(n *node, at Pos) *node {
	for _, k := range n.kids {
		if k.pos() == at {
			return k
		}
		if f := find(k, at); f != nil {
			return f
		}
	}
	return nil
}

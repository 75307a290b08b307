package vrrpnet

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	nl "github.com/mdlayher/netlink"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// protoKeepalived marks routes and rules as a VRRP daemon's (rtnetlink.h, RTPROT_KEEPALIVED).
const protoKeepalived = 18

// defaultRulePriority is keepalived's for a rule without one.
const defaultRulePriority = 16384

type heldRoutes struct {
	routes []vrrp.Route
	rules  []vrrp.Rule
}

// Routes adds and removes routes and rules, in the network namespace of the thread that made it. Like Addresses it remembers what each owner holds; what two
// owners hold stays until the last lets go. Its methods may take milliseconds and belong to one goroutine.
type Routes struct {
	handle *netlink.Handle
	conn   *nl.Conn
	fd     int
	owners map[string]heldRoutes
	// present are those that have been in the kernel since they were asked for: whoever finds one missing knows that somebody removed it.
	present map[string]bool
}

// RestoredRoute is a route or rule that was held, missing, and is there again.
type RestoredRoute struct {
	Owner, What string
}

// NewRoutes opens the netlink sockets.
func NewRoutes() (*Routes, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open the netlink socket that writes routes: %w", err)
	}
	if err := h.SetSocketTimeout(10 * time.Second); err != nil {
		h.Close()
		return nil, fmt.Errorf("limit the time of a netlink request: %w", err)
	}
	conn, err := nl.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("open the netlink socket that writes routes: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		h.Close()
		conn.Close()
		return nil, fmt.Errorf("open the socket that looks interfaces up: %w", err)
	}
	return &Routes{handle: h, conn: conn, fd: fd, owners: map[string]heldRoutes{}, present: map[string]bool{}}, nil
}

// Close closes the sockets and removes nothing.
func (r *Routes) Close() {
	r.handle.Close()
	r.conn.Close()
	unix.Close(r.fd)
}

// HoldRoutes makes the routes and rules of one owner exactly these: first what goes, rules before routes, then what is new, in order. It does what can
// be done and tells everything that failed. A route that was there before is prepended to, as iproute2 has it, not replaced.
func (r *Routes) HoldRoutes(owner string, routes []vrrp.Route, rules []vrrp.Rule) error {
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	had := r.owners[owner]
	r.owners[owner] = heldRoutes{slices.Clone(routes), slices.Clone(rules)}
	if len(routes) == 0 && len(rules) == 0 {
		delete(r.owners, owner)
	}
	for _, x := range slices.Backward(had.rules) {
		if !r.wantsRule(x) {
			delete(r.present, owner+" "+ruleText(x))
			note(r.delRule(x))
		}
	}
	for _, x := range slices.Backward(had.routes) {
		if !r.wantsRoute(x) {
			delete(r.present, owner+" "+routeText(x))
			note(r.delRoute(x))
		}
	}
	for _, x := range routes {
		_, err := r.addRoute(x)
		r.present[owner+" "+routeText(x)] = err == nil
		note(err)
	}
	for _, x := range rules {
		_, err := r.addRule(x)
		r.present[owner+" "+ruleText(x)] = err == nil
		note(err)
	}
	return errors.Join(errs...)
}

// Remove takes routes and rules away that a former daemon left; those that are not there are no error.
func (r *Routes) Remove(routes []vrrp.Route, rules []vrrp.Rule) error {
	var errs []error
	for _, x := range slices.Backward(rules) {
		errs = append(errs, r.delRule(x))
	}
	for _, x := range slices.Backward(routes) {
		errs = append(errs, r.delRoute(x))
	}
	return errors.Join(errs...)
}

// RefreshRoutes adds again what is held and missing: somebody else removed it, or an interface that went down took it along. What nobody is to act on
// (no_track) stays away. It answers with what had been there and was missing.
func (r *Routes) RefreshRoutes() (restored []RestoredRoute, err error) {
	var errs []error
	for _, owner := range slices.Sorted(maps.Keys(r.owners)) {
		h := r.owners[owner]
		note := func(what string, missing bool, err error) {
			if key := owner + " " + what; err != nil {
				errs = append(errs, err)
				r.present[key] = false
			} else {
				if missing && r.present[key] {
					restored = append(restored, RestoredRoute{owner, what})
				}
				r.present[key] = true
			}
		}
		for _, x := range h.routes {
			if !x.NoTrack || !r.present[owner+" "+routeText(x)] {
				missing, err := r.addRoute(x)
				note(routeText(x), missing, err)
			}
		}
		for _, x := range h.rules {
			if !x.NoTrack || !r.present[owner+" "+ruleText(x)] {
				missing, err := r.addRule(x)
				note(ruleText(x), missing, err)
			}
		}
	}
	return restored, errors.Join(errs...)
}

func (r *Routes) wantsRoute(x vrrp.Route) bool {
	for _, h := range r.owners {
		if slices.ContainsFunc(h.routes, func(y vrrp.Route) bool { return reflect.DeepEqual(x, y) }) {
			return true
		}
	}
	return false
}

func (r *Routes) wantsRule(x vrrp.Rule) bool {
	for _, h := range r.owners {
		if slices.Contains(h.rules, x) {
			return true
		}
	}
	return false
}

// addRoute answers whether the route was missing.
func (r *Routes) addRoute(x vrrp.Route) (missing bool, err error) {
	msg, err := routeMessage(x, r)
	if err == nil {
		// CREATE without EXCL: "ip route prepend", keepalived's default. What is there exactly so already answers EEXIST.
		flags := nl.Create
		switch x.Create {
		case "add":
			flags |= nl.Excl
		case "append":
			flags |= nl.Append
		}
		err = r.ask(unix.RTM_NEWROUTE, flags, msg)
	}
	if errors.Is(err, unix.EEXIST) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("add %s: %w", routeText(x), err)
	}
	return true, nil
}

func (r *Routes) delRoute(x vrrp.Route) error {
	msg, err := routeMessage(x, r)
	if err != nil {
		return nil // its interface is gone and the route with it
	}
	if err := r.ask(unix.RTM_DELROUTE, 0, msg); err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove %s: %w", routeText(x), err)
	}
	return nil
}

// addRule answers whether the rule was missing.
func (r *Routes) addRule(x vrrp.Rule) (missing bool, err error) {
	msg, err := ruleMessage(x)
	if err == nil {
		err = r.ask(unix.RTM_NEWRULE, nl.Create|nl.Excl, msg)
	}
	if errors.Is(err, unix.EEXIST) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("add %s: %w", ruleText(x), err)
	}
	return true, nil
}

func (r *Routes) delRule(x vrrp.Rule) error {
	msg, err := ruleMessage(x)
	if err == nil {
		err = r.ask(unix.RTM_DELRULE, 0, msg)
	}
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove %s: %w", ruleText(x), err)
	}
	return nil
}

func ruleText(x vrrp.Rule) string {
	s := fmt.Sprintf("rule %d", cmp.Or(x.Priority, defaultRulePriority))
	if x.From.IsValid() {
		s += " from " + x.From.String()
	}
	if x.To.IsValid() {
		s += " to " + x.To.String()
	}
	return s + " " + cmp.Or(x.Action, "lookup "+cmp.Or(x.Table, "main"))
}

func routeText(x vrrp.Route) string {
	s := "route to " + x.Dst.String()
	if x.Via.IsValid() {
		s += " via " + x.Via.String()
	}
	if x.Interface != "" {
		s += " dev " + x.Interface
	}
	if x.Table != "" {
		s += " table " + x.Table
	}
	if x.Metric != 0 {
		s += " metric " + strconv.FormatUint(uint64(x.Metric), 10)
	}
	return s
}

var routeTypes = map[string]int{
	"": unix.RTN_UNICAST, "unicast": unix.RTN_UNICAST, "local": unix.RTN_LOCAL, "broadcast": unix.RTN_BROADCAST, "anycast": unix.RTN_ANYCAST, "multicast": unix.RTN_MULTICAST,
	"blackhole": unix.RTN_BLACKHOLE, "unreachable": unix.RTN_UNREACHABLE, "prohibit": unix.RTN_PROHIBIT, "throw": unix.RTN_THROW,
}

// index is the number of an interface now.
func (r *Routes) index(name string) (int, error) {
	req, err := unix.NewIfreq(name)
	if err == nil {
		err = unix.IoctlIfreq(r.fd, unix.SIOCGIFINDEX, req)
	}
	if err != nil {
		return 0, fmt.Errorf("interface %q: %w", name, err)
	}
	return int(req.Uint32()), nil
}

func (r *Routes) vrfTable(name string) (uint32, error) {
	link, err := r.handle.LinkByName(name)
	if err != nil {
		return 0, fmt.Errorf("VRF %q: %w", name, err)
	}
	vrf, ok := link.(*netlink.Vrf)
	if !ok {
		return 0, fmt.Errorf("%q is a %s, not a VRF", name, link.Type())
	}
	return vrf.Table, nil
}

// ask sends one request and waits for the kernel's answer.
func (r *Routes) ask(kind nl.HeaderType, flags nl.HeaderFlags, data []byte) error {
	if err := r.conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	_, err := r.conn.Execute(nl.Message{Header: nl.Header{Type: kind, Flags: nl.Request | nl.Acknowledge | flags}, Data: data})
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno // without the words about netlink
	}
	return err
}

// routeScope is what keepalived takes when none is given: global, and what the kernel demands of other types.
func routeScope(x vrrp.Route, kind int) (netlink.Scope, error) {
	implied := 0
	switch {
	case x.Family == vrrp.IPv6:
	case kind == unix.RTN_LOCAL:
		implied = unix.RT_SCOPE_HOST
	case kind == unix.RTN_BROADCAST, kind == unix.RTN_MULTICAST, kind == unix.RTN_ANYCAST:
		implied = unix.RT_SCOPE_LINK
	}
	n, err := number(x.Scope, implied, "scope", map[string]int{"global": 0, "universe": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255})
	return netlink.Scope(n), err
}

func family(f vrrp.Family) int {
	if f == vrrp.IPv6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// number reads a number or one of the names.
func number(word string, none int, what string, names map[string]int) (int, error) {
	if word == "" {
		return none, nil
	}
	if n, ok := names[word]; ok {
		return n, nil
	}
	n, err := strconv.ParseUint(word, 0, 8)
	if err != nil {
		return 0, fmt.Errorf("%s %q is neither a known name nor 0 to 255", what, word)
	}
	return int(n), nil
}

// table reads a routing table's number or its name in rt_tables(5).
func table(word string) (int, error) {
	switch word {
	case "", "main":
		return unix.RT_TABLE_MAIN, nil
	case "local":
		return unix.RT_TABLE_LOCAL, nil
	case "default":
		return unix.RT_TABLE_DEFAULT, nil
	}
	if n, err := strconv.ParseUint(word, 0, 32); err == nil {
		return int(n), nil
	}
	for _, path := range []string{"/etc/iproute2/rt_tables", "/usr/share/iproute2/rt_tables"} {
		if n, ok := named(path, word); ok {
			return n, nil
		}
	}
	return 0, fmt.Errorf("routing table %q is neither a number nor a name in /etc/iproute2/rt_tables", word)
}

// named looks a name up in a file of iproute2: "NUMBER NAME" per line.
func named(path, word string) (int, bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if w := strings.Fields(s.Text()); len(w) >= 2 && w[1] == word {
			n, err := strconv.ParseUint(w[0], 0, 32)
			return int(n), err == nil
		}
	}
	return 0, false
}

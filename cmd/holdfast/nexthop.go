package main

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
)

// maxRoutes bounds what is read of the routing table: a router with all of the Internet's routes is not looked at.
const maxRoutes = 10000

// hop is a route of the main table; the router is not valid where none is in between.
type hop struct {
	to     netip.Prefix
	router netip.Addr
}

// nextHops tells through which router this machine sends to an address. The kernel is asked only where the main table names a router: most real servers
// are on a network of the director, and there may be thousands of them.
func nextHops() func(netip.Addr) (netip.Addr, bool) {
	table := sync.OnceValue(func() []hop {
		four, _ := os.ReadFile("/proc/net/route")
		six, _ := os.ReadFile("/proc/net/ipv6_route")
		return append(parseRoutes(string(four)), parseRoutes6(string(six))...)
	})
	return func(to netip.Addr) (netip.Addr, bool) {
		router, known := lookUp(table(), to)
		if !known || !router.IsValid() {
			return router, known
		}
		routes, err := netlink.RouteGet(to.AsSlice()) // rules may say otherwise than the main table
		if err != nil || len(routes) == 0 {
			return netip.Addr{}, false
		}
		router, _ = netip.AddrFromSlice(routes[0].Gw)
		return router.Unmap(), true
	}
}

// lookUp finds the longest prefix.
func lookUp(table []hop, to netip.Addr) (router netip.Addr, known bool) {
	best := -1
	for _, h := range table {
		if h.to.Bits() > best && h.to.Contains(to) {
			best, router, known = h.to.Bits(), h.router, true
		}
	}
	return router, known
}

// The flags of a route (linux/route.h, linux/ipv6_route.h).
const (
	routeUp     = 0x1
	routeVia    = 0x2
	routeReject = 0x200
)

// parseRoutes reads /proc/net/route: the interface, then destination and router as the bytes of memory in hexadecimal, flags in hexadecimal, three numbers, the mask.
func parseRoutes(text string) []hop {
	addr := func(word string) (a [4]byte, ok bool) {
		v, err := strconv.ParseUint(word, 16, 32)
		binary.NativeEndian.PutUint32(a[:], uint32(v))
		return a, err == nil
	}
	var table []hop
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		to, ok1 := addr(f[1])
		via, ok2 := addr(f[2])
		mask, ok3 := addr(f[7])
		flags, err := strconv.ParseUint(f[3], 16, 32)
		if !ok1 || !ok2 || !ok3 || err != nil || flags&routeUp == 0 || flags&routeReject != 0 {
			continue
		}
		bits := 0
		for m := binary.BigEndian.Uint32(mask[:]); m&(1<<31) != 0; m <<= 1 {
			bits++
		}
		h := hop{to: netip.PrefixFrom(netip.AddrFrom4(to), bits)}
		if flags&routeVia != 0 {
			h.router = netip.AddrFrom4(via)
		}
		if table = append(table, h); len(table) > maxRoutes {
			return nil
		}
	}
	return table
}

// parseRoutes6 reads /proc/net/ipv6_route: destination, its length, source, its length, router, metric, two counters, flags, all in hexadecimal, then the interface. It
// has the addresses of this machine too, as routes to lo.
func parseRoutes6(text string) []hop {
	addr := func(word string) (netip.Addr, bool) {
		b, err := hex.DecodeString(word)
		a, ok := netip.AddrFromSlice(b)
		return a, err == nil && ok
	}
	var table []hop
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 || f[9] == "lo" {
			continue
		}
		to, ok1 := addr(f[0])
		via, ok2 := addr(f[4])
		bits, err1 := strconv.ParseUint(f[1], 16, 8)
		flags, err2 := strconv.ParseUint(f[8], 16, 32)
		if !ok1 || !ok2 || err1 != nil || err2 != nil || bits > 128 || flags&routeUp == 0 || flags&routeReject != 0 {
			continue
		}
		h := hop{to: netip.PrefixFrom(to, int(bits))}
		if flags&routeVia != 0 {
			h.router = via
		}
		if table = append(table, h); len(table) > maxRoutes {
			return nil
		}
	}
	return slices.Clip(table)
}

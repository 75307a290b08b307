package vrrpnet

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// shieldTable is the nftables table of the router, family inet.
const shieldTable = "holdfast_vrrp"

// shieldChunk is how many elements go into one request: 4,096 IPv4 addresses overflow a 16-bit length and vanish without an error (measured).
const shieldChunk = 1000

// Shield keeps packets to addresses of routers that must not accept them (no_accept, and RFC 9568 section 6.1 Accept_Mode false) from
// local programs. Neighbour discovery passes. It works behind IPVS: packets that IPVS balances or forwards never reach it, so a virtual
// server on such an address serves. Nil addrs removes everything. It replaces the table in one transaction.
func Shield(addrs []netip.Addr) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open the netlink socket of nftables: %w", err)
	}
	if len(addrs) == 0 {
		c.DelTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: shieldTable})
		if err := c.Flush(); err != nil && !errors.Is(err, unix.ENOENT) && !noTables(err) {
			return fmt.Errorf("remove the nftables table %s: %w", shieldTable, err)
		}
		return nil
	}
	t := c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: shieldTable})
	c.DelTable(t) // of a former run; adding it first makes this never fail
	t = c.AddTable(t)
	// Hooks of IPVS in LOCAL_IN are at 98 and 99 (ip_vs_core.c, NF_IP_PRI_NAT_SRC - 2 and - 1).
	behindIPVS := nftables.ChainPriority(110)
	accept := nftables.ChainPolicyAccept
	chain := c.AddChain(&nftables.Chain{Name: "input", Table: t, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookInput, Priority: &behindIPVS, Policy: &accept})
	// Router and neighbour solicitations and advertisements, redirects (ICMPv6 133 to 137).
	c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_ICMPV6}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1},
		&expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: []byte{133}, ToData: []byte{137}},
		&expr.Verdict{Kind: expr.VerdictAccept},
	}})
	for _, f := range []struct {
		name        string
		kind        nftables.SetDatatype
		proto       byte
		offset, len uint32
		is4         bool
	}{{"addresses4", nftables.TypeIPAddr, unix.NFPROTO_IPV4, 16, 4, true}, {"addresses6", nftables.TypeIP6Addr, unix.NFPROTO_IPV6, 24, 16, false}} {
		var elements []nftables.SetElement
		for _, a := range addrs {
			if a.Is4() == f.is4 {
				elements = append(elements, nftables.SetElement{Key: a.AsSlice()})
			}
		}
		if len(elements) == 0 {
			continue
		}
		set := &nftables.Set{Table: t, Name: f.name, KeyType: f.kind}
		first := min(len(elements), shieldChunk)
		if err := c.AddSet(set, elements[:first]); err != nil {
			return fmt.Errorf("make the nftables set %s: %w", f.name, err)
		}
		for rest := elements[first:]; len(rest) > 0; {
			n := min(len(rest), shieldChunk)
			if err := c.SetAddElements(set, rest[:n]); err != nil {
				return fmt.Errorf("fill the nftables set %s: %w", f.name, err)
			}
			rest = rest[n:]
		}
		c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{f.proto}},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: f.offset, Len: f.len},
			&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
			&expr.Counter{},
			&expr.Verdict{Kind: expr.VerdictDrop},
		}})
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("write the nftables table %s: %w", shieldTable, err)
	}
	return nil
}

// noTables: a kernel without nftables has nothing to remove.
func noTables(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EINVAL)
}

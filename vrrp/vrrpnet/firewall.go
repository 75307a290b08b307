package vrrpnet

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// FirewallTable is the nftables table (family inet) that belongs to the owner of the addresses.
const FirewallTable = "holdfast_vrrp"

// firewallPriority is behind IPVS in the input hook (98 and 99, net/netfilter/ipvs/ip_vs_core.c): what IPVS forwards is not dropped, only what this
// host would take itself. keepalived drops before IPVS, which makes vrrp_strict and virtual servers exclude each other.
const firewallPriority = 110

// Firewall drops packets to virtual addresses whose instances have no_accept, except neighbour discovery. Its methods may take milliseconds and belong to one
// goroutine. Nothing is loaded or written until the first address is to be dropped.
type Firewall struct {
	owners map[string][]netip.Addr
	there  bool
}

// NewFirewall makes a firewall that drops nothing.
func NewFirewall() *Firewall { return &Firewall{owners: map[string][]netip.Addr{}} }

// Drop makes addrs the owner's addresses to which packets are dropped.
func (f *Firewall) Drop(owner string, addrs []netip.Addr) error {
	if slices.Equal(f.owners[owner], addrs) {
		return nil
	}
	f.owners[owner] = slices.Clone(addrs)
	if len(addrs) == 0 {
		delete(f.owners, owner)
	}
	if err := f.write(); err != nil {
		delete(f.owners, owner) // so that the next call tries again
		return fmt.Errorf("write nftables table %s: %w", FirewallTable, err)
	}
	return nil
}

// Clear removes the table, whoever made it.
func (f *Firewall) Clear() error {
	f.owners, f.there = map[string][]netip.Addr{}, true
	if err := f.write(); err != nil {
		return fmt.Errorf("remove nftables table %s: %w", FirewallTable, err)
	}
	return nil
}

// write replaces the table in one transaction.
func (f *Firewall) write() error {
	if len(f.owners) == 0 && !f.there {
		return nil
	}
	c, err := nftables.New()
	if err != nil {
		return err
	}
	t := &nftables.Table{Family: nftables.TableFamilyINet, Name: FirewallTable}
	c.AddTable(t) // so that removing it cannot fail
	c.DelTable(t)
	if len(f.owners) > 0 {
		c.AddTable(t)
		if err := f.fill(c, t); err != nil {
			return err
		}
	}
	if err := c.Flush(); err != nil {
		return err
	}
	f.there = len(f.owners) > 0
	return nil
}

func (f *Firewall) fill(c *nftables.Conn, t *nftables.Table) error {
	var v4, v6 []nftables.SetElement
	seen := map[netip.Addr]bool{}
	for _, addrs := range f.owners {
		for _, a := range addrs {
			switch e := (nftables.SetElement{Key: a.AsSlice()}); {
			case seen[a]:
			case a.Is4():
				v4 = append(v4, e)
			default:
				v6 = append(v6, e)
			}
			seen[a] = true
		}
	}
	chain := c.AddChain(&nftables.Chain{
		Name: "input", Table: t, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityRef(firewallPriority),
	})
	if len(v4) > 0 {
		set := &nftables.Set{Table: t, Name: "vips4", KeyType: nftables.TypeIPAddr}
		if err := c.AddSet(set, v4); err != nil {
			return err
		}
		c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: drop(unix.NFPROTO_IPV4, 16, 4, set)})
	}
	if len(v6) > 0 {
		set := &nftables.Set{Table: t, Name: "vips6", KeyType: nftables.TypeIP6Addr}
		if err := c.AddSet(set, v6); err != nil {
			return err
		}
		// Neighbour discovery, types 133 to 137, has to reach the address (RFC 9568 section 6.4.3).
		c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: append(family6(),
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_ICMPV6}},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1},
			&expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: []byte{133}, ToData: []byte{137}},
			&expr.Verdict{Kind: expr.VerdictAccept})})
		c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: drop(unix.NFPROTO_IPV6, 24, 16, set)})
	}
	return nil
}

func family6() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.NFPROTO_IPV6}},
	}
}

// drop matches a destination address at that place of the network header and counts and drops the packet.
func drop(family byte, offset, length uint32, set *nftables.Set) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{family}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length},
		&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
		&expr.Counter{},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}
}

package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// TableName is the name of the nftables tables (families ip and ip6) that belong to the owner of IPVS.
const TableName = "holdfast_ipvs"

// chainName is the one chain of a table.
const chainName = "postrouting"

// table is the owned nftables tables. Rules are compared by their comments: google/nftables can write a match on a connection's
// original destination, but cannot read it back.
type table struct {
	mu    sync.Mutex
	conn  *netlink.Conn
	gen   uint32   // the ruleset's generation when the rules were last seen to be right
	rules []string // the comments of those
	known bool
}

func (t *table) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn == nil {
		return nil
	}
	err := t.conn.Close()
	t.conn = nil
	return err
}

// FullNAT implements ipvssync.Kernel.
func (k *Kernel) FullNAT(ctx context.Context, rules []ipvssync.FullNATRule) (bool, error) {
	t := &k.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	changed, err := t.converge(rules)
	if err != nil {
		t.known = false
		if t.conn != nil {
			t.conn.Close()
			t.conn = nil
		}
		return changed, fmt.Errorf("nftables table %s: %w", TableName, err)
	}
	return changed, nil
}

func (t *table) converge(rules []ipvssync.FullNATRule) (bool, error) {
	if t.conn == nil {
		c, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
		if err != nil {
			return false, err
		}
		t.conn, t.known = c, false
	}
	if err := t.conn.SetDeadline(time.Now().Add(silence)); err != nil {
		return false, err
	}
	want := comments(rules)
	gen, err := t.generation()
	if err != nil {
		return false, err
	}
	if t.known && gen == t.gen && slices.Equal(want, t.rules) {
		return false, nil
	}
	changed := false
	for _, family := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6} {
		var part []ipvssync.FullNATRule
		for _, r := range rules {
			if r.Addr.Is4() == (family == nftables.TableFamilyIPv4) {
				part = append(part, r)
			}
		}
		there, err := t.exists(family)
		if err != nil {
			return changed, err
		}
		if len(part) == 0 && !there {
			continue
		}
		if there && len(part) > 0 {
			have, err := t.read(family)
			if err != nil {
				return changed, err
			}
			if slices.Equal(have, comments(part)) {
				continue
			}
		}
		if err := write(family, part, there); err != nil {
			return changed, err
		}
		changed = true
	}
	if t.gen, err = t.generation(); err != nil {
		return changed, err
	}
	// What somebody wrote between our reading and this generation is seen at the next change only if we look again now.
	t.known, t.rules = !changed, want
	return changed, nil
}

// nfmsg is a message of the nftables subsystem: struct nfgenmsg and attributes.
func nfmsg(typ uint16, family byte, flags netlink.HeaderFlags, attrs []netlink.Attribute) (netlink.Message, error) {
	b, err := netlink.MarshalAttributes(attrs)
	if err != nil {
		return netlink.Message{}, err
	}
	return netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | typ), Flags: netlink.Request | flags},
		Data:   append([]byte{family, unix.NFNETLINK_V0, 0, 0}, b...),
	}, nil
}

// attributes decodes what follows struct nfgenmsg.
func attributes(m netlink.Message) (*netlink.AttributeDecoder, error) {
	if len(m.Data) < 4 {
		return nil, errors.New("a short answer")
	}
	ad, err := netlink.NewAttributeDecoder(m.Data[4:])
	if err == nil {
		ad.ByteOrder = binary.BigEndian
	}
	return ad, err
}

// generation is the number that changes with every change of the ruleset.
func (t *table) generation() (uint32, error) {
	m, err := nfmsg(unix.NFT_MSG_GETGEN, unix.AF_UNSPEC, 0, nil)
	if err != nil {
		return 0, err
	}
	answers, err := t.conn.Execute(m)
	if err != nil {
		return 0, fmt.Errorf("read the ruleset's generation: %w", err)
	}
	for _, a := range answers {
		ad, err := attributes(a)
		if err != nil {
			return 0, err
		}
		for ad.Next() {
			if ad.Type() == unix.NFTA_GEN_ID {
				return ad.Uint32(), ad.Err()
			}
		}
	}
	return 0, errors.New("the kernel did not tell the ruleset's generation")
}

func (t *table) exists(family nftables.TableFamily) (bool, error) {
	m, err := nfmsg(unix.NFT_MSG_GETTABLE, byte(family), 0, []netlink.Attribute{{Type: unix.NFTA_TABLE_NAME, Data: []byte(TableName + "\x00")}})
	if err != nil {
		return false, err
	}
	_, err = t.conn.Execute(m)
	if errors.Is(err, syscall.ENOENT) {
		return false, nil
	}
	return err == nil, err
}

// read lists the comments of the chain's rules in their order. A rule without a comment is not ours and shows as "".
func (t *table) read(family nftables.TableFamily) ([]string, error) {
	m, err := nfmsg(unix.NFT_MSG_GETRULE, byte(family), netlink.Dump, []netlink.Attribute{
		{Type: unix.NFTA_RULE_TABLE, Data: []byte(TableName + "\x00")}, {Type: unix.NFTA_RULE_CHAIN, Data: []byte(chainName + "\x00")}})
	if err != nil {
		return nil, err
	}
	answers, err := t.conn.Execute(m)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	var list []string
	for _, a := range answers {
		ad, err := attributes(a)
		if err != nil {
			return nil, err
		}
		comment, table := "", ""
		for ad.Next() {
			switch ad.Type() {
			case unix.NFTA_RULE_TABLE:
				table = ad.String()
			case unix.NFTA_RULE_USERDATA:
				comment, _ = userdata.GetString(ad.Bytes(), userdata.TypeComment)
			}
		}
		if err := ad.Err(); err != nil {
			return nil, err
		}
		if table == TableName { // old kernels ignore the filter of a dump
			list = append(list, comment)
		}
	}
	return list, nil
}

// write replaces a family's table by one with these rules, in one transaction; without rules it goes.
func write(family nftables.TableFamily, rules []ipvssync.FullNATRule, there bool) error {
	// One transaction with an answer for every rule: both buffers hold thousands of rules.
	c, err := nftables.New(nftables.WithSockOptions(func(c *netlink.Conn) error {
		return errors.Join(c.SetWriteBuffer(16<<20), c.SetReadBuffer(32<<20))
	}))
	if err != nil {
		return err
	}
	tab := &nftables.Table{Family: family, Name: TableName}
	if there {
		c.DelTable(tab)
	}
	if len(rules) > 0 {
		c.AddTable(tab)
		chain := c.AddChain(&nftables.Chain{Name: chainName, Table: tab, Type: nftables.ChainTypeNAT,
			Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource})
		for _, r := range rules {
			for i, span := range spans(r.Local) {
				c.AddRule(&nftables.Rule{Table: tab, Chain: chain, Exprs: expressions(family, r, span, i, len(spans(r.Local))),
					UserData: userdata.AppendString(nil, userdata.TypeComment, comment(r, span))})
			}
		}
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("write %d rules: %w", len(rules), err)
	}
	return nil
}

// span is a range of source addresses; invalid for masquerading.
type span struct{ first, last netip.Addr }

// spans joins addresses next to each other, as one rule can take a range. No addresses are one span, the invalid one.
func spans(local []netip.Addr) []span {
	list := []span{{}}
	for i, a := range local {
		if i > 0 && list[len(list)-1].last.Next() == a {
			list[len(list)-1].last = a
			continue
		}
		if i == 0 {
			list = list[:0]
		}
		list = append(list, span{a, a})
	}
	return list
}

// comment identifies a rule; at most 127 bytes fit.
func comment(r ipvssync.FullNATRule, s span) string {
	var b strings.Builder
	proto := "any"
	if r.Protocol != 0 {
		proto = r.Protocol.String()
	}
	fmt.Fprintf(&b, "%s %s ", proto, netip.AddrPortFrom(r.Addr, r.Port))
	switch {
	case !s.first.IsValid():
		b.WriteString("masquerade")
	case s.first == s.last:
		b.WriteString(s.first.String())
	default:
		fmt.Fprintf(&b, "%s-%s", s.first, s.last)
	}
	return b.String()
}

func comments(rules []ipvssync.FullNATRule) []string {
	var list []string
	for _, r := range rules {
		for _, s := range spans(r.Local) {
			list = append(list, comment(r, s))
		}
	}
	return list
}

// expressions is the rule: what a connection was sent to before IPVS changed it, then the source. Of several spans each takes its
// share of the connections: the i-th of n rules takes one in n-i of those that reach it.
func expressions(family nftables.TableFamily, r ipvssync.FullNATRule, s span, i, n int) []expr.Any {
	const reg, reg2 = 1, 2
	same := func(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: data} }
	var e []expr.Any
	if r.Protocol != 0 {
		e = append(e, &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg}, same([]byte{byte(r.Protocol)}))
	}
	// Direction 0 is the original one. The library sends four bytes where the kernel reads one; zero is zero in both.
	e = append(e, &expr.Ct{Key: expr.CtKeyDST, Register: reg}, same(r.Addr.AsSlice()))
	if r.Port != 0 {
		e = append(e, &expr.Ct{Key: expr.CtKeyPROTODST, Register: reg}, same(binary.BigEndian.AppendUint16(nil, r.Port)))
	}
	if i < n-1 {
		e = append(e, &expr.Numgen{Register: reg, Modulus: uint32(n - i), Type: unix.NFT_NG_RANDOM}, same(binary.NativeEndian.AppendUint32(nil, 0)))
	}
	if !s.first.IsValid() {
		return append(e, &expr.Masq{FullyRandom: true})
	}
	nat := &expr.NAT{Type: expr.NATTypeSourceNAT, Family: uint32(family), RegAddrMin: reg, FullyRandom: true}
	e = append(e, &expr.Immediate{Register: reg, Data: s.first.AsSlice()})
	if s.last != s.first {
		e = append(e, &expr.Immediate{Register: reg2, Data: s.last.AsSlice()})
		nat.RegAddrMax = reg2
	}
	return append(e, nat)
}

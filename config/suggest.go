package config

import (
	"sort"
	"strings"
)

// suggest is a hint naming the candidate that s is probably a misspelling of, "" if there is none.
func (d *decoder) suggest(s string, candidates []string) string {
	if c := closest(s, candidates); c != "" {
		return "did you mean " + c + "?"
	}
	return ""
}

// synonyms are words that people write for another one.
var synonyms = map[string]string{
	"slave": "BACKUP", "standby": "BACKUP", "secondary": "BACKUP", "primary": "MASTER", "active": "MASTER",
	"router_id": "virtual_router_id", "vrid": "virtual_router_id", "interface_name": "interface", "device": "interface",
	"password": "auth_pass", "vip": "virtual_ipaddress", "peer": "unicast_peer", "algorithm": "lb_algo", "scheduler": "lb_algo",
	"http_check": "HTTP_GET", "https_get": "SSL_GET", "https_check": "SSL_GET", "ssl_check": "SSL_GET", "script_check": "MISC_CHECK", "exec_check": "MISC_CHECK",
	"icmp_check": "PING_CHECK", "masq": "NAT", "masquerade": "NAT", "gate": "DR", "route": "DR", "ipip": "TUN", "fullnat": "FNAT",
}

func closest(s string, candidates []string) string {
	if s == "" || len(s) > 64 {
		return ""
	}
	clean := strings.Trim(s, ";,:'`")
	low := strings.ToLower(clean)
	for _, c := range candidates {
		if strings.ToLower(c) == low || strings.ReplaceAll(strings.ToLower(c), "_", "") == strings.NewReplacer("_", "", "-", "").Replace(low) {
			return c
		}
	}
	if syn, ok := synonyms[low]; ok {
		for _, c := range candidates {
			if c == syn {
				return c
			}
		}
	}
	best, bestCost := "", 1+len(low)/3
	for _, c := range candidates {
		cost := distance(low, strings.ToLower(c), bestCost)
		if cost < bestCost {
			best, bestCost = c, cost
		}
	}
	if best == "" && len(low) >= 4 {
		for _, c := range candidates {
			if strings.HasPrefix(strings.ToLower(c), low) || len(c) >= 4 && strings.HasSuffix(strings.ToLower(c), low) {
				if best == "" || len(c) < len(best) {
					best = c
				}
			}
		}
	}
	return best
}

// distance is the number of edits (insertion, deletion, substitution, transposition of neighbours) between a and b, or limit if
// it is at least that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		low := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			v := min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				v = min(v, prev2[j-2]+1)
			}
			cur[j] = v
			low = min(low, v)
		}
		if low >= limit {
			return limit
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return min(prev[len(b)], limit)
}

// names lists all spellings valid in a block.
func (b *blockInfo) names() []string {
	out := make([]string, 0, len(b.by))
	for n := range b.by {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// ownerWords are parts of words that decide who owns an address: an unknown word with one of them inside a VRRP block is refused.
var ownerWords = []string{"unicast", "peer", "auth", "vmac", "ipvlan", "preempt", "track", "vrf", "accept", "namespace", "netns", "priority", "virtual_router",
	"advert", "strict", "hmac", "vrid", "fault", "quorum_of", "lease", "bfd"}

// unknown reports a keyword that the block does not have.
func (d *decoder) unknown(b *blockInfo, n *node) {
	if len(d.where) == 1 {
		d.unknownRoot++
		if d.firstUnknown == nil {
			d.firstUnknown = n
		}
	}
	if len(d.list) >= maxReports {
		d.count++
		return
	}
	name := n.key.text
	if strings.IndexFunc(name, func(c rune) bool { return !oddBlank(c) }) < 0 && name != "" {
		if d.block != nil && b.vrrp() {
			d.block("a line begins with a character that only looks like a blank")
		}
		return // pointed out by the reader
	}
	if name == "{" {
		d.fatal(n, &n.key, "unexpected-block", "a block follows a keyword; is one missing or commented out?", "a block without a keyword is skipped")
		return
	}
	guess := d.guess(b, n)
	if top := d.where[0].find(name); top != nil && top.shape == shapeBlock && n.block && len(d.where) > 1 {
		guess = "" // a brace is missing above, rather than a letter wrong
	}
	hint := ""
	k := b.find(guess)
	if guess != "" {
		hint = "did you mean " + guess + "?"
		if i := strings.IndexByte(name, '='); i > 0 && guess == name[:i] {
			hint = "write " + guess + " " + name[i+1:] + ", without ="
		} else if strings.ContainsAny(name, ";:") && closest(name, []string{guess}) == guess {
			hint = "write " + guess
		}
	} else if at := elsewhere(name, b); at != "" {
		hint = name + " belongs in " + at + "; is a closing brace missing or one too many?"
	}
	near := guess != "" && !strings.HasPrefix(guess, name) // "name" is not much like namespace_with_ipsets
	if len(d.where) == 1 && (near || !n.src.yaml && (n.block || hint != "")) {
		d.nearRoot++
	}
	owner := k != nil && k.owner && !n.src.yaml
	if !owner && b.vrrp() {
		low := strings.ToLower(name)
		for _, w := range ownerWords {
			if strings.Contains(low, w) {
				owner = true
				break
			}
		}
	}
	where := ""
	if len(d.where) > 1 {
		where = " in " + b.name
	}
	// Inside VRRP blocks nothing unknown is run over; elsewhere an error is enough: the rest of the item runs at start.
	fail := func(code, hint, format string, args ...any) {
		if owner || b.vrrp() || b == scriptTable.info || b == trackFileTable.info || b == trackProcessTable.info {
			d.fatal(n, &n.key, code, hint, format, args...)
			return
		}
		sev := Error
		if d.opts.WarnOnly {
			sev = Warning
		}
		d.word(n, &n.key, sev, code, hint, format, args...)
	}
	switch {
	case n.block && guess == "" && hint == "":
		fail("unknown-block", "check the spelling; the whole block is skipped", "%q is not a block Holdfast knows%s", clip(name), where)
	case n.block:
		fail("unknown-block", hint, "%q is not a block Holdfast knows%s: all of it is skipped", clip(name), where)
	case owner:
		fail("unknown-keyword", hint, "%q is not a keyword Holdfast knows%s, and it may decide who owns an address", clip(name), where)
	case n.src.yaml:
		fail("unknown-keyword", hint, "%q is not a keyword Holdfast knows%s", clip(name), where)
	default:
		d.word(n, &n.key, Warning, "unknown-keyword", hint, "%q is not a keyword Holdfast knows%s: the line is ignored", clip(name), where)
	}
}

// guess is the keyword of the block that was probably meant.
func (d *decoder) guess(b *blockInfo, n *node) string {
	name := n.key.text
	all := b.names()
	if i := strings.IndexByte(name, '='); i > 0 && b.find(name[:i]) != nil {
		return name[:i]
	}
	if len(n.args) > 0 && b.find(name+"_"+n.args[0].text) != nil {
		return name + "_" + n.args[0].text
	}
	// A block was meant when a block was written, and the other way round.
	fit := make([]string, 0, len(all))
	for _, c := range all {
		k := b.find(c)
		takes := k.shape == shapeBlock || k.shape == shapeLines || k.shape == shapeNames
		if takes == n.block {
			fit = append(fit, c)
		}
	}
	if g := closest(name, fit); g != "" {
		return g
	}
	return closest(name, all)
}

// elsewhere names a block that has the keyword.
func elsewhere(name string, not *blockInfo) string {
	var found []string
	for _, b := range blocks {
		if b != not && b.find(name) != nil {
			found = append(found, b.name)
		}
	}
	if len(found) == 0 {
		return ""
	}
	sort.Strings(found)
	if len(found) > 3 {
		found = found[:3]
	}
	if found[0] == "" {
		found[0] = "the top level"
	}
	return strings.Join(found, ", ")
}

// vrrp says that the words of the block are about VRRP.
func (b *blockInfo) vrrp() bool {
	switch b.name {
	case "vrrp_instance", "vrrp_sync_group", "authentication", "auth_hmac":
		return true
	}
	return false
}

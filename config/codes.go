package config

import (
	"sort"
	"strings"
)

// Explanation says what a diagnostic code means.
type Explanation struct {
	Code string `json:"code"`
	// What is the matter, and why it matters.
	What string `json:"what"`
	// Do is what to do about it.
	Do string `json:"do"`
}

// Explanations lists every diagnostic code, sorted.
func Explanations() []Explanation {
	out := append([]Explanation{}, explanations...)
	sort.Slice(out, func(i, j int) bool { return out[i].Code < out[j].Code })
	return out
}

// ExplainCode gives the explanation of a code.
func ExplainCode(code string) (Explanation, bool) {
	for _, e := range explanations {
		if e.Code == code {
			return e, true
		}
	}
	return Explanation{}, false
}

// DiagnosticsMarkdown is docs/diagnostics.md.
func DiagnosticsMarkdown() string {
	var b strings.Builder
	b.WriteString("# Every diagnostic\n\nGenerated from the table of codes by `go test ./config -run Generated -update`; do not edit.\n\n" +
		"`holdfast check` ends every message with its code in brackets; `holdfast explain CODE` prints what stands here. Codes never change their meaning. What an error and a\n" +
		"warning do at the start and at a reload is in [configuration.md](configuration.md#what-happens-to-mistakes).\n\n| Code | What, and why it matters | What to do |\n|---|---|---|\n")
	for _, e := range Explanations() {
		b.WriteString("| `" + e.Code + "` | " + cell(e.What) + " | " + cell(e.Do) + " |\n")
	}
	return b.String()
}

// explanations has one row for each code; a test compares them with the codes that are used.
var explanations = []Explanation{
	// The text of the file.
	{"unreadable", "The file is missing, is a directory, may not be read or is too large. Nothing runs.", "Name another file, or correct its owner and mode."},
	{"not-text", "The file has NUL bytes in the beginning: a program, an archive, UTF-16.", "Name another file, or save it as UTF-8."},
	{"not-a-configuration", "Most of the file is no keyword at all: prose, a script, a web page, data in another format. One message instead of a hundred.", "Check which file was meant. A configuration begins with global_defs, vrrp_instance or virtual_server."},
	{"template", "The marks of a template ({{ }}, {% %}, <% %>) were never filled in.", "Render the template first and check the result."},
	{"placeholder", "A value such as <IP> or __VIP__ was never replaced.", "Put the real value there."},
	{"empty", "There is nothing in the file but comments. A daemon with it does nothing.", "Check which file was meant."},
	{"nul-byte", "A line has a NUL byte; keepalived ignores such lines without a word.", "Save the file as text."},
	{"not-utf8", "A byte is not UTF-8. Outside of names that matters to nobody; YAML cannot hold it.", "Save the file as UTF-8."},
	{"odd-blank", "A character looks like a blank and is none (U+00A0 from a web page or an editor): it is part of the word, and the line is not understood.", "Replace all of them by ordinary blanks."},
	{"comment-in-word", "# and ! begin a comment anywhere outside double quotes, also in the middle of a word: the rest of a password or path is cut off.", "Put the value in double quotes, or write \\# and \\!."},
	{"unbalanced-quote", "A quotation is not closed on its line.", "Close it."},
	{"missing-brace", "A block is never closed: everything below it is read as part of it.", "Add the } where the block ends."},
	{"extra-brace", "A } closes nothing: a block was closed too early, or an opening brace is missing above.", "Look at the indentation after holdfast fmt."},
	{"unexpected-block", "Braces where no block can be, often because the keyword before them is misspelt or commented out.", "Add the keyword, or remove the braces."},
	{"block-missing", "The keyword needs a block and has none.", "Write KEYWORD { ... }."},
	{"block-not-wanted", "The keyword takes a value and is followed by a block. Braces outside double quotes always begin or end one.", "Remove the braces, or put the value in double quotes."},
	{"extra-words", "There are more words on the line than the keyword takes. keepalived ignores them.", "Put a value with blanks in double quotes; write one keyword per line."},
	{"missing-argument", "The keyword has no value. keepalived stops at some of these, even at a reload.", "Add the value."},
	{"given-twice", "A command is given twice; the first one counts, as in keepalived.", "Remove one."},
	{"too-deep", "Blocks are nested deeper than any real file needs: usually a closing brace is missing.", "Close the blocks."},
	{"too-large", "A bound is reached: lines, files, bytes, repetitions or addresses. Nothing of the configuration is used.", "Shorten the sequence or range; look for a definition or include that multiplies."},
	{"too-long", "A name is longer than the kernel takes.", "Shorten it."},
	{"too-many", "There are more problems than are shown.", "Correct the first ones and check again."},
	{"condition-unmet", "Lines of the file are for directors with other names (@name): none of them is for this one, and what they hold is missing here.", "Name this director with -i, or correct the names; nothing if it has no lines of its own."},
	{"condition", "An @ condition without a name or without a line after it.", "Write @name, a blank, and the line."},
	{"definition-builtin", "A definition has the name of a built-in one and is never used.", "Choose another name."},
	{"definition-loop", "Definitions use each other without end.", "Break the circle."},
	{"definition-not-last", "Words after a definition of several lines: keepalived wants its use to be the last thing on a line.", "Put the rest on a line of its own."},
	{"definition-open", "The last line of a definition ends with a backslash: the file ends before the definition does.", "Remove the backslash."},
	{"undefined", "A definition is used that is not defined, or not yet. The text stays as it is.", "Define it above."},
	{"sequence", "A ~SEQ, ~SEQx or ~LST is not written as they are.", "Write ~SEQ(name, from, step, to) TEXT or ~LST(name, value, value) TEXT."},
	{"include", "An include names no file or a pattern that cannot be searched, or stands where its content has no place.", "Correct the pattern or the place."},
	{"include-missing", "An included file does not exist, or a pattern matches none. A pattern without matches is fine unless the include is strict about it.", "Create the file or correct the name."},
	{"include-unreadable", "An included file exists and cannot be used: a directory, an executable file (keepalived skips these too), no permission, or a file that includes itself.", "Correct the mode, or remove the circle."},
	{"yaml-syntax", "The document is not YAML. The line is where the reader gave up, which may be below the mistake.", "Indent with blanks, quote values that contain ': ' or ' #'."},
	{"yaml-documents", "A second document begins in the file.", "Keep one."},
	{"yaml-twice", "One map has a key twice; YAML leaves open which one counts.", "Merge the two: what may stand several times is a list."},
	{"yaml-shape", "A list, a map or a plain value stands where another one is wanted.", "See the examples in configuration.md."},
	{"not-convertible", "The other syntax cannot write this value.", "Choose another value."},
	// Words and values.
	{"unknown-keyword", "The word is no keyword at this place. keepalived ignores such lines; in YAML, and where the word may decide who owns an address, it is an error.", "Correct the spelling, or remove the line."},
	{"unknown-block", "The word before a block is no keyword at this place. The whole block is skipped; keepalived reads its lines one level above.", "Correct the spelling, or look for a brace too many above."},
	{"unknown-option", "An address, a route, a rule or a tracker has a word that is no option of it.", "Correct the spelling, or remove it."},
	{"alias", "An older spelling; it means the same.", "Nothing, or write the newer one."},
	{"obsolete", "The keyword was removed from keepalived or has no effect there any more.", "Remove it."},
	{"ignored", "An option that has no meaning here is left out.", "Remove it."},
	{"no-effect", "The keyword does nothing in this combination.", "Remove it."},
	{"not-acted-on", "The keyword is understood and carried, and Holdfast does not act on it. If it decides who owns an address, the instance does not run.", "Remove it, or keep keepalived for this instance; --warn-only runs without it."},
	{"bad-number", "A number has something else in it, or a unit that keepalived's language does not have.", "Write digits only; in YAML times may have ms, s, m or h."},
	{"out-of-range", "The number is outside what the protocol or keepalived takes.", "Choose one inside the range."},
	{"bad-value", "The word is none of those that the keyword takes.", "Choose one of them: they are listed in keywords.md."},
	{"bad-address", "No address, or a prefix length, mask or range that does not fit. Names are not looked up.", "Write addresses as numbers, a port after a blank, a mask as /24."},
	{"ipv6-off", "A virtual IPv6 address is on an interface where IPv6 is switched off: the kernel will refuse it. The instance serves its other addresses.", "Set net.ipv6.conf.INTERFACE.disable_ipv6 to 0, or remove the address."},
	{"odd-address", "The address is unspecified, loopback or multicast: no virtual router can have it.", "Write a unicast address."},
	{"family", "IPv4 and IPv6 are mixed where one is needed.", "Use addresses of one family; only TUN carries one in the other."},
	{"bad-option", "An option of a route has a value that it does not take, or stands where it cannot.", "Correct the value, or remove the option."},
	{"regex", "The expression cannot be compiled, or uses what the matcher does not have.", "Correct the expression."},
	{"rule-priority", "A policy rule without priority gets one from the kernel that is rarely meant.", "Add priority N."},
	{"not-defined", "A name is used and nothing of the name is defined.", "Define it, or correct the spelling."},
	{"defined-later", "It is defined below the place that uses it; keepalived ignores the use.", "Move the definition up if keepalived shall read the file too."},
	{"defined-twice", "Two objects have one name or one service; the second one is left out, as in keepalived.", "Merge or rename them."},
	{"unused", "It is defined and nothing uses it.", "Use it or remove it."},
	// Virtual routers.
	{"interface-missing", "An instance needs an interface (or unicast with unicast_src_ip).", "Add interface NAME."},
	{"vrid-missing", "An instance needs a virtual_router_id, the same on every director.", "Add virtual_router_id N."},
	{"vrid-clash", "Two instances on one interface have one virtual_router_id: each takes the other's adverts for its peer's.", "Choose a number that nobody uses on this network."},
	{"vmac-clash", "Two instances would have one virtual MAC on one interface: the kernel refuses the second macvlan, and switches would send to one of two places.", "Choose another virtual_router_id, another MAC, or leave use_vmac out."},
	{"priority-default", "state MASTER without a priority means 255, the owner of the addresses, which nobody can take over from by priority.", "Write a priority."},
	{"no-addresses", "The instance moves no address.", "Add virtual_ipaddress, or no_virtual_ipaddress if that is meant."},
	{"address-twice", "An address is listed twice in one instance.", "Remove one."},
	{"address-in-two", "Two instances have one address and would fight about it as soon as they are MASTER on different directors.", "Keep it in one."},
	{"mixed-family", "Addresses of two families in virtual_ipaddress: an advert carries one family only.", "Put the others in virtual_ipaddress_excluded, or in an instance of their own."},
	{"too-many-addresses", "More addresses than an advert holds: the rest are not advertised.", "Move some to virtual_ipaddress_excluded, on every director alike."},
	{"link-local-first", "The first address of an IPv6 virtual router should be link-local (RFC 9568, 5.2.9).", "Add a link-local address as the first one."},
	{"advert-fraction", "Version 2 counts whole seconds, version 3 hundredths: the interval is rounded. Directors that round differently drop each other's adverts or take over early.", "Write a value the version knows, or version 3 on every director."},
	{"auth-half", "auth_type without auth_pass or the other way round: adverts are not authenticated, and a peer that authenticates drops them.", "Write both."},
	{"auth-pass-long", "Only the first 8 bytes of auth_pass are sent and compared.", "Shorten it on every director; it is no protection anyway."},
	{"auth-version", "Version 3 has no authentication: the block is ignored, as in keepalived.", "Remove it, or see auth_hmac."},
	{"auth-family", "AH is for IPv4 only.", "Remove it."},
	{"auth-twice", "Two kinds of authentication in one instance.", "Keep one."},
	{"bad-key", "A key of auth_hmac cannot be read or has the wrong length.", "Write 32 to 64 bytes as text, hex: or file:."},
	{"key-missing", "auth_hmac without a key, or without an active one.", "Add key ID VALUE and active_key ID."},
	{"key-twice", "One key id is given twice.", "Give each key its own id."},
	{"key-readable", "Others may read the file of a key.", "chmod 600 it."},
	{"nopreempt-master", "nopreempt and preempt_delay hold although the file says state MASTER, which is but a hint; keepalived would switch them off, and the director would preempt when it returns.", "Write state BACKUP on every director."},
	{"nopreempt-owner", "Priority 255 always preempts.", "Choose a lower priority."},
	{"preempt-both", "preempt_delay means nothing with nopreempt.", "Remove one of them."},
	{"needs-nopreempt", "timer_expired_backup needs nopreempt.", "Add nopreempt, or remove it."},
	{"strict", "Strict mode contradicts another word of the instance, which is changed or refused.", "Remove vrrp_strict unless the letter of the RFC is needed."},
	{"strict-servers", "Strict mode drops packets to the virtual addresses, and one of them is the address of a virtual server: nobody reaches the service.", "Remove vrrp_strict."},
	{"no-peer", "unicast_peer is empty: adverts go to the multicast group, which many clouds do not carry, and both directors become MASTER.", "Name the other director, or add unicast_fault_no_peer."},
	{"peer-self", "This machine is listed as its own peer.", "Name the other directors only."},
	{"peer-twice", "A peer is listed twice.", "Remove one."},
	{"weight-owner", "The priority of an owner, 255, never changes: weights do nothing.", "Give a priority below 255."},
	{"weight-nopreempt", "With nopreempt on both directors a lower priority does not lose to a living peer: the failure of what is tracked moves nothing.", "Remove the weight, so that a failure is a FAULT, or remove nopreempt."},
	{"weight-clamped", "The priority cannot rise above 254: the weight does nothing.", "Lower the priority."},
	{"group-weight", "Members of a sync group ignore weights of what they track, unless the group says otherwise: a failure moves nothing.", "Add sync_group_tracking_weight to the group, or remove the weight."},
	{"group-empty", "A sync group without members, or a virtual server group without addresses.", "Add them."},
	{"group-of-one", "A sync group of one instance does nothing.", "Remove the group, or add the other instance."},
	{"group-interval", "Members of a sync group with different advert_int notice a dead master at different times: the group is torn apart for a while.", "Give all members one advert_int."},
	{"group-priority", "Members of a sync group with different priorities may prefer different directors.", "Give all members one priority."},
	{"group-preempt", "One member of a sync group preempts and the other does not.", "Write nopreempt in all members or in none."},
	{"member-twice", "A sync group names an instance twice.", "Name it once."},
	{"two-groups", "An instance is in two sync groups.", "Keep it in one."},
	{"tracked-anyway", "An instance follows its own interface without being told.", "Nothing, or remove the line."},
	{"bad-mac", "A MAC address is not six octets, or is one that no interface can have.", "Write six octets, or five and the VRID is the sixth."},
	{"vmac-rfc", "The address given is one of RFC 9568's own: the one of this VRID is used instead, as in keepalived.", "Leave it out."},
	{"ipvlan-vmac", "use_vmac and use_ipvlan exclude each other.", "Remove one of them."},
	{"ipvlan-address", "An IPv4 instance with use_ipvlan needs an address from which its adverts come.", "Write use_ipvlan ADDRESS/LENGTH."},
	{"vrf-interface", "vrf is for instances without interface; it is ignored, as in keepalived.", "Remove it: the interface's own VRF is used."},
	{"vrf-multicast", "A VRF device carries no multicast: vrf needs unicast peers.", "Add unicast_peer, or interface instead of vrf."},
	{"vrf-source", "A VRF device has no address to send from.", "Add unicast_src_ip."},
	{"vrf-vmac", "use_vmac and use_ipvlan need an interface.", "Add interface instead of vrf."},
	// The machine.
	{"no-interface", "The machine on which this runs has no such interface now. The instance waits in FAULT until it appears.", "Correct the name, or check on the director itself."},
	{"no-address", "The source address is not on this machine now.", "Correct it, or check on the director itself."},
	{"infiniband", "Gratuitous ARP is not built for InfiniBand: nobody would learn where the address is.", "Use another interface."},
	{"no-program", "The program of a script is not on this machine. A script that cannot run counts as failed.", "Install it before the daemon starts."},
	{"udp-silence", "A UDP_CHECK without require_reply ends before the kernel can notice that nobody has the address: 3 seconds.", "Make connect_timeout 4, or write require_reply."},
	{"no-file", "A file that a check needs is not on this machine. A check that cannot read it fails.", "Put it there before the daemon starts."},
	{"tls-unused", "A word about TLS in a check that does not speak TLS.", "Add tls, or write SSL_GET instead of HTTP_GET."},
	{"not-executable", "The program of a script may not be executed.", "chmod +x it."},
	{"relative-path", "The program of a script has no absolute path: what runs depends on the daemon's directory.", "Write the absolute path."},
	{"no-such-user", "The account that a script shall run as does not exist here. Often an argument of the command was taken for a user.", "Create it, or put command and arguments in double quotes."},
	{"no-such-group", "The group that a script shall run as does not exist here.", "Create it."},
	{"command-words", "After a command come only a user and a group; arguments outside quotes are taken for these.", "Put the command and its arguments in double quotes."},
	{"script-security", "The script runs as root and someone else can change it, or a directory above it: the message names the component, its owner and mode. With enable_script_security it is refused.", "Correct owner and mode, or set script_user."},
	{"persistent-stale", "With net.ipv4.vs.expire_quiescent_template=0, persistent clients stay with a server of weight 0 for the whole timeout.", "Write manage_ipvs_sysctls, or set it to 1."},
	{"udp-stale", "With net.ipv4.vs.expire_nodest_conn=0, clients of UDP stay with a server that has left the table.", "Write manage_ipvs_sysctls, or set it to 1."},
	// Virtual servers.
	{"no-servers", "A virtual server without real servers is left out, as in keepalived.", "Add a real_server."},
	{"server-twice", "A real server is listed twice; the second one is left out.", "Remove one."},
	{"server-here", "A real server is this machine itself. A backup director that is also a real server must not balance, or packets go in circles.", "See ipvs_when in load-balancing.md."},
	{"server-is-vip", "A real server has the virtual address.", "Write the server's own address."},
	{"protocol-default", "Without protocol, UDP is assumed, as in keepalived; TCP was probably meant.", "Add protocol TCP."},
	{"scheduler-default", "Without lb_algo, wlc is used.", "Write it."},
	{"method-default", "Without lb_kind, NAT is used.", "Write it."},
	{"scheduler-flag", "The flag belongs to another scheduler and does nothing.", "Remove it."},
	{"port-differs", "DR and TUN keep the port: the real server's is replaced by the virtual one, as in keepalived.", "Write the same port, or use NAT."},
	{"port-missing", "A check has no port to connect to: neither the real nor the virtual server has one.", "Add connect_port."},
	{"port-zero", "A service on every port needs persistence; 360 seconds are used.", "Add persistence_timeout."},
	{"persistence-zero", "persistence_timeout 0 is outside its range: there is no persistence.", "Remove the line."},
	{"ops-udp", "ops schedules each UDP packet; it is left out for other protocols.", "Remove it."},
	{"quorum-too-high", "The quorum is more than all servers together weigh and could never be won; the sum is used.", "Lower it."},
	{"hysteresis", "hysteresis must be below quorum.", "Lower it."},
	{"hysteresis-out-of-reach", "quorum + hysteresis is more than all servers together weigh: a quorum once lost could never be won again.", "Lower one of them, or add servers."},
	{"threshold", "lthreshold above uthreshold: the server would never take connections again.", "Swap them."},
	{"timeout-interval", "A time-out is longer than the interval: runs of a check or script that hangs come later than the interval says, and a failure is noticed later.", "Make the interval longer or the time-out shorter."},
	{"dr-not-connected", "DR rewrites the MAC address only: the real server must be on a network of the director, and is behind a router (the message names it) or on none.", "Use TUN or NAT, or give the director an address there."},
	{"nat-sync", "With NAT the servers answer to an address that is in another instance; if the two are on different directors, answers are lost.", "Put both instances in one vrrp_sync_group."},
	{"hash-weight-zero", "Hashing schedulers give a server of weight 0 its clients all the same: their connections fail.", "Add the -fallback flag, or remove inhibit_on_failure."},
	{"vip-nowhere", "No instance of the file brings the address of the virtual server.", "Add it to virtual_ipaddress, unless something else brings it."},
	{"mark-family", "A group has addresses of both families and a firewall mark of none: a mark is a service of one family.", "Write fwmark N inet, or fwmark N inet6."},
	{"fnat-conntrack", "FNAT turns on connection tracking for every virtual server of the director.", "Size net.netfilter.nf_conntrack_max."},
	{"fnat-local-vip", "A source address of FNAT is a virtual address: answers go to whichever director holds it.", "Give each director addresses of its own."},
	{"forward-address", "A check through the forwarding path of a firewall mark has no address to connect to.", "Add connect_ip with the virtual address."},
	{"forward-bind", "A check through the forwarding path cannot be bound to an interface: its packets begin inside the director.", "Remove bind_if, or use bindto."},
	{"forward-source", "A check through the forwarding path cannot come from the virtual address, which the real server has too.", "Name another address of this director."},
	{"forward-mark", "check_via forward needs a firewall mark for each real server: one is taken by a service of the file, or there are too few.", "Choose another mark, or a larger range with forward_check_marks."},
	{"bad-ports", "No list of ports and ranges.", "Write ports from 1 to 65535 and ranges, as in 80,443,8000-8010."},
	{"weight", "The kernel keeps 16 bits of a weight.", "Divide all weights by a common number."},
	{"engine", "A persistence engine that the kernel does not have, or that cannot work with this protocol or without persistence.", "Write sip with protocol UDP and persistence_timeout, or remove it."},
	{"ha-suspend-mark", "A firewall mark has no address to wait for: ha_suspend does nothing, as in keepalived.", "Remove it."},
	{"tunnel-option", "An option that this kind of tunnel does not have.", "Remove it."},
	{"impossible-address", "The address is none of a host: nothing can be balanced there or sent to it.", "Write the real address."},
	{"family-sync", "The kernel has no servers of another family while a synchronisation daemon runs.", "Remove lvs_sync_daemon, or use servers of the virtual server's family."},
	{"laddr-unused", "Local addresses are for FNAT.", "Write lb_kind FNAT, or remove the line."},
	{"fnat-local-family", "The local addresses have none of the virtual server's family: the director's own would be used.", "Add addresses of that family."},
	{"fnat-local-source", "A local address is also the source of checks: clients' connections would take their ports.", "Keep the address for one of the two."},
	{"fnat-mark", "FNAT needs an address that its source rule can match; a firewall mark has none.", "Balance an address, or use NAT, DR or TUN."},
}

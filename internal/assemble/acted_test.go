package assemble

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// elsewhere are keywords that are acted on without passing through this package's results, with the place that does.
var elsewhere = map[string]string{
	"/net_namespace":                     "cmd/holdfast: the daemon enters it before anything else",
	"global_defs/dynamic_interfaces":     "always on",
	"global_defs/forward_check_marks":    "with check_via forward: TestForwardWays",
	"global_defs/vmac_prefix":            "vmac: the name with use_vmac",
	"global_defs/vrrp_mcast_group6":      "as vrrp_mcast_group4, for IPv6",
	"global_defs/vmac_addr_prefix":       "vmac: the name with use_vmac_addr",
	"vrrp_instance/use_vmac_addr":        "vmac: for addresses on other interfaces",
	"vrrp_instance/vrf":                  "vrrp: for instances without interface",
	"vrrp_instance/accept":               "the default",
	"vrrp_instance/preempt":              "the default",
	"vrrp_instance/no_virtual_ipaddress": "config: no warning",
	"HTTP_GET/fast_recovery":             "always on: every page is fetched in every check",
	"MISC_CHECK/misc_path":               "the place has one already",
	"FILE_CHECK/track_file":              "the place has one already",
	"virtual_server/ip_family":           "config: family of a firewall mark",
}

// outcome is all that this package makes of a model, as one text.
func outcome(t *testing.T, text string) (string, config.Diagnostics) {
	t.Helper()
	m, ds := config.Parse(fstest.MapFS{"c.conf": {Data: []byte(text)}}, "/c.conf", config.Host{Hostname: "d1"}, config.Options{WarnOnly: true})
	scripts, files, processes := Tracks(m)
	master := func(string) bool { return true }
	specs := Checks(m)
	c := VRRP(m)
	all := []any{c, VirtualServers(m), specs, scripts, files, processes, Notify(m), SyncDaemons(m, master), Timeouts(m), IPVSSysctls(m), MasterOnly(m),
		StartupScript(m), ShutdownScript(m), HASuspend(m), Suspended(m, specs, c, func(vrrp.ID) bool { return false }),
		m.Global.StateDumpFile, m.Global.StatsDumpFile, m.Global.JSONDumpFile, m.Global.JSONVersion, m.Global.ReloadFile, m.Global.RouterID, m.Global.LVSFlush, m.Global.LVSFlushOnStop}
	var b strings.Builder
	for _, x := range all {
		deep(&b, reflect.ValueOf(x))
	}
	return b.String(), ds
}

// deep writes a value with all it points to, without addresses.
func deep(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
		b.WriteString("nothing ")
	case reflect.Pointer, reflect.Interface:
		deep(b, v.Elem())
	case reflect.Struct:
		if s, ok := stringer(v); ok {
			b.WriteString(s + " ")
			return
		}
		b.WriteByte('{')
		for i := range v.NumField() {
			b.WriteString(v.Type().Field(i).Name + ":")
			deep(b, v.Field(i))
		}
		b.WriteByte('}')
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			deep(b, v.Index(i))
		}
		b.WriteByte(']')
	case reflect.Map:
		var all []string
		for _, k := range v.MapKeys() {
			var e strings.Builder
			deep(&e, k)
			deep(&e, v.MapIndex(k))
			all = append(all, e.String())
		}
		sort.Strings(all)
		fmt.Fprint(b, all)
	case reflect.Func, reflect.Chan:
		fmt.Fprintf(b, "%t ", v.IsNil())
	default:
		fmt.Fprintf(b, "%v ", v)
	}
}

func stringer(v reflect.Value) (string, bool) {
	if !v.CanInterface() {
		return "", false
	}
	switch x := v.Interface().(type) {
	case netip.Addr:
		return x.String(), true
	case netip.Prefix:
		return x.String(), true
	case netip.AddrPort:
		return fmt.Sprint(x.Addr(), " ", x.Port()), true
	case *regexp.Regexp:
		return x.String(), true
	case regexp.Regexp:
		return x.String(), true
	}
	return "", false
}

// samples are values of keywords whose arguments cannot be guessed from their shape.
var samples = map[string][]string{
	"smtp_server": {"192.0.2.250 26"}, "script_user": {"daemon daemon"}, "notification_email": {"{ x@example.com }"}, "lvs_timeouts": {"tcp 5"}, "lvs_sync_daemon": {"eth5 inst VI_1 id 9"},
	"lvs_flush_on_stop": {"VS"}, "vrrp_mcast_group4": {"224.0.0.99"}, "vrrp_mcast_group6": {"ff02::99"}, "authentication": {"{ auth_type PASS\n auth_pass abc\n }"},
	"auth_type": {"PASS\n auth_pass zz", "AH\n auth_pass zz"}, "auth_pass": {"zz\n auth_type PASS"}, "mcast_dst_ip": {"224.0.0.77"}, "virtual_ipaddress": {"{\n192.0.2.77\n}"}, "virtual_ipaddress_excluded": {"{\n192.0.2.78\n}"},
	"track_interface": {"{\neth7 weight 3\n}"}, "track_script": {"{\nS\n}"}, "track_file": {"{\nF weight 2\n}", "F"}, "track_process": {"{\nP\n}"}, "track_virtual_server": {"{\n192.0.2.10:80\n}"}, "unicast_peer": {"{\n192.0.2.9\n}"},
	"virtual_routes": {"{\n10.0.0.0/8 via 192.0.2.254\n}"}, "virtual_rules": {"{\nfrom 10.0.0.0/8 table 7 priority 5\n}"}, "static_ipaddress": {"{\n192.0.2.99/24 dev eth0\n}"},
	"static_routes": {"{\n10.0.0.0/8 via 192.0.2.254\n}"}, "static_rules": {"{\nfrom 10.0.0.0/8 table 7 priority 5\n}"}, "notify_deleted": {"/bin/true"}, "lb_kind": {"TUN", "FNAT"}, "lvs_method": {"TUN"},
	"sorry_server": {"192.0.2.200 80"}, "sorry_server_lvs_method": {"TUN\n sorry_server 192.0.2.200 80"}, "sorry_server_inhibit": {"\n sorry_server 192.0.2.200 80"}, "persistence_granularity": {"255.255.0.0\n persistence_timeout 5"},
	"persistence_timeout": {"77"}, "persistence_engine": {"sip\n persistence_timeout 5"}, "ops": {"\nprotocol UDP"}, "protocol": {"SCTP"}, "lb_algo": {"sh"}, "hysteresis": {"1\n quorum 3\n weight 9"}, "quorum": {"2\n weight 9"},
	"ip_family": {""}, "real_server": {"192.0.2.55 80 {\n}"}, "virtual_server": {"192.0.2.10 81 {\n protocol TCP\n real_server 192.0.2.55 81 {\n}\n}"}, "param_match": {"initial"}, "process": {"other arg"}, "init_file": {"7"},
	"status_code": {"404"}, "digest": {"0123456789abcdef0123456789abcdef"}, "regex": {"abc"}, "regex_options": {"caseless\n regex abc"}, "regex_no_match": {"\n regex abc"}, "regex_min_offset": {"5\n regex abc"},
	"regex_max_offset": {"5\n regex abc"}, "path": {"/other"}, "url": {"{\npath /x\n}"}, "type": {"MX"}, "name": {"example.com"}, "misc_path": {"/bin/false"}, "user": {"daemon"}, "payload": {"00ff"}, "require_reply": {"01"},
	"min_reply_length": {"3\n require_reply 01"}, "max_reply_length": {"99\n require_reply 01"}, "host": {"{\nconnect_ip 192.0.2.66\n}"}, "state": {"MASTER"}, "dynamic_interfaces": {""}, "group": {"{ VI_1 }"}, "laddr_group_name": {"L"},
	"weight": {"7", "-7"}, "connect_ip": {"192.0.2.66"}, "bindto": {"192.0.2.67"}, "unicast_src_ip": {"192.0.2.68"}, "damping": {"3 60 120"}, "sh-port": {"\n lb_algo sh"}, "http_protocol": {"1.1"},
	"vrrp_garp_lower_prio_delay": {"7"}, "unicast_ttl": {"9\n unicast_peer {\n192.0.2.9\n}"}, "unicast_fault_no_peer": {"\nunicast_peer {\n}"}, "native_ipv6": {"\nno_virtual_ipaddress"},
	"vrrp_strict": {""}, "preempt_delay": {"9"}, "timer_expired_backup": {"7\n nopreempt"}, "enable_sni": {"on\n virtualhost x"}, "sni_name": {"x\n tls", "x"}, "timeout": {"0.5"}, "SSL": {"{\n certificate /x\n key /y\n}"},
	"header": {`"X-A: b"`}, "vmac_xmit_base": {"\n use_vmac"}, "vmac_prefix": {"xx"}, "bind_port": {"99\n bindto 192.0.2.67"}, "proxy_protocol": {"v1\n connect_port 9", "v2"}, "default_interface": {"eth3\n}\nstatic_ipaddress {\n192.0.2.99/24"},
	"lthreshold": {"3\n uthreshold 9"}, "startup_script_timeout": {"7\n startup_script /bin/true"}, "shutdown_script_timeout": {"7\n shutdown_script /bin/true"},
	"tls_ca": {"/x\n tls"}, "tls_cert": {"/x\n tls"}, "tls_key": {"/x\n tls", "/x\n tls_cert /y"}, "tls_min_version": {"1.3\n tls"}, "tls_verify": {"on\n tls"}, "tls_warn_expiry": {"9\n tls"},
	"HTTP_GET": {"{\n url {\n path /\n }\n}"}, "SSL_GET": {"{\n url {\n path /\n }\n}"}, "MISC_CHECK": {"{\n misc_path /bin/true\n}"}, "FILE_CHECK": {"{\n track_file F\n}"},
	"GRPC_CHECK": {"{\n}"}, "AGENT_CHECK": {"{\n}"},
	"notify_fifo": {"/run/a"}, "vrrp_notify_fifo": {"/run/a"}, "lvs_notify_fifo": {"/run/a"},
	"notify_fifo_script": {"/bin/true\n notify_fifo /run/a"}, "vrrp_notify_fifo_script": {"/bin/true\n vrrp_notify_fifo /run/a"}, "lvs_notify_fifo_script": {"/bin/true\n lvs_notify_fifo /run/a"},
}

// places are a file for each block, with %s where a keyword goes.
var places = map[string]string{
	"":                   "%s\n" + base,
	"global_defs":        "global_defs {\n%s\n}\n" + base,
	"vrrp_instance":      strings.Replace(base, "#I", "%s", 1),
	"authentication":     strings.Replace(base, "#I", "authentication {\n%s\n}", 1),
	"vrrp_sync_group":    base + "vrrp_sync_group G {\n group { VI_1 }\n%s\n}\n",
	"vrrp_script":        strings.Replace(base, "#S", "%s", 1),
	"track_file":         strings.Replace(base, "#F", "%s", 1),
	"vrrp_track_process": strings.Replace(base, "#P", "%s", 1),
	"virtual_server":     strings.Replace(base, "#V", "%s", 1),
	"real_server":        strings.Replace(base, "#R", "%s", 1),
	"HTTP_GET":           strings.Replace(base, "#R", "SSL_GET {\n url {\n path /\n }\n%s\n}", 1),
	"url":                strings.Replace(base, "#R", "SSL_GET {\n url {\n path /\n%s\n }\n}", 1),
	"TCP_CHECK":          strings.Replace(base, "#R", "TCP_CHECK {\n%s\n}", 1),
	"PING_CHECK":         strings.Replace(base, "#R", "PING_CHECK {\n%s\n}", 1),
	"SMTP_CHECK":         strings.Replace(base, "#R", "SMTP_CHECK {\n%s\n}", 1),
	"DNS_CHECK":          strings.Replace(base, "#R", "DNS_CHECK {\n%s\n}", 1),
	"MISC_CHECK":         strings.Replace(base, "#R", "MISC_CHECK {\n misc_path /bin/true\n%s\n}", 1),
	"UDP_CHECK":          strings.Replace(base, "#R", "UDP_CHECK {\n%s\n}", 1),
	"FILE_CHECK":         strings.Replace(base, "#R", "FILE_CHECK {\n track_file F\n%s\n}", 1),
	"GRPC_CHECK":         strings.Replace(base, "#R", "GRPC_CHECK {\n tls\n%s\n}", 1),
	"AGENT_CHECK":        strings.Replace(base, "#R", "AGENT_CHECK {\n%s\n}", 1),
	"SSL":                "SSL {\n%s\n}\n" + base,
	"host":               strings.Replace(base, "#R", "SMTP_CHECK {\n host {\n connect_port 26\n%s\n }\n}", 1),
}

const base = `global_defs {
 notification_email { y@example.com }
}
vrrp_script S {
 #S
 script /bin/true
}
track_file F {
 file /run/f
 #F
}
vrrp_track_process P {
 process nginx
 #P
}
local_address_group L {
 192.0.2.240
}
vrrp_instance VI_1 {
 interface eth0
 virtual_router_id 1
 priority 100
 track_script {
  S
 }
 track_file {
  F
 }
 track_process {
  P
 }
 virtual_ipaddress {
  192.0.2.10/24
 }
 #I
}
virtual_server 192.0.2.10 80 {
 protocol TCP
 lb_algo rr
 lb_kind NAT
 real_server 192.0.2.21 80 {
  TCP_CHECK {
  }
  SSL_GET {
   url {
    path /
   }
  }
  #R
 }
 #V
}
`

// values guesses arguments from what the table says of them.
func values(k config.Keyword) []string {
	if s, ok := samples[k.Name]; ok {
		return s
	}
	switch a := k.Arguments; {
	case a == "":
		return []string{""}
	case strings.HasPrefix(a, "[on"):
		return []string{"on", "off"}
	case strings.HasPrefix(a, "COMMAND"):
		return []string{"/bin/false"}
	case a == "ADDRESS":
		return []string{"192.0.2.77"}
	case strings.HasSuffix(a, "{ keywords }"):
		return []string{"{\n}", "X {\n}"}
	case strings.Contains(a, " to "):
		return []string{"2", "3", "20", "400"}
	case strings.Contains(a, ", "):
		return strings.Split(a, ", ")
	}
	return []string{"abc", "5"}
}

// A keyword that the table calls acted on changes what this package makes of a configuration. One that does so and is called merely
// understood is shown with -v.
func TestTheActedOnColumnIsTrue(t *testing.T) {
	plain := map[string]string{}
	var wrong, missing []string
	for _, k := range config.Keywords() {
		place, ok := places[k.Block]
		if !ok || k.Use == "not needed" || k.Use == "obsolete" || k.Block == "" && strings.HasSuffix(k.Arguments, "}") && (samples[k.Name] == nil || k.Name == "track_file") {
			continue
		}
		if plain[k.Block] == "" {
			plain[k.Block], _ = outcome(t, fmt.Sprintf(place, ""))
		}
		changes := false
		for _, v := range values(k) {
			got, _ := outcome(t, fmt.Sprintf(place, k.Name+" "+v))
			changes = changes || got != plain[k.Block]
		}
		name := k.Block + "/" + k.Name
		switch {
		case k.Use == "acted on" && !changes && elsewhere[name] == "":
			wrong = append(wrong, name)
		case k.Use == "understood" && changes:
			missing = append(missing, name)
		}
	}
	sort.Strings(wrong)
	sort.Strings(missing)
	if len(wrong) > 0 {
		t.Errorf("called acted on, but nothing comes of them (mark them idle in config/kw_*.go, or name who acts in elsewhere):\n%s", strings.Join(wrong, "\n"))
	}
	if len(missing) > 0 {
		t.Logf("called understood, but carried to the rooms (mark them acts once the room acts):\n%s", strings.Join(missing, "\n"))
	}
}

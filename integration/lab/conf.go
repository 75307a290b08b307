//go:build linux

package lab

import (
	"fmt"
	"strings"
)

// Conf is a director's configuration; Text gives it in keepalived's language.
type Conf struct {
	// Priority of the instance; Version of VRRP (2 or 3, default 2); Advert is advert_int (default "1").
	Priority int
	Version  int
	Advert   string
	// Instance is added to the vrrp_instance, Global to global_defs, Service to the virtual_server.
	Instance, Global, Service string
	// Weights of the real servers, in order; 0 in the list leaves that server out. Nil: all have weight 1.
	Weights []int
	// Check is the check of every real server; default: a TCP check once a second with one retry.
	Check string
	// Sorry adds the site's sorry server.
	Sorry bool
	// Scheduler is lb_algo (default rr).
	Scheduler string
	// NoVRRP leaves the instance out.
	NoVRRP bool
}

// TCPCheck and HTTPCheck are the usual checks of the suites: a second between two, one retry.
const (
	TCPCheck  = "TCP_CHECK {\n            connect_timeout 2\n            retry 1\n            delay_before_retry 1\n        }"
	HTTPCheck = "HTTP_GET {\n            url {\n                path /\n                status_code 200\n            }\n            connect_timeout 2\n            retry 1\n            delay_before_retry 1\n        }"
)

// Text is the configuration for a director of the site.
func (s *Site) Text(d *Director, c Conf) string {
	var b strings.Builder
	if c.Version == 0 {
		c.Version = 2
	}
	if c.Advert == "" {
		c.Advert = "1"
	}
	if c.Scheduler == "" {
		c.Scheduler = "rr"
	}
	if c.Check == "" {
		c.Check = TCPCheck
	}
	fmt.Fprintf(&b, "global_defs {\n    router_id %s\n    vrrp_version %d\n    vrrp_garp_master_delay 1\n%s}\n", d.Name, c.Version, indent(c.Global))
	if !c.NoVRRP {
		fmt.Fprintf(&b, "\nvrrp_instance web {\n    state BACKUP\n    interface eth0\n    virtual_router_id 51\n    priority %d\n    advert_int %s\n%s", c.Priority, c.Advert, indent(c.Instance))
		fmt.Fprintf(&b, "    virtual_ipaddress {\n        %s dev eth0\n", s.Prefix(false, 100))
		if s.Mode == NAT {
			fmt.Fprintf(&b, "        %s dev eth1\n", s.Prefix(true, gateway))
		}
		fmt.Fprintf(&b, "    }\n}\n")
	}
	if s.Mode == None {
		return b.String()
	}
	fmt.Fprintf(&b, "\nvirtual_server %s 80 {\n    delay_loop 1\n    lb_algo %s\n    lb_kind %s\n    protocol TCP\n%s", s.VIP, c.Scheduler, s.Mode, indent(c.Service))
	if c.Sorry {
		fmt.Fprintf(&b, "    sorry_server %s 80\n", s.ServerAddr(9))
	}
	for i := range s.RS {
		weight := 1
		if c.Weights != nil {
			weight = c.Weights[i]
		}
		if weight == 0 {
			continue
		}
		fmt.Fprintf(&b, "    real_server %s 80 {\n        weight %d\n        %s\n    }\n", s.ServerAddr(i+1), weight, c.Check)
	}
	fmt.Fprintf(&b, "}\n")
	return b.String()
}

func indent(text string) string {
	if text == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
}

// YAML is the same configuration as Text in YAML, with TCP checks.
func (s *Site) YAML(c Conf) string {
	var b strings.Builder
	fmt.Fprintf(&b, `global_defs:
  router_id: second
  vrrp_version: %d
  vrrp_garp_master_delay: 1s
vrrp_instance:
  - name: web
    state: BACKUP
    interface: eth0
    virtual_router_id: 51
    priority: %d
    advert_int: 1s
    virtual_ipaddress:
      - %s dev eth0
`, max(2, c.Version), c.Priority, s.Prefix(false, 100))
	if s.Mode == NAT {
		fmt.Fprintf(&b, "      - %s dev eth1\n", s.Prefix(true, gateway))
	}
	fmt.Fprintf(&b, `virtual_server:
  - address: %s
    port: 80
    delay_loop: 1s
    lb_algo: rr
    lb_kind: %s
    protocol: TCP
    real_server:
`, s.VIP, s.Mode)
	for i := range s.RS {
		fmt.Fprintf(&b, "      - address: %s\n        port: 80\n        weight: 1\n        TCP_CHECK: {connect_timeout: 2s, retry: 1, delay_before_retry: 1s}\n", s.ServerAddr(i+1))
	}
	return b.String()
}

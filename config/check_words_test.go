package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// What keepalived 2.4.3 reads without a word is read in the same sense.
func TestOddArgumentsOfChecks(t *testing.T) {
	read := func(kind, words string) (*Check, Diagnostics) {
		text := fmt.Sprintf("virtual_server 192.0.2.10 80 {\n delay_loop 7\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 192.0.2.21 80 {\n %s {\n %s\n }\n }\n}\n", kind, words)
		m, ds := Parse(fstest.MapFS{"x.conf": {Data: []byte(text)}}, "/x.conf", Host{}, Options{})
		return &m.VirtualServers[0].RealServers[0].Checks[0], ds
	}
	for words, want := range map[string]string{
		"00ff":      "00ff ffff",
		"0 1 f":     "00010f ffffff",
		`"0a 1 fF"`: "0a01ff ffffff",
		"123":       "1203 ffff",
		"xx1xX2":    "001002 00f00f",
		"x 5":       "0005 f0ff",
	} {
		c, ds := read("UDP_CHECK", "require_reply "+words)
		if got := fmt.Sprintf("%x %x", c.Reply, c.ReplyMask); got != want || ds.HasErrors() {
			t.Errorf("require_reply %s: %s, not %s\n%s", words, got, want, ds.Text(false))
		}
	}
	for _, words := range []string{"payload 0g", "payload x0", "payload 0x", "require_reply 0-", `payload ""`} {
		if _, ds := read("UDP_CHECK", words); !ds.HasErrors() {
			t.Errorf("%s: no error", words)
		}
	}
	if c, ds := read("MISC_CHECK", "misc_path /bin/true\n misc_timeout 0\n delay_before_retry +2.5"); c.Timeout != 7*time.Second || c.DelayBeforeRetry != 2500*time.Millisecond || ds.HasErrors() {
		t.Errorf("%s %s\n%s", c.Timeout, c.DelayBeforeRetry, ds.Text(false))
	}
	for _, words := range []string{"+", "++2", "+-2", "-2"} {
		if _, ds := read("PING_CHECK", "delay_before_retry "+words); !ds.HasErrors() {
			t.Errorf("delay_before_retry %s: no error", words)
		}
	}
}

func TestExplainDelayAfterBoot(t *testing.T) {
	m, ds := Parse(fstest.MapFS{"x.conf": {Data: []byte("global_defs {\n vrrp_delay_after_boot 90\n}\n" + instance(""))}}, "/x.conf", Host{}, Options{})
	if text := Explain(m, 0); !strings.Contains(text, "until the machine has been up for 90 s") || ds.HasErrors() {
		t.Error(text)
	}
}

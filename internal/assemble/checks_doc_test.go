package assemble

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
)

const aroundKeepalived = "track_file maintenance { file /run/maintenance }\nvirtual_server 192.0.2.10 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 10.0.0.11 80 {\n"

const aroundYAML = `track_file: [{name: maintenance, file: /run/maintenance}]
virtual_server:
  - address: 192.0.2.10
    port: 80
    protocol: TCP
    lb_algo: rr
    lb_kind: NAT
    real_server:
      - address: 10.0.0.11
        port: 80
`

// specOf reads one check out of a configuration.
func specOf(t *testing.T, text string) checkers.Spec {
	t.Helper()
	m, ds := config.Parse(fstest.MapFS{"etc/x": {Data: []byte(text)}}, "/etc/x", config.Host{Hostname: "d1"}, config.Options{})
	for _, d := range ds {
		if d.Severity != config.Note {
			t.Errorf("%v in\n%s", d, text)
		}
	}
	specs := Checks(m)
	if len(specs) != 1 {
		t.Fatalf("%d checks in\n%s", len(specs), text)
	}
	return specs[0]
}

// Every example of the documentation is accepted, means the same in both syntaxes, and every kind and every reason is documented.
func TestChecksDocumentation(t *testing.T) {
	b, err := os.ReadFile("../../docs/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	seen := map[checkers.Kind]bool{}
	pairs := regexp.MustCompile("(?s)```keepalived\n(.*?)```\n```yaml\n(.*?)```").FindAllStringSubmatch(doc, -1)
	for _, pair := range pairs {
		a := specOf(t, aroundKeepalived+pair[1]+"}\n}\n")
		y := specOf(t, aroundYAML+"        "+strings.TrimSpace(strings.ReplaceAll(pair[2], "\n", "\n        "))+"\n")
		if !reflect.DeepEqual(a, y) {
			t.Errorf("the syntaxes differ:\n%s\n%+v %+v\n%+v %+v", pair[1], a, a.Probe.Params, y, y.Probe.Params)
		}
		seen[a.Probe.Kind] = true
	}
	for _, k := range checkers.Kinds() {
		if !seen[k] {
			t.Errorf("no example of %s", k)
		}
	}
	for _, r := range checkers.Reasons() {
		if !strings.Contains(doc, "\n| `"+r.String()+"` | ") {
			t.Errorf("the reason %s is not documented", r)
		}
	}
}

func TestChecksBeyondKeepalived(t *testing.T) {
	s := specOf(t, aroundKeepalived+`TCP_CHECK {
		rise 2
		fall 3
		fast_interval 0.5
		damping 3 60 120
		check_share off
		send "a\r\nb"
		tls
		sni_name x.example
		tls_warn_expiry 7
	}}}`)
	want := checkers.Rules{Interval: s.Rules.Interval, Retry: s.Rules.Retry, RetryDelay: s.Rules.RetryDelay, Rise: 2, Fall: 3, FastInterval: 5e8,
		Damping: checkers.Damping{Flaps: 3, Window: 6e10, Hold: 12e10}}
	if s.Rules != want || !s.Alone {
		t.Errorf("%+v", s)
	}
	p := s.Probe.Params.(*checkers.TCPParams)
	if string(p.Send) != "a\r\nb" || p.TLS.ServerName != "x.example" || p.TLS.WarnExpiry.Hours() != 7*24 {
		t.Errorf("%q %+v", p.Send, p.TLS)
	}
}

func TestBadRegexIsRefused(t *testing.T) {
	for _, regex := range []string{`(?=x)`, `(a)\\1`, `(`} {
		_, ds := config.Parse(fstest.MapFS{"etc/x": {Data: []byte(aroundKeepalived + "HTTP_GET {\nurl {\npath /\nregex \"" + regex + "\"\n}\n}\n}\n}\n")}}, "/etc/x",
			config.Host{Hostname: "d1"}, config.Options{})
		if !ds.HasErrors() {
			t.Errorf("%s was accepted", regex)
		}
	}
}

// A tracked file is believed at once: retry of the servers is for checks that ask somebody.
func TestFileCheckHasNoRetry(t *testing.T) {
	text := strings.Replace(aroundKeepalived, "protocol TCP\n", "protocol TCP\nretry 3\ndelay_before_retry 5\n", 1) + "retry 2\nFILE_CHECK {\ntrack_file maintenance\nweight 0\n}\n}\n}\n"
	if s := specOf(t, text); s.Rules.Retry != 0 {
		t.Errorf("got %+v", s.Rules)
	}
}

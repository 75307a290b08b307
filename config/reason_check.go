package config

import (
	"path"
	"slices"
	"strings"
	"time"
)

// tlsWords are the keywords of a check that mean something to a TLS handshake only.
var tlsWords = []string{"enable_sni", "sni_name", "tls_compliant", "tls_verify", "tls_ca", "tls_cert", "tls_key", "tls_min_version", "tls_warn_expiry"}

// reasonTLS looks at what a check says about TLS: does it speak TLS at all, and are its files there.
func (d *decoder) reasonTLS(c *Check) {
	if c.Kind != SSLGet && !c.TLS {
		for _, word := range tlsWords {
			// keepalived takes its own of these words in HTTP_GET too, and nothing follows from them there either.
			if !c.Has(word) || c.Kind == HTTPGet && !strings.HasPrefix(word, "tls_") {
				continue
			}
			hint := "add tls"
			if c.Kind == HTTPGet {
				hint = "write SSL_GET"
			}
			d.point(c.At(word), Warning, "tls-unused", hint, "%s does nothing here: the check does not speak TLS", word)
		}
		return
	}
	if d.host.Stat == nil {
		return
	}
	for _, f := range []struct{ word, file string }{{"tls_ca", c.TLSCA}, {"tls_cert", c.TLSCert}, {"tls_key", c.TLSKey}} {
		if f.file == "" {
			continue
		}
		if _, err := d.host.Stat(path.Clean(f.file)); err != nil {
			d.point(c.At(f.word), Note, "no-file", "put it there before the daemon starts; a check that cannot read it fails", "%s: there is no file %s on this machine", f.word, clip(f.file))
		}
	}
}

// goodDNSName says whether a name can be asked for (RFC 1035, 2.3.4: 63 bytes a label, 255 in all on the wire).
func goodDNSName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	return name == "" || len(name) <= 253 && !slices.ContainsFunc(strings.Split(name, "."), func(label string) bool { return label == "" || len(label) > 63 })
}

// neighbourTime is how long the kernel asks for a neighbour before it says that there is none: 3 solicitations, a second apart
// (net.ipv4.neigh.default.mcast_solicit and retrans_time_ms).
const neighbourTime = 3 * time.Second

// reasonSilence names a UDP_CHECK that cannot notice a server which is gone: silence passes, and its attempts end before the kernel gives up.
func (d *decoder) reasonSilence(c *Check) {
	if c.Kind == UDPCheck && !c.RequireReply && c.ConnectTimeout <= neighbourTime {
		d.once2(c.Pos, "udp-silence", "make connect_timeout 4, or write require_reply", "silence passes, and within connect_timeout %s s the kernel does not notice that nobody has the address: a server that is gone stays in", timeText(c.ConnectTimeout, time.Second))
	}
}

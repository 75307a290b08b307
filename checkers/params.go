package checkers

import (
	"net/netip"
	"time"
)

// Params are the settings one kind of check has beyond a target: a pointer to one of the ...Params structs. They are plain data
// that can be written as JSON, which is how two are compared.
type Params interface{ params() }

func (*TCPParams) params()   {}
func (*HTTPParams) params()  {}
func (*SMTPParams) params()  {}
func (*DNSParams) params()   {}
func (*UDPParams) params()   {}
func (*MiscParams) params()  {}
func (*FileParams) params()  {}
func (*GRPCParams) params()  {}
func (*AgentParams) params() {}

// Proxy is the version of the PROXY protocol header sent first: 0 none, 1 the text form, 2 the binary form. Both say that the
// connection is the director's own (UNKNOWN, LOCAL), so that servers do not log a client.
type Proxy uint8

// TCPParams refine TCP_CHECK; all of it goes beyond keepalived.
type TCPParams struct {
	// Send is sent after the connect, empty for nothing.
	Send []byte `json:",omitempty"`
	// Expect is a regular expression that must be found in the first MaxReply bytes of the answer, empty for none.
	Expect string `json:",omitempty"`
	// MaxReply bounds what is read for Expect, 0 means 4096.
	MaxReply int `json:",omitempty"`
	// CloseRST closes with a reset instead of FIN (close rst).
	CloseRST bool `json:",omitempty"`
	// Proxy header first.
	Proxy Proxy `json:",omitempty"`
	// TLS asks for a handshake; nil for plain TCP.
	TLS *TLSParams `json:",omitempty"`
}

// HTTPParams are those of HTTP_GET and SSL_GET.
type HTTPParams struct {
	// URLs are all fetched in one attempt, in order; all must pass. At least one.
	URLs []URL
	// Protocol is "1.0" (also when empty), "1.0C", "1.1", "2" (TLS with ALPN) or "h2c" (HTTP/2 in clear text by prior knowledge).
	Protocol string `json:",omitempty"`
	// VirtualHost is the Host header where the URL has none of its own; empty: the target.
	VirtualHost string `json:",omitempty"`
	// TLS is how SSL_GET shakes hands; nil there means keepalived's way: no verification, no SNI. Ignored by HTTP_GET.
	TLS *TLSParams `json:",omitempty"`
	// Proxy header first.
	Proxy Proxy `json:",omitempty"`
	// MaxBody is how much of a body is read, 0 means 1 MiB. A larger one fails a URL that looks at its body, and is otherwise cut.
	MaxBody int `json:",omitempty"`
	// WeightHeader names a response header of the first URL that carries the server's weight: "50" or "50%".
	WeightHeader string `json:",omitempty"`
	// WeightField names a top-level field of the JSON body of the first URL that does.
	WeightField string `json:",omitempty"`
}

// URL is one request of an HTTP check.
type URL struct {
	// Path and query, "/..." .
	Path string
	// Method, empty for GET.
	Method string `json:",omitempty"`
	// VirtualHost overrides the check's.
	VirtualHost string `json:",omitempty"`
	// ServerName is the SNI where it is another than the check's (enable_sni with several names).
	ServerName string `json:",omitempty"`
	// Headers are added in order.
	Headers []Header `json:",omitempty"`
	// Body is sent with the request.
	Body []byte `json:",omitempty"`
	// Status are the accepted codes; none means 200-299, or any where Digest or Regex is set.
	Status []StatusRange `json:",omitempty"`
	// Digest is the MD5 of the body, 32 hex digits, empty for any.
	Digest string `json:",omitempty"`
	// Regex must be found in the body, empty for none. RegexOptions are keepalived's regex_options.
	Regex        string   `json:",omitempty"`
	RegexOptions []string `json:",omitempty"`
	// RegexNoMatch turns it round: it must not be found.
	RegexNoMatch bool `json:",omitempty"`
	// RegexMin and RegexMax bound where the match may start, in bytes of the body; RegexMax 0 is unbounded.
	RegexMin, RegexMax int `json:",omitempty"`
}

// Header is one line of an HTTP request.
type Header struct{ Name, Value string }

// StatusRange is a range of status codes, both ends included.
type StatusRange struct{ From, To int }

// TLSParams are how a check shakes hands.
type TLSParams struct {
	// ServerName is the SNI and, with Verify, the name the certificate must carry. Empty sends no SNI.
	ServerName string `json:",omitempty"`
	// Verify checks the chain and, when ServerName is set, the name. keepalived never does.
	Verify bool `json:",omitempty"`
	// CA is a PEM file of the roots for Verify, empty for the system's.
	CA string `json:",omitempty"`
	// Cert and Key are PEM files of a client certificate.
	Cert, Key string `json:",omitempty"`
	// Passphrase of Key, empty for none.
	Passphrase string `json:",omitempty"`
	// MinVersion is "1.0", "1.1", "1.2" or "1.3"; empty means 1.2, or 1.0 without Verify, since old servers are often only checked.
	MinVersion string `json:",omitempty"`
	// Compliant fails a connection that ends without close_notify (tls_compliant).
	Compliant bool `json:",omitempty"`
	// WarnExpiry warns when the server's certificate ends within this time. 0 does not look.
	WarnExpiry time.Duration `json:",omitempty"`
}

// SMTPParams are those of SMTP_CHECK.
type SMTPParams struct {
	// Helo is the name given, empty for keepalived's smtpchecker.keepalived.org.
	Helo string `json:",omitempty"`
	// Hosts, where there are any, are greeted one after the other instead of the probe's target (host blocks); all must pass.
	Hosts []SMTPHost `json:",omitempty"`
}

// SMTPHost is another address to greet; the fields are those of Probe.
type SMTPHost struct {
	Target, Bind netip.AddrPort
	Interface    string `json:",omitempty"`
	Mark         uint32 `json:",omitempty"`
	// Timeout for this host, 0 for the probe's.
	Timeout time.Duration `json:",omitempty"`
}

// DNSParams are those of DNS_CHECK.
type DNSParams struct {
	// Type is A, NS, CNAME, SOA, MX, TXT, AAAA, RRSIG or DNSKEY; empty means SOA.
	Type string `json:",omitempty"`
	// Name is asked for, empty means the root.
	Name string `json:",omitempty"`
	// TCP asks over TCP.
	TCP bool `json:",omitempty"`
	// RequireAnswer fails an answer without records (keepalived passes any with rcode 0).
	RequireAnswer bool `json:",omitempty"`
}

// UDPParams are those of UDP_CHECK.
type UDPParams struct {
	// Payload is sent; empty sends keepalived's text.
	Payload []byte `json:",omitempty"`
	// RequireReply makes an answer necessary; otherwise silence is success and only an ICMP error or no neighbour is a failure.
	RequireReply bool `json:",omitempty"`
	// Reply is what the answer must start with, compared under Mask (same length, 0xff counts, 0 does not). Empty for any.
	Reply, Mask []byte `json:",omitempty"`
	// MinReply and MaxReply bound the answer's length. MaxReply 0 is unbounded.
	MinReply, MaxReply int `json:",omitempty"`
}

// MiscParams are those of MISC_CHECK.
type MiscParams struct {
	// Argv is the program and its arguments.
	Argv []string `json:",omitempty"`
	// Shell, when not empty, is run by /bin/sh -c instead.
	Shell string `json:",omitempty"`
	// Dynamic makes exit 2..255 mean up with weight exit - 2.
	Dynamic bool `json:",omitempty"`
	// User and Group run it; empty means the configured script user.
	User, Group string `json:",omitempty"`
	// SupplementaryGroups gives it all groups of User (set_supplementary_groups).
	SupplementaryGroups bool `json:",omitempty"`
	// Secure refuses to run as root what others may change (enable_script_security).
	Secure bool `json:",omitempty"`
}

// FileParams are those of FILE_CHECK.
type FileParams struct {
	// Path of the tracked file.
	Path string
	// Weight multiplies the number in it and is added to the real server's weight. 0: any number but 0 is down.
	Weight int `json:",omitempty"`
	// Reverse negates it; with Weight 0 it is 0 that is down.
	Reverse bool `json:",omitempty"`
}

// GRPCParams are those of GRPC_CHECK.
type GRPCParams struct {
	// Service asked about, empty for the server as a whole.
	Service string `json:",omitempty"`
	// Authority is the :authority header, empty for the target.
	Authority string `json:",omitempty"`
	// TLS, nil for clear text.
	TLS *TLSParams `json:",omitempty"`
}

// AgentParams are those of AGENT_CHECK.
type AgentParams struct {
	// Send is sent after the connect (HAProxy's agent-send), empty for nothing.
	Send []byte `json:",omitempty"`
}

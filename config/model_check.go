package config

import "time"

// CheckMore are the settings of checks that keepalived does not have.
type CheckMore struct {
	// Rise and Fall are results in a row; 0 = 1 and retry + 1.
	Rise, Fall int
	// FastInterval is the pause between attempts while results and state disagree; 0 = delay_loop, delay_before_retry.
	FastInterval time.Duration
	// Damping holds the check down for DampingHold once it went down DampingFlaps times within DampingWindow; 0 flaps = off.
	DampingFlaps               int
	DampingWindow, DampingHold time.Duration
	// WeightSmoothing is how many percent of the way the weight moves at once; 0 = all.
	WeightSmoothing int
	// Unshared is check_share off.
	Unshared bool

	// Via is "forward" for a check that connects to the virtual address through IPVS (TCP_CHECK, HTTP_GET, SSL_GET), "" for one that
	// connects to the server itself.
	Via string

	// TCP_CHECK and AGENT_CHECK.
	Send string
	// TCP_CHECK: a regular expression; "rst" or "" for fin; TLS handshake wanted.
	Expect, Close string
	TLS           bool

	// SSL_GET, TCP_CHECK and GRPC_CHECK.
	TLSVerify                      bool
	TLSCA, TLSCert, TLSKey, TLSMin string
	TLSWarnExpiry                  time.Duration
	// ProxyProtocol of TCP and HTTP checks: 0, 1 or 2.
	ProxyProtocol int

	// HTTP_GET and SSL_GET.
	MaxBody                   int
	WeightHeader, WeightField string

	// DNS_CHECK.
	DNSOverTCP, DNSRequireAnswer bool

	// GRPC_CHECK.
	GRPCService, GRPCAuthority string
}

// URLMore are the settings of urls that keepalived does not have.
type URLMore struct {
	Method string
	// Headers are "Name: value".
	Headers []string
	Body    string
}

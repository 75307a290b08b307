package checkers

import "time"

// Kind is a kind of check, named by keepalived's keyword for it.
type Kind uint8

// The kinds of check. The zero value is none of them.
const (
	// Ping is PING_CHECK: one ICMP echo, up at the reply.
	Ping Kind = iota + 1
	// TCP is TCP_CHECK: a connect, optionally with something sent and something expected. Params: nil or *TCPParams.
	TCP
	// HTTP is HTTP_GET. Params: *HTTPParams.
	HTTP
	// SSL is SSL_GET: HTTP over TLS. Params: *HTTPParams.
	SSL
	// SMTP is SMTP_CHECK: banner, HELO, QUIT. Params: nil or *SMTPParams.
	SMTP
	// DNS is DNS_CHECK: one query. Params: nil or *DNSParams.
	DNS
	// UDP is UDP_CHECK: one datagram. Params: nil or *UDPParams.
	UDP
	// Misc is MISC_CHECK: a program's exit status. Params: *MiscParams.
	Misc
	// File is FILE_CHECK: the number in a tracked file. Params: *FileParams.
	File
	// GRPC is GRPC_CHECK: grpc.health.v1. Params: nil or *GRPCParams. Not in keepalived.
	GRPC
	// Agent is AGENT_CHECK: HAProxy's agent-check text protocol. Params: nil or *AgentParams. Not in keepalived.
	Agent
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{Ping, TCP, HTTP, SSL, SMTP, DNS, UDP, Misc, File, GRPC, Agent}
}

var kindNames = [...]string{"?", "PING_CHECK", "TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "MISC_CHECK", "FILE_CHECK", "GRPC_CHECK", "AGENT_CHECK"}

// String is the keyword.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[0]
}

// DefaultRetry is the number of further attempts after a failed one when the file does not say: 3 for DNS, 0 for scripts and
// files, else 1 (reference of keepalived 2.4.3, section 2.14).
func (k Kind) DefaultRetry() int {
	switch k {
	case DNS:
		return 3
	case Misc, File:
		return 0
	}
	return 1
}

// DefaultRetryDelay is the pause before such a further attempt when the file does not say: 3 s for HTTP, delay_loop for DNS,
// else 1 s.
func (k Kind) DefaultRetryDelay(delayLoop time.Duration) time.Duration {
	switch k {
	case HTTP, SSL:
		return 3 * time.Second
	case DNS:
		return delayLoop
	}
	return time.Second
}

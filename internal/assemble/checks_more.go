package assemble

import (
	"strings"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
)

// beyond adds to a check's rules what keepalived does not have.
func beyond(c *config.Check, r checkers.Rules) checkers.Rules {
	r.Rise, r.Fall, r.FastInterval = c.Rise, c.Fall, c.FastInterval
	r.Damping = checkers.Damping{Flaps: c.DampingFlaps, Window: c.DampingWindow, Hold: c.DampingHold}
	return r
}

// tcpParams is nil, without a type, for the plain connect.
func tcpParams(m *config.Model, c *config.Check) checkers.Params {
	p := &checkers.TCPParams{Send: bytes(c.Send), Expect: c.Expect, CloseRST: c.Close == "rst", Proxy: checkers.Proxy(c.ProxyProtocol)}
	if c.TLS {
		p.TLS = tlsParams(m, c)
		p.TLS.ServerName = c.SNIName
	} else if p.Send == nil && p.Expect == "" && !p.CloseRST && p.Proxy == 0 {
		return nil
	}
	return p
}

func grpcParams(m *config.Model, c *config.Check) *checkers.GRPCParams {
	p := &checkers.GRPCParams{Service: c.GRPCService, Authority: c.GRPCAuthority}
	if c.TLS {
		p.TLS = tlsParams(m, c)
		p.TLS.ServerName = c.SNIName
	}
	return p
}

// tlsParams are the check's own files, or those of the SSL block.
func tlsParams(m *config.Model, c *config.Check) *checkers.TLSParams {
	t := &checkers.TLSParams{Cert: m.SSL.Certificate, Key: m.SSL.Key, Passphrase: m.SSL.Password, CA: m.SSL.CA, Compliant: c.TLSCompliant,
		Verify: c.TLSVerify, MinVersion: c.TLSMin, WarnExpiry: c.TLSWarnExpiry}
	if c.TLSCert != "" {
		t.Cert, t.Key = c.TLSCert, c.TLSKey
	}
	if c.TLSCA != "" {
		t.CA = c.TLSCA
	}
	return t
}

func headers(lines []string) []checkers.Header {
	var out []checkers.Header
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		out = append(out, checkers.Header{Name: name, Value: strings.TrimSpace(value)})
	}
	return out
}

func bytes(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

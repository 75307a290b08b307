package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// certificate makes a self-signed one for these names and writes it, with its key, as PEM files.
func certificate(t *testing.T, life time.Duration, names ...string) (pair tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err = tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return pair, certFile, keyFile
}

// secure serves HTTP/1 and HTTP/2 over TLS and answers with the SNI it saw.
func secure(t *testing.T, config *tls.Config) netip.AddrPort {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "sni=%s proto=%s", r.TLS.ServerName, r.Proto)
	}))
	s.Config.ErrorLog = discard()
	s.TLS = config
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

func TestTLS(t *testing.T) {
	good, ca, key := certificate(t, 90*24*time.Hour, "www.example", "second.example")
	_, otherCA, _ := certificate(t, time.Hour, "other.example")
	ending, endingCA, _ := certificate(t, 48*time.Hour, "ending.example")
	over, overCA, _ := certificate(t, -time.Minute, "over.example")
	plain := serve(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	silent := serve(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	resetting := serve(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 100))
		_ = c.SetLinger(0)
	})
	closing := serve(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 10000))
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
	asks := secure(t, &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12})
	at := secure(t, &tls.Config{Certificates: []tls.Certificate{good}})
	old := secure(t, &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10})
	for _, row := range []struct {
		name   string
		target netip.AddrPort
		tls    *checkers.TLSParams
		http   func(p *checkers.HTTPParams)
		want   checkers.Reason
		warns  bool
	}{
		{name: "as keepalived: nothing verified, no SNI", target: at, http: func(p *checkers.HTTPParams) { p.URLs[0].Regex = "sni= proto=HTTP/1.0" }},
		{name: "SNI", target: at, tls: &checkers.TLSParams{ServerName: "any.example"}, http: func(p *checkers.HTTPParams) { p.URLs[0].Regex = "sni=any.example" }},
		{name: "SNI of the url", target: at, tls: &checkers.TLSParams{ServerName: "any.example"}, http: func(p *checkers.HTTPParams) {
			p.URLs[0].ServerName, p.URLs[0].Regex = "other.example", "sni=other.example"
		}},
		{name: "HTTP/2", target: at, http: func(p *checkers.HTTPParams) { p.Protocol = "2"; p.URLs[0].Regex = "proto=HTTP/2.0" }},
		{name: "h2c where there is TLS", target: at, http: func(p *checkers.HTTPParams) { p.Protocol = "h2c"; p.URLs[0].Regex = "proto=HTTP/2.0" }},
		{name: "HTTP/1.1", target: at, http: func(p *checkers.HTTPParams) { p.Protocol = "1.1"; p.URLs[0].Regex = "proto=HTTP/1.1" }},
		{name: "verified", target: at, tls: &checkers.TLSParams{Verify: true, CA: ca, ServerName: "second.example"}},
		{name: "verified without a name", target: at, tls: &checkers.TLSParams{Verify: true, CA: ca}},
		{name: "verified, other name", target: at, tls: &checkers.TLSParams{Verify: true, CA: ca, ServerName: "third.example"}, want: checkers.Certificate},
		{name: "verified, other CA", target: at, tls: &checkers.TLSParams{Verify: true, CA: otherCA, ServerName: "www.example"}, want: checkers.Certificate},
		{name: "other CA without a name", target: at, tls: &checkers.TLSParams{Verify: true, CA: otherCA}, want: checkers.Certificate},
		{name: "over", target: secure(t, &tls.Config{Certificates: []tls.Certificate{over}}), tls: &checkers.TLSParams{Verify: true, CA: overCA}, want: checkers.Certificate},
		{name: "over, not verified", target: secure(t, &tls.Config{Certificates: []tls.Certificate{over}})},
		{name: "ends soon", target: secure(t, &tls.Config{Certificates: []tls.Certificate{ending}}),
			tls: &checkers.TLSParams{Verify: true, CA: endingCA, WarnExpiry: 7 * 24 * time.Hour}, warns: true},
		{name: "does not end soon", target: at, tls: &checkers.TLSParams{WarnExpiry: 7 * 24 * time.Hour}},
		{name: "wants a client certificate and gets none", target: asks, want: checkers.TLS},
		{name: "wants a client certificate", target: asks, tls: &checkers.TLSParams{Cert: ca, Key: key}},
		{name: "missing CA file", target: at, tls: &checkers.TLSParams{CA: "/nonexistent"}, want: checkers.Invalid},
		{name: "missing key file", target: at, tls: &checkers.TLSParams{Cert: ca, Key: "/nonexistent"}, want: checkers.Invalid},
		{name: "unknown version", target: at, tls: &checkers.TLSParams{MinVersion: "4"}, want: checkers.Invalid},
		{name: "TLS 1.0 server", target: old},
		{name: "TLS 1.0 server, 1.2 wanted", target: old, tls: &checkers.TLSParams{MinVersion: "1.2"}, want: checkers.TLS},
		{name: "not TLS", target: plain, want: checkers.TLS},
		{name: "never finishes", target: silent, want: checkers.Timeout},
		{name: "resets", target: resetting, want: checkers.Reset},
		{name: "closes", target: closing, want: checkers.Closed},
	} {
		t.Run(row.name, func(t *testing.T) {
			params := get(checkers.URL{Path: "/"})
			params.TLS = row.tls
			if row.http != nil {
				row.http(params)
			}
			timeout := 10 * time.Second
			if row.want == checkers.Timeout {
				timeout = 300 * time.Millisecond
			}
			r := attempt(t, checkers.Probe{Kind: checkers.SSL, Target: row.target, Timeout: timeout, Params: params})
			expect(t, r, row.want)
			if (r.Warning != "") != row.warns {
				t.Errorf("warning %q", r.Warning)
			}
		})
	}
}

// tls_compliant tells a connection that ends as it should from one that is cut.
func TestTLSCompliant(t *testing.T) {
	pair, _, _ := certificate(t, time.Hour, "www.example")
	for _, polite := range []bool{true, false} {
		at := serve(t, func(c *net.TCPConn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})
			buf := make([]byte, 1000)
			if _, err := s.Read(buf); err != nil {
				return
			}
			_, _ = io.WriteString(s, "HTTP/1.0 200 OK\r\n\r\nhello")
			if polite {
				_ = s.CloseWrite()
			} else {
				_ = c.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, c)
		})
		for _, compliant := range []bool{true, false} {
			params := get(checkers.URL{Path: "/", Regex: "hello"})
			params.TLS = &checkers.TLSParams{Compliant: compliant}
			r := attempt(t, checkers.Probe{Kind: checkers.SSL, Target: at, Params: params})
			if want := polite || !compliant; r.OK != want {
				t.Errorf("polite %v, compliant wanted %v: %v %s %s", polite, compliant, r.OK, r.Reason, r.Detail)
			}
		}
	}
}

// A renewed CA or client certificate is read without a reload.
func TestTLSFilesAreReadAgain(t *testing.T) {
	first, ca, _ := certificate(t, time.Hour, "www.example")
	_, other, _ := certificate(t, time.Hour, "www.example")
	at := secure(t, &tls.Config{Certificates: []tls.Certificate{first}})
	p := New(Options{})
	defer p.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	params := get(checkers.URL{Path: "/"})
	params.TLS = &checkers.TLSParams{Verify: true, CA: file}
	what := &checkers.Probe{Kind: checkers.SSL, Target: at, Params: params, Timeout: 10 * time.Second}
	copyFile := func(from string) {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, made := range p.files.made {
			made.looked, made.stamps = time.Time{}, [3]stamp{}
		}
	}
	copyFile(other)
	expect(t, p.Probe(t.Context(), what), checkers.Certificate)
	copyFile(ca)
	expect(t, p.Probe(t.Context(), what), checkers.OK)
}

func TestTCPWithTLS(t *testing.T) {
	pair, ca, _ := certificate(t, time.Hour, "mail.example")
	at := serve(t, func(c *net.TCPConn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})
		_, _ = io.WriteString(s, "* OK IMAP ready\r\n")
		_, _ = io.Copy(io.Discard, s)
	})
	for name, row := range map[string]struct {
		params checkers.TCPParams
		want   checkers.Reason
	}{
		"handshake only": {checkers.TCPParams{TLS: &checkers.TLSParams{}}, checkers.OK},
		"greeting":       {checkers.TCPParams{TLS: &checkers.TLSParams{Verify: true, CA: ca, ServerName: "mail.example"}, Expect: `^\* OK`}, checkers.OK},
		"wrong name":     {checkers.TCPParams{TLS: &checkers.TLSParams{Verify: true, CA: ca, ServerName: "www.example"}}, checkers.Certificate},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, attempt(t, checkers.Probe{Kind: checkers.TCP, Target: at, Params: &row.params}), row.want)
		})
	}
}

func TestTLSDetailIsOneLine(t *testing.T) {
	r := attempt(t, checkers.Probe{Kind: checkers.SSL, Target: serve(t, func(c *net.TCPConn) { _, _ = io.WriteString(c, "220 hello there\r\n") }), Params: get(checkers.URL{Path: "/"})})
	if strings.ContainsAny(r.Detail, "\r\n") {
		t.Errorf("%q", r.Detail)
	}
}

package notify

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// relay is an SMTP server for one mail after the other.
type relay struct {
	addr string
	// offer are the extensions it names in clear text and behind TLS.
	offer, secured []string
	cert           *tls.Config
	// implicit: TLS from the first byte on.
	implicit bool
	// seen delivers what every connection said, "TLS" where the encryption began.
	seen chan string
}

func newRelay(t *testing.T, r *relay) *relay {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r.addr, r.seen = l.Addr().String(), make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c)
		}
	}()
	return r
}

func (r *relay) serve(c net.Conn) {
	var all strings.Builder
	defer func() { r.seen <- all.String() }()
	defer func() { c.Close() }()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	offer := r.offer
	if r.implicit {
		c = tls.Server(c, r.cert)
		all.WriteString("TLS\n")
	}
	in := bufio.NewReader(c)
	fmt.Fprint(c, "220 relay\r\n")
	for data := false; ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		all.WriteString(line)
		switch {
		case data && line == ".\r\n":
			data = false
			fmt.Fprint(c, "250 taken\r\n")
		case data:
		case strings.HasPrefix(line, "EHLO"):
			fmt.Fprint(c, "250-relay\r\n")
			for _, o := range offer {
				fmt.Fprint(c, "250-"+o+"\r\n")
			}
			fmt.Fprint(c, "250 HELP\r\n")
		case strings.HasPrefix(line, "STARTTLS"):
			fmt.Fprint(c, "220 go\r\n")
			s := tls.Server(c, r.cert)
			if s.Handshake() != nil {
				return
			}
			all.WriteString("TLS\n")
			c, in, offer = s, bufio.NewReader(s), r.secured
		case strings.HasPrefix(line, "AUTH"):
			fmt.Fprint(c, "235 welcome\r\n")
		case strings.HasPrefix(line, "DATA"):
			data = true
			fmt.Fprint(c, "354 go\r\n")
		case strings.HasPrefix(line, "QUIT"):
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "250 ok\r\n")
		}
	}
}

// certificate is one for 127.0.0.1, and the file of who signed it.
func certificate(t *testing.T) (*tls.Config, string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "relay"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

func TestSendMail(t *testing.T) {
	r := newRelay(t, &relay{offer: []string{"8BITMIME"}})
	conf := Mail{Server: r.addr, From: "LB one <lb@example.org>", To: []string{"a@example.org", "<b@example.org>"}, Helo: "lb1", Timeout: 20 * time.Second}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := sendMail(context.Background(), conf, "[R1] x\r\nBcc: evil@example.org", "one\n.two", at); err != nil {
		t.Fatal(err)
	}
	text := <-r.seen
	for _, want := range []string{"EHLO lb1\r\n", "MAIL FROM:<lb@example.org>", "RCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n", "Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n",
		"From: \"LB one\" <lb@example.org>\r\n", "Subject: [R1] x  Bcc: evil@example.org\r\n", "X-Mailer: Holdfast\r\n", "To: <a@example.org>, <b@example.org>\r\n", "\r\n\r\none\r\n..two", "\r\n.\r\nQUIT\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in what the relay saw:\n%s", want, text)
		}
	}
	if strings.Contains(text, "\r\nBcc:") || strings.Contains(text, "STARTTLS") || strings.Contains(text, "AUTH") {
		t.Errorf("the relay saw\n%s", text)
	}
}

func TestMailOverTLSWithALogin(t *testing.T) {
	cert, ca := certificate(t)
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	login := base64.StdEncoding.EncodeToString([]byte("\x00lb\x00open sesame"))
	at := time.Now()
	send := func(r *relay, change func(*Mail)) (string, error) {
		conf := Mail{Server: r.addr, From: "root", To: []string{"noc"}, Timeout: 20 * time.Second, CA: ca, User: "lb", Password: "file:" + secret}
		change(&conf)
		err := sendMail(context.Background(), conf, "[R1] x", "body", at)
		return <-r.seen, err
	}
	able := newRelay(t, &relay{offer: []string{"STARTTLS"}, secured: []string{"AUTH PLAIN LOGIN"}, cert: cert})
	for _, mode := range []string{"starttls", "opportunistic"} {
		text, err := send(able, func(m *Mail) { m.TLS = mode })
		before, after, encrypted := strings.Cut(text, "TLS\n")
		if err != nil || !encrypted || strings.Contains(before, "MAIL") || !strings.Contains(after, login) || !strings.Contains(after, "RCPT TO:<noc@") {
			t.Errorf("%s: %v, the relay saw\n%s", mode, err, text)
		}
	}
	wrapped := newRelay(t, &relay{offer: []string{"AUTH PLAIN"}, cert: cert, implicit: true})
	if text, err := send(wrapped, func(m *Mail) { m.TLS = "tls" }); err != nil || !strings.HasPrefix(text, "TLS\nEHLO") || !strings.Contains(text, login) {
		t.Errorf("TLS from the first byte on: %v\n%s", err, text)
	}
	if text, err := send(able, func(m *Mail) { m.TLS, m.CA = "starttls", "" }); err == nil || strings.Contains(text, "MAIL") {
		t.Errorf("a certificate nobody vouches for: %v\n%s", err, text)
	}
	unable := newRelay(t, &relay{offer: []string{"AUTH PLAIN"}})
	if text, err := send(unable, func(m *Mail) { m.TLS = "starttls" }); err == nil || strings.Contains(text, "MAIL") {
		t.Errorf("a relay without TLS: %v\n%s", err, text)
	}
	if text, _ := send(unable, func(m *Mail) { m.TLS = "off" }); strings.Contains(text, login) {
		t.Errorf("the password in clear text:\n%s", text)
	}
	if text, err := send(unable, func(m *Mail) { m.TLS, m.User = "opportunistic", "" }); err != nil || !strings.Contains(text, "MAIL FROM") {
		t.Errorf("clear text where the relay has nothing else: %v\n%s", err, text)
	}
}

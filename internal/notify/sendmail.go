package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// sendMail hands one mail to the relay: in clear text and without a login as keepalived does, unless conf asks for more. Secrets and certificates are read when
// they are needed, so that new ones count without a reload.
func sendMail(ctx context.Context, conf Mail, subject, body string, at time.Time) error {
	msg, err := message(conf, subject, body, at)
	if err != nil {
		return err
	}
	var conn net.Conn
	c, err := client(conf, &conn)
	if err != nil {
		return err
	}
	err = c.DialAndSendWithContext(ctx, msg)
	if conn != nil {
		conn.Close() // a dialogue that fails early leaves it open (go-mail 0.8.1)
	}
	return err
}

// message is the mail (RFC 5322), with keepalived's headers.
func message(conf Mail, subject, body string, at time.Time) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP))
	if err := m.From(mailbox(conf.From)); err != nil {
		return nil, fmt.Errorf("notification_email_from %q: %w", conf.From, err)
	}
	for _, to := range conf.To {
		if err := m.AddTo(mailbox(to)); err != nil {
			return nil, fmt.Errorf("notification_email %q: %w", to, err)
		}
	}
	m.SetDateWithValue(at)
	m.Subject(oneLine(subject))
	m.SetGenHeader(mail.HeaderXMailer, "Holdfast")
	m.SetMessageID()
	m.SetBodyString(mail.TypeTextPlain, body)
	return m, nil
}

// mailbox completes a local user's name: a relay wants to know where.
func mailbox(s string) string {
	if s = oneLine(s); strings.Contains(s, "@") {
		return s
	}
	return strings.Trim(s, "<> ") + "@" + hostname()
}

func hostname() string {
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// client is how the relay is spoken to; conn will be the connection.
func client(conf Mail, conn *net.Conn) (*mail.Client, error) {
	host, port, err := net.SplitHostPort(conf.Server)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("port of the relay: %w", err)
	}
	helo := conf.Helo
	if helo == "" {
		helo = hostname()
	}
	options := []mail.Option{mail.WithPort(n), mail.WithTimeout(conf.Timeout), mail.WithHELO(helo), mail.WithoutNoop(), mail.WithoutRset(), mail.WithoutSMTPUTF8()}
	policy := mail.NoTLS
	switch conf.TLS {
	case "opportunistic":
		policy = mail.TLSOpportunistic
	case "starttls":
		policy = mail.TLSMandatory
	case "tls":
		options = append(options, mail.WithSSL())
	}
	options = append(options, mail.WithTLSPolicy(policy))
	trust := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if conf.CA != "" {
		pem, err := os.ReadFile(conf.CA)
		if err != nil {
			return nil, fmt.Errorf("smtp_tls_ca: %w", err)
		}
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("smtp_tls_ca %s holds no certificate in PEM", conf.CA)
		}
	}
	options = append(options, mail.WithTLSConfig(trust))
	if conf.TLS != "tls" { // with a dialer of ours the library would not know that the connection is encrypted
		dialer := &net.Dialer{Timeout: conf.Timeout}
		options = append(options, mail.WithDialContextFunc(func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			if err == nil {
				*conn = c
			}
			return c, err
		}))
	}
	if conf.User != "" {
		password := conf.Password
		if file, ok := strings.CutPrefix(password, "file:"); ok {
			b, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("smtp_password: %w", err)
			}
			password = strings.TrimRight(string(b), "\r\n")
		}
		// Auto discovery never says a password in clear text over a connection that is not encrypted.
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(conf.User), mail.WithPassword(password))
	}
	return mail.NewClient(host, options...)
}

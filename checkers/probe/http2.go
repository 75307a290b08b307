package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// fetch2 speaks HTTP/2 over conn, which has agreed on it by ALPN or is clear text to a server that knows (RFC 9113, 3.2 and 3.3).
func fetch2(ctx context.Context, conn net.Conn, what *checkers.Probe, params *checkers.HTTPParams, u *checkers.URL, r *checkers.Result, start time.Time, body *bodyReader) (answer, error) {
	method := u.Method
	if method == "" {
		method = http.MethodGet
	}
	req := (&http.Request{Method: method, Header: http.Header{"User-Agent": {userAgent}}, Host: hostOf(what, params, u),
		URL: &url.URL{Host: hostOf(what, params, u)}}).WithContext(ctx)
	req.URL.Path, req.URL.RawQuery, _ = strings.Cut(pathOf(u), "?")
	if path, err := url.PathUnescape(req.URL.Path); err == nil {
		req.URL.RawPath, req.URL.Path = req.URL.Path, path
	}
	if has(u.Headers, "User-Agent") {
		req.Header.Del("User-Agent")
	}
	for _, h := range u.Headers {
		switch {
		case strings.EqualFold(h.Name, "Host"):
			req.Host = h.Value
		default:
			req.Header.Add(h.Name, h.Value)
		}
	}
	if len(u.Body) > 0 {
		req.Body, req.ContentLength = bodyOf(u.Body), int64(len(u.Body))
	}
	resp, err := roundTrip2(conn, req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	r.Latency.FirstByte = time.Since(start)
	a := answer{status: resp.StatusCode, weight: headerOf(resp, body)}
	a.body, err = body.read(resp.Body)
	if err == nil && a.body.long && body.looks() {
		return a, tooLong(body)
	}
	return a, http2Error(err)
}

type closingBody struct{ *bytes.Reader }

func (closingBody) Close() error { return nil }

func bodyOf(b []byte) closingBody { return closingBody{bytes.NewReader(b)} }

// roundTrip2 sends one request over a connection of its own.
func roundTrip2(conn net.Conn, req *http.Request) (*http.Response, error) {
	var once sync.Once
	dial := func(context.Context, string, string) (c net.Conn, err error) {
		err = errors.New("one connection is all there is")
		once.Do(func() { c, err = conn, nil })
		return c, err
	}
	t := &http.Transport{DialContext: dial, DialTLSContext: dial, DisableCompression: true, MaxResponseHeaderBytes: maxHeader, Protocols: new(http.Protocols)}
	scheme := "http"
	if _, encrypted := conn.(*tls.Conn); encrypted {
		scheme = "https"
		t.Protocols.SetHTTP2(true)
	} else {
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	req.URL.Scheme = scheme
	cc, err := t.NewClientConn(req.Context(), scheme, "one:1")
	if err != nil {
		return nil, http2Error(err)
	}
	resp, err := cc.RoundTrip(req)
	return resp, http2Error(err)
}

// http2Error names what is not HTTP/2; errors of the network stay what they are. net/http does not export the types.
func http2Error(err error) error {
	if err == nil {
		return nil
	}
	for _, closed := range []string{"client conn could not be established", "client connection lost", "client conn is closed", "client conn not usable"} {
		if strings.Contains(err.Error(), closed) {
			return io.ErrUnexpectedEOF
		}
	}
	if notHTTP(err) {
		return &badAnswer{checkers.Protocol, "the answer is not HTTP/2: " + err.Error()}
	}
	return err
}

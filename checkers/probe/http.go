package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

const (
	// userAgent is keepalived's: access logs and filters of servers know it.
	userAgent = "KeepAliveClient"
	// maxHeader is enough for any server, and little: parsed, thousands of short headers take 25 times their bytes.
	maxHeader   = 32 << 10
	defaultBody = 1 << 20
)

// http fetches every URL in turn, each over its own connection and within its own limit.
func (p *Prober) http(ctx context.Context, what *checkers.Probe) checkers.Result {
	params, _ := what.Params.(*checkers.HTTPParams)
	if params == nil || len(params.URLs) == 0 {
		return checkers.Fail(checkers.Invalid, "no url to fetch")
	}
	all, noWeight := checkers.Pass(), ""
	for i := range params.URLs {
		r, unsaid := p.fetch(ctx, what, params, &params.URLs[i])
		all.Latency.Connect += r.Latency.Connect
		all.Latency.TLS += r.Latency.TLS
		all.Latency.FirstByte += r.Latency.FirstByte
		if !r.OK {
			r.Latency = all.Latency
			if r.Warning == "" {
				r.Warning = all.Warning
			}
			if len(params.URLs) > 1 || r.Reason == checkers.Status {
				r.Detail = params.URLs[i].Path + ": " + r.Detail
			}
			return r
		}
		if all.Warning == "" {
			all.Warning = r.Warning
		}
		if all.Weight.Mode == checkers.NoWeight {
			all.Weight = r.Weight
		}
		if noWeight == "" {
			noWeight = unsaid
		}
	}
	if all.Weight.Mode == checkers.NoWeight && all.Warning == "" {
		all.Warning = noWeight
	}
	return all
}

// answer is what a URL is judged by.
type answer struct {
	status int
	// weight is the header of that name, where it was asked for.
	weight string
	body   passed
	// sum is the body's digest, where it was asked for.
	sum string
}

func (p *Prober) fetch(ctx context.Context, what *checkers.Probe, params *checkers.HTTPParams, url *checkers.URL) (out checkers.Result, noWeight string) {
	r := checkers.Pass()
	defer sofar(&out, &r)
	ctx, cancel := context.WithTimeout(ctx, what.StepLimit())
	defer cancel()
	start := time.Now()
	c, err := dialTCP(ctx, what)
	if err != nil {
		return failed(what, "connect", err), ""
	}
	defer c.Close()
	r.Latency.Connect = time.Since(start)
	defer guard(ctx, c)()
	if head := proxyHeader(params.Proxy); head != nil {
		if _, err := c.Write(head); err != nil {
			return failed(what, "send the PROXY header", err), ""
		}
	}
	var conn net.Conn = c
	var compliant *cutConn
	if what.Kind == checkers.SSL {
		alpn := []string{"http/1.1"}
		if twofold(params.Protocol) {
			alpn = []string{"h2"}
		}
		if params.TLS != nil && params.TLS.Compliant {
			compliant = &cutConn{Conn: c}
			conn = compliant
		}
		how := params.TLS
		if how != nil && url.ServerName != "" {
			other := *how
			other.ServerName = url.ServerName
			how = &other
		}
		t, bad := p.handshake(ctx, what, conn, how, alpn, &r)
		if t == nil {
			return bad, ""
		}
		conn = t
	}
	body := &bodyReader{room: &p.room, max: bodyLimit(params), whole: needsBody(params, url), from: url.RegexMin, header: params.WeightHeader}
	defer body.release()
	if url.Digest != "" {
		body.sum = md5.New()
	}
	if url.Regex != "" {
		if body.find, err = checkers.CompileRegex(url.Regex, url.RegexOptions); err != nil {
			return checkers.Fail(checkers.Invalid, err.Error()), ""
		}
	}
	var a answer
	if twofold(params.Protocol) {
		a, err = fetch2(ctx, conn, what, params, url, &r, start, body)
	} else {
		a, err = fetch1(conn, what, params, url, &r, start, compliant, body)
	}
	if err != nil {
		var bad *badAnswer
		if errors.As(err, &bad) {
			return checkers.Fail(bad.reason, bad.detail), ""
		}
		return failed(what, "wait for the answer", err), ""
	}
	if body.sum != nil {
		a.sum = hex.EncodeToString(body.sum.Sum(nil))
	}
	if bad := judge(url, body.find, &a); !bad.OK {
		return bad, ""
	}
	r.Weight, noWeight = weightOf(params, &a)
	return r, noWeight
}

// twofold says that the version is HTTP/2: over TLS it is agreed on by ALPN, in clear text the server has to know.
func twofold(version string) bool { return version == "2" || version == "h2c" }

// badAnswer is an answer that is not HTTP, or not bounded.
type badAnswer struct {
	reason checkers.Reason
	detail string
}

func (b *badAnswer) Error() string { return b.detail }

// readers are buffers to use again: nothing of an answer refers to them once it was read.
var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// fetch1 speaks HTTP/1 over conn.
func fetch1(conn net.Conn, what *checkers.Probe, params *checkers.HTTPParams, url *checkers.URL, r *checkers.Result, start time.Time, compliant *cutConn, body *bodyReader) (answer, error) {
	if _, err := conn.Write(request1(what, params, url)); err != nil {
		return answer{}, err
	}
	limited := &io.LimitedReader{R: conn, N: maxHeader}
	var in io.Reader = limited
	if what.Kind == checkers.SSL && compliant == nil {
		in = lenient{limited}
	}
	br := readers.Get().(*bufio.Reader)
	br.Reset(in)
	defer func() { br.Reset(nil); readers.Put(br) }()
	if _, err := br.Peek(1); err != nil {
		return answer{}, err
	}
	r.Latency.FirstByte = time.Since(start)
	a, err := readAnswer(br, limited, url.Method, body)
	if err == nil && compliant != nil {
		// Only the end of the stream shows whether close_notify comes before it.
		if _, err := io.Copy(io.Discard, io.LimitReader(conn, defaultBody)); err != nil || compliant.cut {
			return a, &badAnswer{checkers.TLS, "the server closed without close_notify"}
		}
	}
	return a, err
}

// readAnswer reads one HTTP/1 response from br, which reads from limited: at most maxHeader before the body and of that what
// body takes.
func readAnswer(br *bufio.Reader, limited *io.LimitedReader, method string, body *bodyReader) (answer, error) {
	if method == "" {
		method = http.MethodGet
	}
	resp, err := http.ReadResponse(br, &http.Request{Method: method})
	// Any number of 1xx answers come before the real one (RFC 9110, 15.2); all together have the room of one.
	for err == nil && resp.StatusCode >= 100 && resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		resp, err = http.ReadResponse(br, &http.Request{Method: method})
	}
	if err != nil {
		if limited.N <= 0 {
			return answer{}, &badAnswer{checkers.TooLong, fmt.Sprintf("more than %d bytes of headers", maxHeader)}
		}
		if notHTTP(err) {
			return answer{}, &badAnswer{checkers.Protocol, "the answer is not HTTP: " + err.Error()}
		}
		return answer{}, err
	}
	limited.N = int64(body.max) + maxHeader
	a := answer{status: resp.StatusCode, weight: headerOf(resp, body)}
	a.body, err = body.read(resp.Body)
	if err != nil {
		if notHTTP(err) {
			return a, &badAnswer{checkers.Protocol, "the body is not as announced: " + err.Error()}
		}
		return a, err
	}
	if a.body.long && body.looks() {
		return a, tooLong(body)
	}
	return a, nil
}

// headerOf takes the one header that matters and lets go of the others: the body may take long.
func headerOf(resp *http.Response, body *bodyReader) string {
	value := ""
	if body.header != "" {
		value = strings.Clone(resp.Header.Get(body.header))
	}
	resp.Header = nil
	return value
}

func tooLong(body *bodyReader) error {
	return &badAnswer{checkers.TooLong, fmt.Sprintf("the body is longer than %d bytes (max_body)", body.max)}
}

// notHTTP tells what the parser dislikes from what the network did.
func notHTTP(err error) bool {
	var n net.Error
	return !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.Canceled) && !errors.As(err, &n) && !ofTLS(err)
}

// cutConn notices the end of the TCP stream below TLS. crypto/tls reads that far only when no close_notify came first, and calls
// both an end.
type cutConn struct {
	net.Conn
	cut bool
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.cut = c.cut || err == io.EOF
	return n, err
}

// lenient takes a TLS stream cut without close_notify for one that ended, as keepalived does.
type lenient struct{ r io.Reader }

func (l lenient) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

func bodyLimit(params *checkers.HTTPParams) int {
	if params.MaxBody > 0 {
		return params.MaxBody
	}
	return defaultBody
}

func needsBody(params *checkers.HTTPParams, url *checkers.URL) bool {
	return url.Regex != "" || params.WeightField != ""
}

// request1 is the request as keepalived writes it, with Host always and Connection: close for 1.1 and 1.0C.
func request1(what *checkers.Probe, params *checkers.HTTPParams, url *checkers.URL) []byte {
	method, version, closing := url.Method, "1.0", false
	if method == "" {
		method = http.MethodGet
	}
	switch params.Protocol {
	case "1.1":
		version, closing = "1.1", true
	case "1.0C", "1.0c":
		closing = true
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/%s\r\n", method, pathOf(url), version)
	// A header of the file takes the place of our own of that name.
	own := func(name, value string) {
		if !has(url.Headers, name) {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	own("User-Agent", userAgent)
	own("Host", hostOf(what, params, url))
	if closing {
		own("Connection", "close")
	}
	for _, h := range url.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	if len(url.Body) > 0 {
		own("Content-Length", strconv.Itoa(len(url.Body)))
	}
	b.WriteString("\r\n")
	b.Write(url.Body)
	return b.Bytes()
}

func has(headers []checkers.Header, name string) bool {
	return slices.ContainsFunc(headers, func(h checkers.Header) bool { return strings.EqualFold(h.Name, name) })
}

func pathOf(url *checkers.URL) string {
	if !strings.HasPrefix(url.Path, "/") {
		return "/" + url.Path
	}
	return url.Path
}

func hostOf(what *checkers.Probe, params *checkers.HTTPParams, url *checkers.URL) string {
	switch {
	case url.VirtualHost != "":
		return url.VirtualHost
	case params.VirtualHost != "":
		return params.VirtualHost
	}
	return hostPort(what.Target, what.Kind)
}

// hostPort is the target as a Host header: without the port that the scheme implies.
func hostPort(target netip.AddrPort, kind checkers.Kind) string {
	addr := target.Addr().Unmap().WithZone("")
	host := addr.String()
	if addr.Is6() {
		host = "[" + host + "]"
	}
	if kind == checkers.HTTP && target.Port() == 80 || kind == checkers.SSL && target.Port() == 443 {
		return host
	}
	return host + ":" + strconv.Itoa(int(target.Port()))
}

// judge compares an answer with what the URL accepts. find is its regex, compiled.
func judge(url *checkers.URL, find *regexp.Regexp, a *answer) checkers.Result {
	// As in keepalived a digest or a regex without status_code takes any status: it says by itself what is right.
	if anyStatus := len(url.Status) == 0 && (url.Digest != "" || url.Regex != ""); !anyStatus && !accepts(url.Status, a.status) {
		return checkers.Fail(checkers.Status, fmt.Sprintf("status %d", a.status))
	}
	if url.Digest != "" && !strings.EqualFold(a.sum, url.Digest) {
		return checkers.Fail(checkers.Digest, fmt.Sprintf("the body's digest is %s, expected %s", a.sum, strings.ToLower(url.Digest)))
	}
	if find == nil {
		return checkers.Pass()
	}
	at, from := a.body.at, url.RegexMin
	if a.body.whole {
		from = min(from, len(a.body.kept))
		at = find.FindIndex(a.body.kept[from:])
	}
	found := at != nil && (url.RegexMax <= 0 || from+at[0] <= url.RegexMax)
	if found != url.RegexNoMatch {
		return checkers.Pass()
	}
	text := "is not in the body"
	if found {
		text = "is in the body"
	}
	return checkers.Fail(checkers.Body, fmt.Sprintf("%q %s %s", url.Regex, text, excerpt(a.body.kept)))
}

func accepts(ranges []checkers.StatusRange, status int) bool {
	if len(ranges) == 0 {
		return status >= 200 && status <= 299
	}
	for _, r := range ranges {
		if r.From <= status && status <= r.To {
			return true
		}
	}
	return false
}

// weightOf reads the server's own word about its weight. What cannot be read is worth a warning: the configured weight counts then.
func weightOf(params *checkers.HTTPParams, a *answer) (w checkers.Weight, warning string) {
	text, where := "", ""
	switch {
	case params.WeightHeader != "":
		text, where = a.weight, "the header "+params.WeightHeader
	case params.WeightField != "":
		var fields map[string]json.RawMessage
		where = "the field " + params.WeightField
		if json.Unmarshal(a.body.kept, &fields) != nil {
			return w, "no weight: the answer is not a JSON object with " + where
		}
		text = strings.Trim(string(fields[params.WeightField]), `"`)
	default:
		return w, ""
	}
	if text == "" {
		return w, "no weight: the answer has not " + where
	}
	w, ok := parseWeight(text)
	if f, err := strconv.ParseFloat(text, 64); !ok && err == nil && f >= 0 && f <= math.MaxUint16 {
		w, ok = checkers.Weight{Mode: checkers.Absolute, Value: int(math.Round(f))}, true // JSON has no integers
	}
	if !ok {
		return w, "no weight: " + where + " is neither 0 to 65535 nor 0% to 1000%"
	}
	return w, ""
}

// parseWeight reads "50" or "50%": 0 to 65535 (what IPVS can hold is far beyond), percent to 1000.
func parseWeight(text string) (checkers.Weight, bool) {
	text = strings.TrimSpace(text)
	number, percent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseUint(number, 10, 16)
	switch {
	case err != nil, percent && n > 1000:
		return checkers.Weight{}, false
	case percent:
		return checkers.Weight{Mode: checkers.Percent, Value: int(n)}, true
	}
	return checkers.Weight{Mode: checkers.Absolute, Value: int(n)}, true
}

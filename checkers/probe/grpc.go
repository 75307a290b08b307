package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

const maxGRPC = 4096

// grpc calls grpc.health.v1.Health/Check (github.com/grpc/grpc/blob/master/doc/health-checking.md); SERVING passes.
func (p *Prober) grpc(ctx context.Context, what *checkers.Probe) (out checkers.Result) {
	r := checkers.Pass()
	defer sofar(&out, &r)
	params, _ := what.Params.(*checkers.GRPCParams)
	if params == nil {
		params = &checkers.GRPCParams{}
	}
	start := time.Now()
	c, err := dialTCP(ctx, what)
	if err != nil {
		return failed(what, "connect", err)
	}
	defer c.Close()
	r.Latency.Connect = time.Since(start)
	defer guard(ctx, c)()
	var conn net.Conn = c
	if params.TLS != nil {
		t, bad := p.handshake(ctx, what, c, params.TLS, []string{"h2"}, &r)
		if t == nil {
			return bad
		}
		conn = t
	}
	host := params.Authority
	if host == "" {
		host = what.Target.String()
	}
	call := grpcRequest(params.Service)
	req := (&http.Request{Method: http.MethodPost, Host: host, URL: &url.URL{Host: host, Path: "/grpc.health.v1.Health/Check"},
		Header: http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "User-Agent": {userAgent}},
		Body:   bodyOf(call), ContentLength: int64(len(call))}).WithContext(ctx)
	resp, err := roundTrip2(conn, req)
	if err != nil {
		return grpcFailed(what, err)
	}
	defer resp.Body.Close()
	r.Latency.FirstByte = time.Since(start)
	if resp.StatusCode != http.StatusOK {
		return checkers.Fail(checkers.Status, fmt.Sprintf("HTTP status %d", resp.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxGRPC))
	if err != nil {
		return grpcFailed(what, http2Error(err))
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/grpc") {
		return checkers.Fail(checkers.Protocol, fmt.Sprintf("the answer is not gRPC: its Content-Type is %q", kind))
	}
	status, message := resp.Trailer.Get("Grpc-Status"), resp.Trailer.Get("Grpc-Message")
	if status == "" {
		status, message = resp.Header.Get("Grpc-Status"), resp.Header.Get("Grpc-Message")
	}
	switch status {
	case "0":
	case "":
		return checkers.Fail(checkers.Protocol, "the answer is not gRPC: it has no grpc-status")
	default:
		return checkers.Fail(checkers.Status, "gRPC status "+excerpt([]byte(strings.TrimSpace(status+" "+message))))
	}
	serving, err := grpcReply(body)
	switch {
	case err != nil:
		return checkers.Fail(checkers.Protocol, err.Error())
	case serving != 1:
		return checkers.Fail(checkers.Status, "the service is "+servingName(serving))
	}
	return r
}

func grpcFailed(what *checkers.Probe, err error) checkers.Result {
	var bad *badAnswer
	if errors.As(err, &bad) {
		return checkers.Fail(bad.reason, bad.detail)
	}
	return failed(what, "wait for the answer", err)
}

func servingName(n uint64) string {
	switch n {
	case 0:
		return "UNKNOWN"
	case 2:
		return "NOT_SERVING"
	case 3:
		return "SERVICE_UNKNOWN"
	}
	return fmt.Sprintf("in state %d", n)
}

// grpcRequest is a HealthCheckRequest{service = 1} with gRPC's five bytes before it.
func grpcRequest(service string) []byte {
	var m []byte
	if service != "" {
		m = append(m, 1<<3|2)
		m = binary.AppendUvarint(m, uint64(len(service)))
		m = append(m, service...)
	}
	b := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m)))
	return append(b, m...)
}

// grpcReply reads HealthCheckResponse{status = 1} out of a gRPC message. Fields it does not know are passed over.
func grpcReply(b []byte) (status uint64, err error) {
	bad := errors.New("the answer is not a health check's")
	if len(b) < 5 || b[0] != 0 {
		return 0, bad
	}
	size := binary.BigEndian.Uint32(b[1:])
	b = b[5:]
	if uint64(size) > uint64(len(b)) {
		return 0, bad
	}
	for b = b[:size]; len(b) > 0; {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, bad
		}
		b = b[n:]
		skip := uint64(0)
		switch key & 7 {
		case 0:
			v, n := binary.Uvarint(b)
			if n <= 0 {
				return 0, bad
			}
			if key>>3 == 1 {
				status = v
			}
			skip = uint64(n)
		case 1:
			skip = 8
		case 2:
			l, n := binary.Uvarint(b)
			if n <= 0 || l > uint64(len(b)) {
				return 0, bad
			}
			skip = uint64(n) + l
		case 5:
			skip = 4
		default:
			return 0, bad
		}
		if skip > uint64(len(b)) {
			return 0, bad
		}
		b = b[skip:]
	}
	return status, nil
}

package probe

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/holdfast-ha/holdfast/checkers"
)

func FuzzHTTPAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 103 Hints\r\n\r\nHTTP/1.0 404\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		limited := &io.LimitedReader{R: bytes.NewReader(raw), N: maxHeader}
		a, err := readAnswer(bufio.NewReader(limited), limited, "", &bodyReader{max: 100, whole: true})
		if len(a.body.kept) > 100 {
			t.Errorf("%d bytes of body", len(a.body.kept))
		}
		if err == nil {
			judge(&checkers.URL{Path: "/", Regex: "a+", Digest: "x"}, regexp.MustCompile("a+"), &a)
			weightOf(&checkers.HTTPParams{WeightField: "w"}, &a)
		}
	})
}

func FuzzSMTPReply(f *testing.F) {
	f.Add([]byte("220-a\r\n220 b\r\n"))
	f.Add([]byte("220\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		code, _, err := readSMTP(bufio.NewReaderSize(bytes.NewReader(raw), 1024))
		if err == nil && len(code) != 3 {
			t.Errorf("code %q", code)
		}
	})
}

func FuzzDNSAnswer(f *testing.F) {
	b, q, _ := dnsQuery(&checkers.DNSParams{Name: "www.example", Type: "A"}, 7)
	b[2] |= 0x80
	f.Add(b)
	f.Add([]byte{0, 7, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, ours := judgeDNS(&checkers.DNSParams{RequireAnswer: true}, 7, q, raw)
		if r.OK && !ours {
			t.Error("passed on a stranger's answer")
		}
		if r.OK {
			var p dnsmessage.Parser
			if h, err := p.Start(raw); err != nil || h.ID != 7 || h.RCode != 0 {
				t.Errorf("passed on %+v %v", h, err)
			}
		}
	})
}

func FuzzAgentLine(f *testing.F) {
	f.Add("up 75% #fine")
	f.Add("maint")
	f.Fuzz(func(t *testing.T, line string) {
		r := judgeAgent(line)
		if r.OK != (r.Reason == checkers.OK) || r.Weight.Value < 0 || r.Weight.Value > 1000 {
			t.Errorf("%q: %+v", line, r)
		}
	})
}

func FuzzGRPCReply(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 2, 8, 1})
	f.Add([]byte{0, 0, 0, 0, 7, 18, 1, 65, 29, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if status, err := grpcReply(raw); err != nil && status != 0 && status == 1 {
			t.Logf("error and status %d", status)
		}
	})
}

func FuzzEchoReply(f *testing.F) {
	f.Add(echo(false, 7, 1, 99))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, ok := parseEchoReply(false, 7, raw); ok && len(raw) < 16 {
			t.Error("too short")
		}
	})
}

func FuzzTrackedFile(f *testing.F) {
	f.Add("12 # comment", 3)
	f.Fuzz(func(t *testing.T, text string, weight int) {
		r := judgeFile(&checkers.FileParams{Path: "f", Weight: weight}, text)
		if r.OK != (r.Reason == checkers.OK) {
			t.Errorf("%+v", r)
		}
	})
}

func FuzzUDPReply(f *testing.F) {
	f.Add([]byte("abc"), []byte("abc"), []byte{0xff})
	f.Fuzz(func(t *testing.T, reply, pattern, mask []byte) {
		judgeUDP(&checkers.UDPParams{RequireReply: true, Reply: pattern, Mask: mask}, reply)
	})
}

package probe

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/holdfast-ha/holdfast/checkers"
)

// dnsTypes are those keepalived knows.
var dnsTypes = map[string]dnsmessage.Type{"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "RRSIG": 46, "DNSKEY": 48}

// dns sends one query, over UDP unless told otherwise, and takes any answer with rcode 0 to it, also an empty one (keepalived's
// rule). Answers to something else are ignored, as a resolver would.
func (p *Prober) dns(ctx context.Context, what *checkers.Probe) checkers.Result {
	params, _ := what.Params.(*checkers.DNSParams)
	if params == nil {
		params = &checkers.DNSParams{}
	}
	id := uint16(rand.Uint32())
	query, question, err := dnsQuery(params, id)
	if err != nil {
		return checkers.Fail(checkers.Invalid, err.Error())
	}
	var c net.Conn
	if params.TCP {
		c, err = dialTCP(ctx, what)
		query = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	} else {
		c, err = dialUDP(ctx, what)
	}
	if err != nil {
		return failed(what, "connect", err)
	}
	defer c.Close()
	defer guard(ctx, c)()
	start := time.Now()
	if _, err := c.Write(query); err != nil {
		return failed(what, "send the query", err)
	}
	size := 4096 // without EDNS a datagram has at most 512
	if params.TCP {
		size = 65536
	}
	buf := make([]byte, size)
	for {
		n, err := 0, error(nil)
		if params.TCP {
			if _, err = io.ReadFull(c, buf[:2]); err == nil {
				n, err = io.ReadFull(c, buf[:binary.BigEndian.Uint16(buf)])
			}
		} else {
			n, err = c.Read(buf)
		}
		if err != nil {
			return failed(what, "wait for the answer", err)
		}
		r, ours := judgeDNS(params, id, question, buf[:n])
		if ours || params.TCP {
			r.Latency.FirstByte = time.Since(start)
			return r
		}
	}
}

func dnsQuery(params *checkers.DNSParams, id uint16) ([]byte, dnsmessage.Question, error) {
	typ, name := dnsmessage.TypeSOA, params.Name
	if params.Type != "" {
		t, ok := dnsTypes[strings.ToUpper(params.Type)]
		if !ok {
			return nil, dnsmessage.Question{}, fmt.Errorf("no DNS type %q", params.Type)
		}
		typ = t
	}
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	full, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, dnsmessage.Question{}, fmt.Errorf("the DNS name %q: %w", name, err)
	}
	q := dnsmessage.Question{Name: full, Type: typ, Class: dnsmessage.ClassINET}
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true}, Questions: []dnsmessage.Question{q}}
	b, err := m.Pack()
	return b, q, err
}

// judgeDNS says what an answer means, and whether it is one to the question.
func judgeDNS(params *checkers.DNSParams, id uint16, q dnsmessage.Question, b []byte) (r checkers.Result, ours bool) {
	var parser dnsmessage.Parser
	head, err := parser.Start(b)
	if err != nil {
		return checkers.Fail(checkers.Protocol, "the answer is not DNS: "+err.Error()), false
	}
	if head.ID != id || !head.Response {
		return checkers.Fail(checkers.Protocol, "the answer belongs to another query"), false
	}
	asked, err := parser.AllQuestions()
	if err != nil || len(asked) > 1 {
		return checkers.Fail(checkers.Protocol, "the answer's question cannot be read"), true
	}
	// A server that refuses may leave the question out.
	if len(asked) == 1 && (!strings.EqualFold(asked[0].Name.String(), q.Name.String()) || asked[0].Type != q.Type) {
		return checkers.Fail(checkers.Protocol, "the answer belongs to another question"), false
	}
	if head.RCode != dnsmessage.RCodeSuccess {
		return checkers.Fail(checkers.Status, "the server answered "+rcode(head.RCode)), true
	}
	if params.RequireAnswer {
		if _, err := parser.AnswerHeader(); err != nil && head.Truncated && !params.TCP {
			return checkers.Fail(checkers.Body, "the answer is cut off before its records: ask with over_tcp"), true
		} else if err != nil {
			return checkers.Fail(checkers.Body, "the answer has no records"), true
		}
	}
	return checkers.Pass(), true
}

// rcode is a response code under the name that people know it by (IANA, DNS RCODEs), else its number.
func rcode(c dnsmessage.RCode) string {
	names := [...]string{1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN", 7: "YXRRSET", 8: "NXRRSET", 9: "NOTAUTH", 10: "NOTZONE"}
	if int(c) < len(names) && names[c] != "" {
		return names[c]
	}
	return "rcode " + strconv.Itoa(int(c))
}

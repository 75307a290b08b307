package probe

import (
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

func TestBodyReader(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int{0, 1, smallBody - 1, smallBody, smallBody + 1, 4 * smallBody, 200000, 200001, 200002, 300000} {
		for _, whole := range []bool{true, false} {
			const most = 200000
			text := strings.Repeat("x", size)
			r := &bodyReader{room: &room{}, max: most, whole: whole}
			p, err := r.read(iotest.HalfReader(strings.NewReader(text)))
			want := min(size, most)
			if !whole {
				want = 0
			}
			if len(p.kept) != want || p.long != (size > most) || p.whole != whole || err != nil {
				t.Errorf("%d bytes, whole %v: got %d, %v, %v, %v", size, whole, len(p.kept), p.long, p.whole, err)
			}
			if taken := r.room.taken.Load(); (taken > 0) != (whole && size >= smallBody) || taken > most+2 {
				t.Errorf("%d bytes, whole %v: takes %d", size, whole, taken)
			}
			if r.release(); r.room.taken.Load() != 0 {
				t.Error("the room is not given back")
			}
			if _, err := r.read(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))); size <= most && err != broken || size > most && err != nil {
				t.Errorf("%d bytes, whole %v: error %v", size, whole, err)
			}
			r.release()
		}
	}
}

// Without room a body is looked at as it passes, with the same result.
func TestBodyWithoutRoom(t *testing.T) {
	text := strings.Repeat("x", smallBody) + strings.Repeat("ä", smallBody) + "needle\xff" + strings.Repeat("y", 4*smallBody) + "needle\n"
	for _, row := range []struct {
		pattern   string
		from, max int
		err       error
	}{
		{"needle", 0, 1 << 20, nil}, {"needle.y", 0, 1 << 20, nil}, {`needle\n$`, 0, 1 << 20, nil}, {"^x", 0, 1 << 20, nil}, {"^x", 10, 1 << 20, nil}, {"absent", 0, 1 << 20, nil},
		{"needle", smallBody - 1, 1 << 20, nil}, {"needle", 3*smallBody + 5, 1 << 20, nil}, {"needle", 10 * smallBody, 1 << 20, nil}, {"needle", 0, smallBody + 10, nil},
		{"absent", 0, 1 << 20, io.ErrUnexpectedEOF},
	} {
		full := &room{}
		full.taken.Store(roomForBodies)
		var results []string
		for _, room := range []*room{nil, full} {
			r := &bodyReader{room: room, max: row.max, whole: true, sum: md5.New(), find: regexp.MustCompile(row.pattern), from: row.from}
			body := io.Reader(strings.NewReader(text))
			if row.err != nil {
				body = io.MultiReader(body, iotest.ErrReader(row.err))
			}
			p, err := r.read(iotest.HalfReader(body))
			if p.whole {
				p.at = r.find.FindIndex(p.kept[min(row.from, len(p.kept)):])
			}
			if room != nil && (p.whole || len(p.kept) > smallBody) {
				t.Errorf("%d bytes are kept without room", len(p.kept))
			}
			results = append(results, fmt.Sprintf("%v long=%v err=%v %x", p.at, p.long, err, r.sum.Sum(nil)))
		}
		if row.max > len(text) && results[0] != results[1] {
			t.Errorf("%+v:\nkept   %s\npassed %s", row, results[0], results[1])
		}
		if row.max < len(text) && !strings.Contains(results[1], "long=true err=<nil>") {
			t.Errorf("%+v: %s", row, results[1])
		}
		if full.taken.Load() != roomForBodies {
			t.Error("room was taken or given")
		}
	}
}

// Hundreds of servers that send a long page for ever, slowly, do not hold up the check of one that sends its page at once.
func TestSlowPagesLeaveOthersAlone(t *testing.T) {
	const slow = 200
	page := "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 2*smallBody)
	var waiting sync.WaitGroup
	waiting.Add(slow)
	hold := make(chan struct{})
	drip := serve(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, page)
		waiting.Done()
		<-hold
	})
	p := New(Options{})
	defer p.Close()
	var all sync.WaitGroup
	params := get(checkers.URL{Path: "/", Regex: "end$"})
	for range slow {
		all.Go(func() {
			p.Probe(t.Context(), &checkers.Probe{Kind: checkers.HTTP, Target: drip, Timeout: 30 * time.Second, Params: params})
		})
	}
	waiting.Wait()
	good := serve(t, answering(page+"end"))
	expect(t, p.Probe(t.Context(), &checkers.Probe{Kind: checkers.HTTP, Target: good, Timeout: 10 * time.Second, Params: params}), checkers.OK)
	close(hold)
	all.Wait()
}

package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestBodyReader(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int{0, 1, smallBody - 1, smallBody, smallBody + 1, 4 * smallBody, 200000, 200001, 200002, 300000} {
		for _, whole := range []bool{true, false} {
			const most = 200000
			text := strings.Repeat("x", size)
			large := make(chan struct{}, 1)
			r := &bodyReader{ctx: t.Context(), large: large, max: most, whole: whole}
			b, long, err := r.read(iotest.HalfReader(strings.NewReader(text)))
			want := min(size, most)
			if !whole {
				want = 0
			}
			if len(b) != want || long != (size > most) || err != nil {
				t.Errorf("%d bytes, whole %v: got %d, long %v, %v", size, whole, len(b), long, err)
			}
			if held := len(large) == 1; held != (whole && size >= smallBody) {
				t.Errorf("%d bytes, whole %v: holds a place: %v", size, whole, held)
			}
			if r.release(); len(large) != 0 {
				t.Error("the place is not given back")
			}
			if _, _, err := r.read(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))); size <= most && err != broken || size > most && err != nil {
				t.Errorf("%d bytes, whole %v: error %v", size, whole, err)
			}
			r.release()
		}
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestLongBodiesWaitForAPlace(t *testing.T) {
	large := make(chan struct{}, 1)
	first := &bodyReader{ctx: t.Context(), large: large, max: 1 << 20, whole: true}
	if _, long, err := first.read(zeros{}); !long || err != nil {
		t.Fatal(long, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	second := &bodyReader{ctx: ctx, large: large, max: 1 << 20, whole: true}
	if _, _, err := second.read(zeros{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second long body: %v", err)
	}
	second.release()
	if _, _, err := second.read(bytes.NewReader(make([]byte, smallBody/2))); err != nil {
		t.Errorf("a short one: %v", err)
	}
	first.release()
	third := &bodyReader{ctx: t.Context(), large: large, max: 1 << 20, whole: true}
	if _, _, err := third.read(zeros{}); err != nil {
		t.Errorf("after the first is gone: %v", err)
	}
}

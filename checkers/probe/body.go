package probe

import (
	"context"
	"io"
)

const (
	// smallBody is what any attempt may keep of a body; for more it needs one of largeBodies places. So thousands of servers that send
	// without end cannot take all memory.
	smallBody   = 16 << 10
	largeBodies = 64
)

// bodyReader reads the body of one answer.
type bodyReader struct {
	ctx   context.Context
	large chan struct{} // nil: no bound
	// max bytes are read; whole keeps them, otherwise they are only counted.
	max   int
	whole bool
	held  bool
}

// read returns the body if it is to be kept; long says that it goes on beyond max.
func (r *bodyReader) read(body io.Reader) (b []byte, long bool, err error) {
	limited := &io.LimitedReader{R: body, N: int64(r.max) + 1}
	if !r.whole {
		_, err = io.Copy(io.Discard, limited)
		if long = limited.N <= 0; long {
			err = nil
		}
		return nil, long, err
	}
	b, err = io.ReadAll(io.LimitReader(limited, smallBody))
	if err != nil {
		return b, false, err
	}
	if len(b) == smallBody {
		if err := r.hold(); err != nil {
			return b, false, err
		}
		all := append(make([]byte, 0, min(4*smallBody, r.max+2)), b...)
		for err == nil && len(all) <= r.max {
			if len(all) == cap(all) {
				all = append(make([]byte, 0, min(2*cap(all), r.max+2)), all...)
			}
			var n int
			n, err = limited.Read(all[len(all):cap(all)])
			all = all[:len(all)+n]
		}
		if b = all; err == io.EOF {
			err = nil
		}
	}
	if len(b) > r.max {
		return b[:r.max], true, nil
	}
	return b, false, err
}

// hold waits for a place among the large bodies.
func (r *bodyReader) hold() error {
	if r.large == nil {
		return nil
	}
	select {
	case r.large <- struct{}{}:
		r.held = true
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// release gives the place back: the body is no longer needed.
func (r *bodyReader) release() {
	if r.held {
		r.held = false
		<-r.large
	}
}

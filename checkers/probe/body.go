package probe

import (
	"bufio"
	"bytes"
	"hash"
	"io"
	"regexp"
	"sync/atomic"
)

const (
	// smallBody is what any attempt may keep of a body; for more it needs a part of roomForBodies. So thousands of servers that send
	// without end cannot take all memory.
	smallBody     = 16 << 10
	roomForBodies = 64 << 20
)

// room is how many bytes of long bodies may be kept at once. Nobody waits for it: who gets none looks at the body as it passes, which
// costs more time and no memory. So servers that send slowly do not hold up the checks of others.
type room struct{ taken atomic.Int64 }

func (r *room) take(n int) bool {
	if r == nil {
		return true
	}
	if r.taken.Add(int64(n)) <= roomForBodies {
		return true
	}
	r.taken.Add(-int64(n))
	return false
}

func (r *room) give(n int) {
	if r != nil {
		r.taken.Add(-int64(n))
	}
}

// bodyReader reads the body of one answer.
type bodyReader struct {
	room *room // nil: no bound
	// max bytes are read; whole keeps them, as far as there is room, otherwise they are only counted.
	max   int
	whole bool
	// sum is the digest of what was read, nil where nobody wants it.
	sum hash.Hash
	// find is looked for from the byte from on where the whole body has no room, nil where nobody wants it.
	find *regexp.Regexp
	from int
	// header is the one that matters, "" for none.
	header string

	held int
}

// passed is a body that went by, or its beginning.
type passed struct {
	kept []byte
	// long: it goes on beyond the limit. whole: kept is all of it up to there.
	long, whole bool
	// at is where find matched, if it is not whole.
	at []int
}

// looks says that the body matters: one that is too long to be looked at fails.
func (r *bodyReader) looks() bool { return r.whole || r.sum != nil }

// read reads a body up to the limit.
func (r *bodyReader) read(body io.Reader) (p passed, err error) {
	limited := &io.LimitedReader{R: body, N: int64(r.max) + 1}
	var in io.Reader = limited
	if r.sum != nil {
		in = io.TeeReader(limited, r.sum)
	}
	defer func() {
		if p.long = limited.N <= 0; p.long {
			err = nil
		}
		if len(p.kept) > r.max {
			p.kept = p.kept[:r.max]
		}
	}()
	if !r.whole {
		_, err = io.Copy(io.Discard, in)
		return p, err
	}
	if p.kept, err = io.ReadAll(io.LimitReader(in, smallBody)); err != nil || len(p.kept) < smallBody {
		p.whole = err == nil
		return p, err
	}
	for size := len(p.kept); ; {
		if size == len(p.kept) {
			size = min(4*size, r.max+2)
			if !r.room.take(size) {
				p.at, err = r.passing(p.kept, in)
				return p, err
			}
			r.room.give(r.held)
			r.held = size
			p.kept = append(make([]byte, 0, size), p.kept...)
		}
		n, err := in.Read(p.kept[len(p.kept):size])
		p.kept = p.kept[:len(p.kept)+n]
		if err == io.EOF || len(p.kept) > r.max {
			p.whole = true
			return p, nil
		}
		if err != nil {
			return p, err
		}
	}
}

// passing looks for find in what follows the beginning, without keeping it.
func (r *bodyReader) passing(beginning []byte, rest io.Reader) (at []int, err error) {
	noted := &notedError{r: rest}
	if r.find != nil {
		from := min(r.from, r.max)
		skipped := min(from, len(beginning))
		in := bufio.NewReader(io.MultiReader(bytes.NewReader(beginning[skipped:]), noted))
		_, _ = in.Discard(from - skipped)
		at = r.find.FindReaderIndex(in)
	}
	if noted.err == nil {
		_, _ = io.Copy(io.Discard, noted)
	}
	if noted.err == io.EOF {
		return at, nil
	}
	return at, noted.err
}

// release gives the room back: the body is no longer needed.
func (r *bodyReader) release() {
	r.room.give(r.held)
	r.held = 0
}

// notedError remembers how a stream ended, which a search through it does not tell.
type notedError struct {
	r   io.Reader
	err error
}

func (n *notedError) Read(b []byte) (int, error) {
	read, err := n.r.Read(b)
	if err != nil {
		n.err = err
	}
	return read, err
}

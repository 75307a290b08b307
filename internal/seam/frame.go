package seam

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// MaxFrame is the largest frame either end accepts, in bytes. 1,000 instances with 20 addresses each need about 6 MB.
const MaxFrame = 32 << 20

// Encode appends the frame of m to buf.
func Encode(buf []byte, m Message) ([]byte, error) {
	if n := fieldsSet(m); n != 1 {
		return buf, fmt.Errorf("a seam message has exactly one field set, this one has %d", n)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return buf, fmt.Errorf("encode a seam message: %w", err)
	}
	if len(body) > MaxFrame {
		return buf, fmt.Errorf("a seam message of %d bytes is over the limit of %d", len(body), MaxFrame)
	}
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(body)))
	return append(buf, body...), nil
}

// Decode reads one frame. It takes no more memory than the bytes that really arrive, and refuses empty and oversized frames, unknown
// fields, trailing bytes, and messages of which not exactly one field is set. io.EOF means that the other end closed between two frames.
func Decode(r io.Reader) (Message, error) {
	var m Message
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return m, fmt.Errorf("the seam ended inside a frame's length: %w", err)
		}
		return m, err
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n == 0 || n > MaxFrame {
		return m, fmt.Errorf("a seam frame of %d bytes is refused (1 to %d)", n, MaxFrame)
	}
	var body bytes.Buffer
	if got, err := io.CopyN(&body, r, n); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return m, fmt.Errorf("the seam ended after %d of a frame's %d bytes: %w", got, n, err)
	}
	d := json.NewDecoder(&body)
	d.DisallowUnknownFields()
	d.UseNumber() // an event's counts keep their digits instead of becoming floating point
	if err := d.Decode(&m); err != nil {
		return Message{}, fmt.Errorf("decode a seam message: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Message{}, errors.New("decode a seam message: bytes after its end")
	}
	if c := fieldsSet(m); c != 1 {
		return Message{}, fmt.Errorf("a seam message has exactly one field set, this one has %d", c)
	}
	return m, nil
}

func fieldsSet(m Message) int {
	n, v := 0, reflect.ValueOf(m)
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			n++
		}
	}
	return n
}

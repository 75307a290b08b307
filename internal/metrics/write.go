package metrics

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/internal/control"
)

// ContentType is the format's name for HTTP.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// writer writes families of series. After the first error it writes nothing more.
type writer struct {
	out    *bufio.Writer
	family string
	line   []byte
}

func newWriter(w io.Writer) *writer { return &writer{out: bufio.NewWriterSize(w, 64<<10)} }

// begin starts a family. Names of counters end in _total.
func (w *writer) begin(name, help string) {
	kind := "gauge"
	if strings.HasSuffix(name, "_total") {
		kind = "counter"
	}
	w.beginKind(name, kind, help)
}

func (w *writer) beginKind(name, kind, help string) {
	w.family = name
	_, _ = w.out.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// series writes one value of the family; labels are name, value, name, value.
func (w *writer) series(v float64, labels ...string) {
	b := append(w.line[:0], w.family...)
	for i := 0; i+1 < len(labels); i += 2 {
		if i == 0 {
			b = append(b, '{')
		} else {
			b = append(b, ',')
		}
		b = append(b, labels[i]...)
		b = append(b, '=', '"')
		b = escape(b, labels[i+1])
		b = append(b, '"')
	}
	if len(labels) > 0 {
		b = append(b, '}')
	}
	b = append(b, ' ')
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	b = append(b, '\n')
	w.line = b
	_, _ = w.out.Write(b)
}

// histogram writes a whole family with one histogram; counts are cumulative.
func (w *writer) histogram(name, help string, l control.Lateness) {
	w.beginKind(name, "histogram", help)
	w.family = name + "_bucket"
	for _, b := range l.Buckets {
		w.series(float64(b.Count), "le", strconv.FormatFloat(b.LeSeconds, 'g', -1, 64))
	}
	w.series(float64(l.Count), "le", "+Inf")
	w.family = name + "_sum"
	w.series(l.SumSeconds)
	w.family = name + "_count"
	w.series(float64(l.Count))
}

// escape appends a label value: backslash, quote and newline are escaped, bytes that are no UTF-8 replaced.
func escape(b []byte, s string) []byte {
	for _, r := range s {
		switch r {
		case '\\':
			b = append(b, '\\', '\\')
		case '"':
			b = append(b, '\\', '"')
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, string(r)...)
		}
	}
	return b
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// stamp is a time in seconds since 1970, 0 for none.
func stamp(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

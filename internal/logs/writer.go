package logs

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// DefaultLines is how many lines a Writer holds when its reader does not read: about 200 kB.
const DefaultLines = 1024

// reserve is the share of lines above the limit that only warnings and errors may use, and as much again for errors alone: a burst of chatter never
// displaces warnings, and ten thousand servers that fail at once never the line that says why.
const reserve = 4

// Writer is a bounded queue of log lines in front of a file that may block. It implements hclog.LevelWriter. Writing to it never waits.
type Writer struct {
	out      io.Writer
	lines    int
	priority bool
	lost     func(n uint64) []byte

	mu      sync.Mutex
	queue   [][]byte
	closed  bool
	dropped uint64
	told    uint64
	failed  uint64
	why     error // the last refusal
	refused bool  // the last line was refused
	wake    chan struct{}
	done    chan struct{}
}

// NewWriter starts a writer of at most lines lines (DefaultLines when 0). With priority every line gets the "<3>" to "<7>" that journald
// reads its level from.
func NewWriter(out io.Writer, lines int, priority bool) *Writer {
	if lines <= 0 {
		lines = DefaultLines
	}
	w := &Writer{out: out, lines: lines, priority: priority, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run()
	return w
}

// Write queues p at the level Info.
func (w *Writer) Write(p []byte) (int, error) { return w.LevelWrite(hclog.Info, p) }

// LevelWrite queues one line. It takes a copy, never waits and never fails: a line for which there is no room is counted.
func (w *Writer) LevelWrite(level hclog.Level, p []byte) (int, error) {
	line := make([]byte, 0, len(p)+3)
	if w.priority {
		line = append(line, severity(level)...)
	}
	line = append(line, p...)
	w.mu.Lock()
	defer w.mu.Unlock()
	limit := w.lines
	if level >= hclog.Warn {
		limit += w.lines/reserve + 1
	}
	if level >= hclog.Error {
		limit += w.lines/reserve + 1
	}
	if w.closed || len(w.queue) >= limit {
		w.dropped++
		return len(p), nil
	}
	w.queue = append(w.queue, line)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return len(p), nil
}

// severity is the syslog severity (RFC 5424 section 6.2.1) in the form sd-daemon(3) reads.
func severity(l hclog.Level) string {
	switch {
	case l >= hclog.Error:
		return "<3>"
	case l >= hclog.Warn:
		return "<4>"
	case l >= hclog.Info:
		return "<6>"
	}
	return "<7>"
}

// Losses is how many lines found no room and how many the file refused, since the start, and why the last of these.
func (w *Writer) Losses() (dropped, failed uint64, why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped, w.failed, w.why
}

// OnLoss sets how a line about n lost lines looks; without it nothing is written about losses.
func (w *Writer) OnLoss(line func(n uint64) []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = line
}

// Close writes what is queued, for at most wait, and ends. Lines that come later are counted as dropped.
func (w *Writer) Close(wait time.Duration) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.wake)
	}
	w.mu.Unlock()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-w.done:
		return nil
	case <-t.C:
		return fmt.Errorf("write the last log lines: the reader of the log took none for %s", wait)
	}
}

func (w *Writer) run() {
	defer close(w.done)
	for range w.wake {
		for {
			line := w.next()
			if line == nil {
				break
			}
			_, err := w.out.Write(line)
			w.mu.Lock()
			if w.refused = err != nil; err != nil {
				w.failed, w.why = w.failed+1, err
			}
			w.mu.Unlock()
		}
	}
	for line := w.next(); line != nil; line = w.next() {
		_, _ = w.out.Write(line)
	}
}

// next takes the oldest line, or, when the queue is empty, the report of what was lost meanwhile.
func (w *Writer) next() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) > 0 {
		line := w.queue[0]
		w.queue[0] = nil
		w.queue = w.queue[1:]
		return line
	}
	w.queue = nil
	if n := w.dropped + w.failed - w.told; n > 0 && w.lost != nil && !w.refused {
		w.told = w.dropped + w.failed
		return w.lost(n)
	}
	return nil
}

package logs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/hashicorp/go-hclog"

	"github.com/holdfast-ha/holdfast/internal/event"
)

// Options says what a log looks like.
type Options struct {
	// Process is the name of the process in every line: "router" or "balancer".
	Process string
	// JSON makes one object per line instead of text.
	JSON bool
	// Level is the least level written: debug, info, warn or error; "" means info.
	Level string
}

// Log writes events as lines. One logger per subsystem (the first word of the event's id), so that each can have a level of its own.
type Log struct {
	out     io.Writer
	opts    Options
	level   atomic.Int32
	mu      sync.Mutex
	loggers map[string]hclog.Logger
}

// New makes a log on out, usually a *Writer. It fails for a level that does not exist.
func New(out io.Writer, opts Options) (*Log, error) {
	l := &Log{out: out, opts: opts, loggers: map[string]hclog.Logger{}}
	if opts.Level == "" {
		opts.Level = "info"
	}
	if err := l.SetLevel(opts.Level); err != nil {
		return nil, err
	}
	if w, ok := out.(*Writer); ok {
		w.OnLoss(l.lossLine)
	}
	return l, nil
}

// Levels are the words that SetLevel takes.
var Levels = []string{"debug", "info", "warn", "error"}

// SetLevel changes the least level that is written.
func (l *Log) SetLevel(word string) error {
	level, err := parseLevel(word)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.level.Store(int32(level))
	for _, logger := range l.loggers {
		logger.SetLevel(level)
	}
	return nil
}

// parseLevel is strict where hclog.LevelFromString gives NoLevel for nonsense.
func parseLevel(word string) (hclog.Level, error) {
	for _, known := range Levels {
		if strings.EqualFold(word, known) {
			return hclog.LevelFromString(known), nil
		}
	}
	return hclog.NoLevel, fmt.Errorf("set the log level to %q: no such level; use one of %s", word, strings.Join(Levels, ", "))
}

// Sink writes one line per event.
func (l *Log) Sink(e event.Event) {
	k := e.Kind()
	level := hclogLevel(e.Level())
	if level < hclog.Level(l.level.Load()) {
		return
	}
	l.logger(subsystem(e.ID)).Log(level, k.Message, fields(e)...)
}

func fields(e event.Event) []any {
	k := e.Kind()
	out := make([]any, 0, 2+2*len(e.Values))
	out = append(out, "event", e.ID)
	for i, v := range e.Values {
		name := fmt.Sprintf("value%d", i+1)
		if i < len(k.Fields) {
			name = k.Fields[i]
		}
		if s, ok := v.(string); ok && s == "" {
			continue
		}
		out = append(out, name, v)
	}
	return out
}

func subsystem(id string) string {
	before, _, _ := strings.Cut(id, ".")
	return before
}

func hclogLevel(l event.Level) hclog.Level {
	switch l {
	case event.Debug:
		return hclog.Debug
	case event.Warn:
		return hclog.Warn
	case event.Error:
		return hclog.Error
	}
	return hclog.Info
}

func (l *Log) logger(subsystem string) hclog.Logger {
	l.mu.Lock()
	defer l.mu.Unlock()
	logger := l.loggers[subsystem]
	if logger == nil {
		logger = newLogger(l.out, l.opts, subsystem, hclog.Level(l.level.Load()))
		l.loggers[subsystem] = logger
	}
	return logger
}

func newLogger(out io.Writer, opts Options, subsystem string, level hclog.Level) hclog.Logger {
	name := opts.Process
	if name != "" && subsystem != "" {
		name += "."
	}
	return hclog.New(&hclog.LoggerOptions{
		Name: name + subsystem, Level: level, Output: out, JSONFormat: opts.JSON, IndependentLevels: true,
		TimeFormat: "2006-01-02T15:04:05.000Z07:00",
	})
}

// lossLine formats the report about lost lines without going through the queue that lost them.
func (l *Log) lossLine(n uint64) []byte {
	var b bytes.Buffer
	e := event.LogLost.With(n)
	newLogger(&b, l.opts, subsystem(e.ID), hclog.Debug).Log(hclog.Warn, event.LogLost.Message, fields(e)...)
	return b.Bytes()
}

// ToJournal says whether f is the stream that systemd connected to the journal (systemd.exec(5), JOURNAL_STREAM): levels then go as
// "<3>" prefixes.
func ToJournal(f *os.File) bool {
	stream := os.Getenv("JOURNAL_STREAM")
	if stream == "" {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

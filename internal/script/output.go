package script

import (
	"os"
	"sync"
	"time"
)

// MaxOutput is how many bytes of a program's output are kept.
const MaxOutput = 4096

// output reads the pipe of one program until every holder of its other end is gone. It keeps the first MaxOutput bytes and throws
// the rest away, so that a talkative program neither blocks nor costs memory; and it goes on reading after the program has ended,
// so that a service the program started in the background does not die of SIGPIPE.
type output struct {
	pipe *os.File
	eof  chan struct{}

	mu   sync.Mutex
	kept []byte
	more bool
}

// collect starts reading; ended is called when the last holder of the other end is gone.
func collect(pipe *os.File, ended func(*output)) *output {
	o := &output{pipe: pipe, eof: make(chan struct{})}
	go o.read(ended)
	return o
}

func (o *output) read(ended func(*output)) {
	defer ended(o)
	defer close(o.eof)
	defer o.pipe.Close()
	buf := make([]byte, 1024)
	for {
		n, err := o.pipe.Read(buf)
		if n > 0 {
			o.mu.Lock()
			room := min(n, MaxOutput-len(o.kept))
			o.kept = append(o.kept, buf[:room]...)
			o.more = o.more || room < n
			o.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// text waits a moment for the end of the output; a background child that keeps the pipe open does not hold up the result.
func (o *output) text(patience time.Duration) (string, bool) {
	select {
	case <-o.eof:
	case <-time.After(patience):
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.kept), o.more
}

package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/script"
)

// fifo is an open named pipe and, where configured, the program that reads it. It is opened for reading too, so that writing
// neither waits for a reader nor fails without one; what does not fit is lost and counted, as keepalived does.
type fifo struct {
	conf   FIFO
	bus    *event.Bus
	file   *os.File
	made   bool
	stop   context.CancelFunc
	reader chan struct{} // closed when the reader's goroutine has ended

	mu   sync.Mutex
	lost uint64
}

// openFIFO opens the pipe, makes it if it is missing (mode 0600) and starts its reader.
func openFIFO(conf FIFO, runner Runner, bus *event.Bus) (*fifo, error) {
	f := &fifo{conf: conf, bus: bus, reader: make(chan struct{})}
	owner := script.Command{User: conf.User, Group: conf.Group}
	uid, gid, err := owner.Owner()
	if err != nil {
		return nil, fmt.Errorf("notify FIFO %s: %w", conf.Path, err)
	}
	switch err := unix.Mkfifo(conf.Path, 0o600); {
	case err == nil:
		f.made = true
		if uid != os.Geteuid() || gid != os.Getegid() {
			if err := os.Lchown(conf.Path, uid, gid); err != nil {
				return nil, fmt.Errorf("notify FIFO %s: %w", conf.Path, err)
			}
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("make notify FIFO %s: %w", conf.Path, err)
	}
	fd, err := unix.Open(conf.Path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("open notify FIFO %s: %w", conf.Path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		unix.Close(fd)
		return nil, fmt.Errorf("notify FIFO %s is something else than a FIFO: remove it or name another path", conf.Path)
	}
	if int(st.Uid) != os.Geteuid() && int(st.Uid) != uid {
		unix.Close(fd)
		return nil, fmt.Errorf("notify FIFO %s belongs to user %d, neither to this daemon nor to the script user: chown or remove it", conf.Path, st.Uid)
	}
	f.file = os.NewFile(uintptr(fd), conf.Path)
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	go f.read(ctx, runner)
	return f, nil
}

// read keeps the reader running, if there is one. One that ends at once is started again more and more slowly, up to every 30 s.
func (f *fifo) read(ctx context.Context, runner Runner) {
	defer close(f.reader)
	if f.conf.Reader.Empty() || runner == nil {
		return
	}
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		begin := time.Now()
		res := runner.Run(ctx, "", f.conf.Reader.With(f.conf.Path))
		if ctx.Err() != nil || errors.Is(res.Err, script.ErrClosed) {
			return
		}
		if time.Since(begin) > time.Minute {
			pause = time.Second
		}
		f.bus.Publish(event.NotifyFailed.With("fifo "+f.conf.Path, "reader ended", f.conf.Reader, res.Reason(), res.Output))
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// write puts one line into the pipe, whole or not at all (it is shorter than PIPE_BUF).
func (f *fifo) write(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	conn, err := f.file.SyscallConn()
	if err == nil {
		var werr error
		err = conn.Control(func(fd uintptr) {
			for {
				if _, werr = unix.Write(int(fd), []byte(line)); werr != unix.EINTR {
					return
				}
			}
		})
		if err == nil {
			err = werr
		}
	}
	if err == nil {
		f.lost = 0
		return
	}
	if f.lost++; f.lost == 1 || f.lost%100 == 0 {
		if errors.Is(err, syscall.EAGAIN) {
			err = errors.New("the FIFO is full: nobody reads it")
		}
		f.bus.Publish(event.NotifyLost.With(f.conf.Path, err, f.lost))
	}
}

// close lets the reader see the end of the pipe and gives it until ctx ends to finish; then it is killed. A pipe that was made here
// is removed.
func (f *fifo) close(ctx context.Context) {
	_ = f.file.Close()
	if f.made {
		_ = os.Remove(f.conf.Path)
	}
	if !f.conf.Reader.Empty() {
		select {
		case <-f.reader:
		case <-ctx.Done():
		}
	}
	f.stop()
	<-f.reader
}

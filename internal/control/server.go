package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits against clients that do not behave.
const (
	maxRequest  = 64 << 10
	maxClients  = 64
	readWithin  = 5 * time.Second
	writeWithin = 10 * time.Second
)

// SocketName is the name of the socket in the run directory.
const SocketName = "control.sock"

// SocketPath is the socket of the daemon with that run directory.
func SocketPath(runDir string) string { return filepath.Join(runDir, SocketName) }

// Handler does what is asked. Its methods are called from several goroutines.
type Handler interface {
	// Handle answers a request; the result is written as JSON. The context ends when the client goes away or the server closes.
	Handle(ctx context.Context, r Request) (any, error)
	// Events sends recent events, and with follow those to come, until send fails or the context ends.
	Events(ctx context.Context, follow bool, send func(Line) error) error
}

// Server serves one socket.
type Server struct {
	handler  Handler
	refused  func(request string, err error)
	listener *net.UnixListener
	path     string
	own      os.FileInfo
	ctx      context.Context
	cancel   context.CancelFunc
	slots    chan struct{}
	clients  sync.WaitGroup
}

// Listen takes over path (a socket left by a dead daemon is removed; the lock of the run directory says that nobody else serves it) and
// serves. Only root and the owner may connect: mode 0600. refused is told of every request that failed; nil is ignored.
func Listen(path string, h Handler, refused func(request string, err error)) (*Server, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		_ = os.Remove(path)
	}
	// The mode is set before the socket has a name: nobody connects in between, and no program that starts meanwhile inherits another umask.
	private := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = unix.Fchmod(int(fd), 0o600) })
		return errors.Join(err, failed)
	}}
	ln, err := private.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	l := ln.(*net.UnixListener)
	l.SetUnlinkOnClose(false) // the path may be another daemon's by then
	own, err := os.Lstat(path)
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{handler: h, refused: refused, listener: l, path: path, own: own, ctx: ctx, cancel: cancel, slots: make(chan struct{}, maxClients)}
	s.clients.Add(1)
	go s.accept()
	return s, nil
}

// Close ends every connection, removes the socket unless a later daemon has put its own in the place, and waits for the handlers.
func (s *Server) Close() {
	s.cancel()
	s.listener.Close()
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.own) {
		_ = os.Remove(s.path)
	}
	s.clients.Wait()
}

func (s *Server) accept() {
	defer s.clients.Done()
	for {
		conn, err := s.listener.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, most likely: the client in the backlog is still there when some are back.
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-s.ctx.Done():
				return
			}
		}
		select {
		case s.slots <- struct{}{}:
			s.clients.Add(1)
			go func() {
				defer func() { <-s.slots; s.clients.Done() }()
				s.serve(conn)
			}()
		default:
			_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			_ = json.NewEncoder(conn).Encode(Response{Error: fmt.Sprintf("%d clients are connected already; try again", maxClients)})
			conn.Close()
		}
	}
}

func (s *Server) serve(conn *net.UnixConn) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	_ = conn.SetReadDeadline(time.Now().Add(readWithin))
	in := bufio.NewReaderSize(io.LimitReader(conn, maxRequest+1), 4096)
	line, err := in.ReadBytes('\n')
	if err != nil {
		if len(line) > 0 {
			s.answer(conn, "?", nil, fmt.Errorf("read the request: want one line of JSON, at most %d bytes: %w", maxRequest, err))
		}
		return
	}
	r, err := parseRequest(line)
	if err != nil {
		s.answer(conn, "?", nil, err)
		return
	}
	r.By = peer(conn)
	// A client that goes away ends what is done for it.
	_ = conn.SetReadDeadline(time.Time{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		cancel()
	}()
	if r.Op == OpEvents {
		out := json.NewEncoder(conn)
		_ = s.handler.Events(ctx, r.Follow, func(l Line) error {
			_ = conn.SetWriteDeadline(time.Now().Add(writeWithin))
			return out.Encode(l)
		})
		return
	}
	result, err := s.handler.Handle(ctx, r)
	s.answer(conn, r.Op, result, err)
}

// parseRequest is strict: a field that nobody knows is a mistake of the client.
func parseRequest(line []byte) (Request, error) {
	var r Request
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Request{}, fmt.Errorf("understand the request: %w", err)
	}
	if d.More() {
		return Request{}, errors.New("understand the request: more than one value on the line")
	}
	return r, nil
}

func (s *Server) answer(conn net.Conn, op string, result any, err error) {
	line := []byte("{}\n")
	if err == nil && result != nil {
		var b []byte
		if b, err = json.Marshal(result); err == nil {
			// A Response, put together here: the encoder would go through the whole of it once more, and a status can have megabytes.
			line = slices.Concat([]byte(`{"result":`), b, []byte("}\n"))
		}
	}
	if err != nil {
		if s.refused != nil {
			s.refused(op, err)
		}
		line, _ = json.Marshal(Response{Error: err.Error()})
		line = append(line, '\n')
	}
	_ = conn.SetWriteDeadline(time.Now().Add(writeWithin))
	_, _ = conn.Write(line)
}

// peer names the user at the other end.
func peer(conn *net.UnixConn) string {
	raw, err := conn.SyscallConn()
	if err != nil {
		return "unknown"
	}
	name := "unknown"
	_ = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return
		}
		name = "uid " + strconv.Itoa(int(cred.Uid))
		if u, err := user.LookupId(strconv.Itoa(int(cred.Uid))); err == nil {
			name = u.Username
		}
	})
	return name
}

package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Do sends a request to the daemon with that run directory and decodes the result into out, if out is not nil.
func Do(ctx context.Context, runDir string, r Request, out any) error {
	conn, err := dial(ctx, runDir, r)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var resp Response
	if err := json.NewDecoder(conn).Decode(&resp); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%s: no answer from the daemon in time: %w", r.Op, ctx.Err())
		}
		return fmt.Errorf("%s: read the daemon's answer: %w", r.Op, err)
	}
	if resp.Error != "" {
		return errors.New(resp.Error)
	}
	if out == nil || resp.Result == nil {
		return nil
	}
	if err := json.Unmarshal(resp.Result, out); err != nil {
		return fmt.Errorf("%s: understand the daemon's answer: %w", r.Op, err)
	}
	return nil
}

// Events calls each for every event until it fails, the daemon ends, or the context does.
func Events(ctx context.Context, runDir string, follow bool, each func(Line) error) error {
	conn, err := dial(ctx, runDir, Request{Op: OpEvents, Follow: follow})
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in := json.NewDecoder(bufio.NewReader(conn))
	for {
		var l Line
		err := in.Decode(&l)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, io.EOF) && !follow:
			return nil
		case err != nil:
			return fmt.Errorf("events: the daemon ended the stream: %w", err)
		}
		if err := each(l); err != nil {
			return err
		}
	}
}

// beside are the run directories with a control socket that stand beside the one of path and begin with its name, as those of other namespaces do.
func beside(path string) string {
	dir := filepath.Dir(path)
	found, _ := filepath.Glob(dir + "?*/" + filepath.Base(path))
	for i, f := range found {
		found[i] = filepath.Dir(f)
	}
	return strings.Join(found, ", ")
}

func dial(ctx context.Context, runDir string, r Request) (net.Conn, error) {
	var d net.Dialer
	path := SocketPath(runDir)
	conn, err := d.DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		if others := beside(path); others != "" {
			return nil, fmt.Errorf("no daemon answers at %s: is it running, with this --run-dir? There is --run-dir %s (%w)", path, others, err)
		}
		return nil, fmt.Errorf("no daemon answers at %s: is it running, with this --run-dir? (%w)", path, err)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("connect to %s: only root may (%w)", path, err)
	case err != nil:
		return nil, fmt.Errorf("connect to the daemon: %w", err)
	}
	b, err := json.Marshal(r)
	if err == nil {
		_, err = conn.Write(append(b, '\n'))
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	return conn, nil
}

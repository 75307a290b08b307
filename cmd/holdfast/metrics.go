package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/metrics"
)

func init() { register(metricsCommand) }

func metricsCommand() *cobra.Command {
	var dir, listen string
	c := &cobra.Command{
		Use:   "metrics [--listen ADDR]",
		Short: "Write metrics for Prometheus, once or over HTTP",
		Long: "metrics asks the running daemon and writes its metrics in Prometheus' text format. With --listen it stays and answers\n" +
			"HTTP requests for /metrics. It is a process of its own: whoever asks too much or too slowly does not touch the daemon.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			if listen != "" {
				return serveMetrics(ctx, listen, dir)
			}
			s, err := metricsStatus(ctx, dir)
			if err != nil {
				return err
			}
			return metrics.Write(cmd.OutOrStdout(), s)
		},
	}
	c.Flags().StringVar(&dir, "run-dir", "/run/holdfast", "the daemon's run directory")
	c.Flags().StringVar(&listen, "listen", "", "answer HTTP requests at this address, for instance 127.0.0.1:9650")
	return c
}

func metricsStatus(ctx context.Context, dir string) (s control.Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = control.Do(ctx, dir, control.Request{Op: control.OpStatus}, &s)
	return s, err
}

func serveMetrics(ctx context.Context, addr, dir string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for requests: %w", err)
	}
	server := &http.Server{Handler: metricsHandler(dir), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// metricsHandler asks the daemon at every request.
func metricsHandler(dir string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", metrics.ContentType)
		s, err := metricsStatus(r.Context(), dir)
		if err != nil {
			_ = metrics.Down(w)
			return
		}
		_ = metrics.Write(w, s)
	})
	return mux
}

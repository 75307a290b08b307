package outside

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers/probe"
	"github.com/holdfast-ha/holdfast/internal/script"
)

// A check program that finds no free place has not failed itself, and has not been slow: its check must be able to tell.
func TestNoPlaceForACheckProgram(t *testing.T) {
	pool := script.NewPool(1)
	defer pool.Close()
	r := checkRunner{pool}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _, _ = r.Run(ctx, probe.Command{Argv: []string{"/bin/sleep", "60"}, Timeout: time.Minute})
	}()
	// Until the first one has the place, the second one may get it.
	for end := time.Now().Add(20 * time.Second); ; {
		short, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, _, err := r.Run(short, probe.Command{Argv: []string{"/bin/true"}, Timeout: time.Second})
		stop()
		if errors.Is(err, unix.EAGAIN) && !errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the second program ended with %v", err)
		}
	}
	cancel()
	<-ended
}

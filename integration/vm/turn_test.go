package vm

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestOneMachineAtATime(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	quiet := func(string, ...any) {}
	first, err := turn(t.Context(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	waits := make(chan struct{}, 2)
	say := func(string, ...any) { waits <- struct{}{} }
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp, second := make(chan error, 1), make(chan func(), 1)
	go func() {
		_, err := turn(ctx, say)
		gaveUp <- err
	}()
	<-waits
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("who does not want to wait any more: %v", err)
	}
	go func() {
		end, err := turn(t.Context(), say)
		if err != nil {
			t.Error(err)
		}
		second <- end
	}()
	<-waits
	if len(second) > 0 {
		t.Fatal("two at a time")
	}
	first()
	select {
	case end := <-second:
		end()
	case <-time.After(30 * time.Second):
		t.Fatal("the second one never had its turn")
	}
}

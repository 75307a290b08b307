package script

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whoever waits for the time limit does not wait for a program that will not end; the next run of that program does.
func TestPromptAnswerOfAStubbornProgram(t *testing.T) {
	p := pool(t, 2)
	mark := filepath.Join(t.TempDir(), "alive")
	// The mark is there as long as the program is: only SIGKILL ends it, KillAfter its limit, and then nobody removes the mark.
	stubborn := Command{Shell: `trap "" TERM; echo here; echo x >>` + mark + `; while :; do sleep 0.05; done`, Timeout: 300 * time.Millisecond}
	start := time.Now()
	r := p.RunPrompt(t.Context(), stubborn)
	took := time.Since(start)
	if !r.TimedOut || r.Output != "here\n" || r.Exit != -1 {
		t.Errorf("got %+v", r)
	}
	if took >= KillAfter {
		t.Errorf("the answer took %v", took)
	}
	starts := func() string { b, _ := os.ReadFile(mark); return string(b) }
	second := make(chan Result)
	go func() { second <- p.RunPrompt(t.Context(), stubborn) }()
	// A program that is another one need not wait.
	if r := p.RunPrompt(t.Context(), Command{Argv: []string{"true"}}); !r.OK() {
		t.Errorf("another program: %+v", r)
	}
	// Nor need anybody wait longer than he wants to.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if r := p.RunPrompt(ctx, stubborn); r.Err == nil && time.Since(start) < KillAfter {
		t.Errorf("the dying program was not waited for: %+v", r)
	}
	if time.Since(start) < KillAfter && starts() != "x\n" {
		t.Errorf("two of one program at once: %q", starts())
	}
	if r := <-second; !r.TimedOut || time.Since(start) < KillAfter {
		t.Errorf("the second run: %+v after %v", r, time.Since(start))
	}
	if r := p.RunPrompt(t.Context(), Command{Shell: "exit 3", Timeout: time.Minute}); r.Exit != 3 || r.TimedOut {
		t.Errorf("in time: %+v", r)
	}
}

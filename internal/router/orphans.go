package router

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// orphansEvery is how often the first process of a container looks for children that nobody waits for.
const orphansEvery = 5 * time.Second

// reapOrphans does what the first process of a PID namespace has to do: whatever a script leaves behind becomes its child, and stays a zombie until
// it is waited for. It leaves children alone that were none at the look before: those that were started here are waited for at once.
func reapOrphans(ctx context.Context) {
	var before []int
	t := time.NewTicker(orphansEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			before = reapAgain("/proc", os.Getpid(), before)
		}
	}
}

// reapAgain waits for the zombies that were there before, and answers those that are there now.
func reapAgain(proc string, parent int, before []int) []int {
	for _, pid := range before {
		_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
	}
	return zombies(proc, parent)
}

// zombies are the children of parent that have ended and were not waited for.
func zombies(proc string, parent int) (pids []int) {
	dirs, _ := filepath.Glob(filepath.Join(proc, "[0-9]*"))
	for _, dir := range dirs {
		b, err := os.ReadFile(filepath.Join(dir, "stat")) // PID (NAME) STATE PARENT ..., and a name may hold anything
		i := bytes.LastIndexByte(b, ')')
		if err != nil || i < 0 {
			continue
		}
		f := bytes.Fields(b[i+1:])
		if len(f) < 2 || f[0][0] != 'Z' || string(f[1]) != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

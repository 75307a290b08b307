//go:build linux

package lab

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a program the lab started in a node.
type Process struct {
	// Name is shown in logs.
	Name string
	// PID is the process itself.
	PID int

	lab    *Lab
	cmd    *exec.Cmd
	mu     sync.Mutex
	lines  []string
	ended  chan struct{}
	status int
}

// Start starts a program in the node and collects its output. What is left of it and of its children ends with the scenario.
func (n *Node) Start(name string, argv ...string) *Process {
	p := &Process{Name: name, lab: n.lab, ended: make(chan struct{})}
	p.cmd = exec.Command(find(argv[0]), argv[1:]...)
	p.cmd.Env = append(os.Environ(), "LANG=C")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, in, err := os.Pipe()
	if err != nil {
		n.lab.Fatalf("pipe: %v", err)
	}
	p.cmd.Stdout, p.cmd.Stderr = in, in
	n.Do(func() { err = p.cmd.Start() })
	in.Close()
	if err != nil {
		n.lab.Fatalf("%s: start %s: %v", n.Name, strings.Join(argv, " "), err)
	}
	p.PID = p.cmd.Process.Pid
	go func() {
		defer out.Close()
		scan := bufio.NewScanner(out)
		scan.Buffer(make([]byte, 1<<16), 1<<20)
		for scan.Scan() {
			p.mu.Lock()
			p.lines = append(p.lines, scan.Text())
			p.mu.Unlock()
		}
	}()
	go func() {
		err := p.cmd.Wait()
		var exit *exec.ExitError
		switch {
		case err == nil:
		case errors.As(err, &exit):
			p.status = exit.ExitCode()
		default:
			p.status = -2
		}
		close(p.ended)
	}()
	n.lab.procs = append(n.lab.procs, p)
	return p
}

// Lines returns what the process has written so far.
func (p *Process) Lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// Count tells how many lines hold the text.
func (p *Process) Count(text string) int {
	count := 0
	for _, line := range p.Lines() {
		if strings.Contains(line, text) {
			count++
		}
	}
	return count
}

// Said tells whether a line holds the text.
func (p *Process) Said(text string) bool { return p.Count(text) > 0 }

// Running tells whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Signal sends a signal to the process itself.
func (p *Process) Signal(s syscall.Signal) {
	if p.Running() {
		_ = syscall.Kill(p.PID, s)
	}
}

// Wait waits for the end and returns the exit status; -1 means that a signal ended it.
func (p *Process) Wait() int {
	p.lab.Eventually(p.Name+" ends", func() bool { return !p.Running() })
	return p.status
}

// Kill9 ends the process the hard way and waits until it is gone. Its children are left alone.
func (p *Process) Kill9() {
	p.Signal(syscall.SIGKILL)
	p.Wait()
}

// Family returns the process and its descendants, parents first.
func (p *Process) Family() []int {
	parents := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		s := string(text)
		rest := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
		if len(rest) < 2 {
			continue
		}
		pid, _ := strconv.Atoi(strings.Fields(s)[0])
		ppid, _ := strconv.Atoi(rest[1])
		if rest[0] != "Z" {
			parents[ppid] = append(parents[ppid], pid)
		}
	}
	family := []int{}
	if p.Running() {
		family = append(family, p.PID)
	}
	queue := []int{p.PID}
	for len(queue) > 0 {
		children := parents[queue[0]]
		queue = append(queue[1:], children...)
		family = append(family, children...)
	}
	return family
}

// Child waits until the process has a child other than the one given and returns it.
func (p *Process) Child(other int) int {
	pid := 0
	p.lab.Eventually(p.Name+" has a second process", func() bool {
		if f := p.Family(); len(f) > 1 && f[0] == p.PID && f[1] != other {
			pid = f[1]
		}
		return pid != 0
	})
	return pid
}

// SignalChild sends a signal to the child and returns its pid.
func (p *Process) SignalChild(s syscall.Signal) int {
	pid := p.Child(0)
	_ = syscall.Kill(pid, s)
	return pid
}

// KillAll9 ends the process and all its descendants at once, the hard way.
func (p *Process) KillAll9() {
	family := p.Family()
	for _, pid := range family {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	p.Wait()
	p.lab.Eventually(p.Name+"'s children end", func() bool {
		for _, pid := range family {
			if Alive(pid) {
				return false
			}
		}
		return true
	})
}

// Alive tells whether a process exists and is not a zombie.
func Alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	s := string(text)
	rest := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	return len(rest) > 0 && rest[0] != "Z"
}

// end kills whatever is left of the process at the scenario's end.
func (p *Process) end() {
	for _, pid := range p.Family() {
		_ = syscall.Kill(pid, syscall.SIGCONT)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	// Children that outlived their parent are still in its process group, unless they left it.
	_ = syscall.Kill(-p.PID, syscall.SIGKILL)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
	}
}

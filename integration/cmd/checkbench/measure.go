package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// measure runs one program until every check has been made, then for some rounds more, and prints what those cost; more may add to it.
func (b *bench) measure(name string, argv []string, more func()) error {
	log, err := os.Create(filepath.Join(b.dir, name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	before := b.accepted.Load()
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _ = cmd.Process.Kill() }()
	for began := time.Now(); b.accepted.Load()-before < int64(b.checks()); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 2*time.Minute+3*b.loop {
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("only %d of %d checks were made; it says:\n%s", b.accepted.Load()-before, b.checks(), tail(text))
		}
	}
	time.Sleep(b.loop / 2)
	cpu, made, start := cpuOf(cmd.Process.Pid), b.accepted.Load(), time.Now()
	time.Sleep(time.Duration(b.rounds) * b.loop)
	took := time.Since(start)
	cpu, made = cpuOf(cmd.Process.Pid)-cpu, b.accepted.Load()-made
	pss, rss := memoryOf(cmd.Process.Pid)
	due := float64(b.checks()) * took.Seconds() / b.loop.Seconds()
	fmt.Printf("%-12s %10d %11.1f%% %9.1f us %10.3f %10.1f %10.1f\n", name, made, 100*float64(made)/due,
		cpu.Seconds()*1e6/float64(max(made, 1)), cpu.Seconds()/took.Seconds(), pss, rss)
	more()
	b.end(cmd)
	return nil
}

// end stops a program with all its processes: what goes on clearing its table would slow the next one down.
func (b *bench) end(cmd *exec.Cmd) {
	all := family(cmd.Process.Pid)
	_ = cmd.Process.Signal(unix.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(15 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
	for _, pid := range all[1:] {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	for _, pid := range all[1:] {
		for unix.Kill(pid, 0) == nil {
			time.Sleep(10 * time.Millisecond)
		}
	}
	if _, err := os.Stat("/proc/net/ip_vs"); err == nil {
		_ = exec.Command("ipvsadm", "-C").Run()
	}
}

func tail(b []byte) string { return string(b[max(0, len(b)-1000):]) }

// family is the process and its descendants.
func family(pid int) []int {
	all := []int{pid}
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range children {
		text, _ := os.ReadFile(file)
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(all, family(child)...)
			}
		}
	}
	return all
}

// cpuOf is the time that the threads of a family ran, as the scheduler counts it, to the nanosecond: ticks miss what sleeps between them.
func cpuOf(pid int) (sum time.Duration) {
	for _, p := range family(pid) {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p))
		for _, file := range threads {
			text, _ := os.ReadFile(file)
			if words := strings.Fields(string(text)); len(words) > 0 {
				ns, _ := strconv.ParseInt(words[0], 10, 64)
				sum += time.Duration(ns)
			}
		}
	}
	return sum
}

// memoryOf sums, over a family, the memory in use with what is shared divided among its users, and the most that was resident, in MB.
func memoryOf(pid int) (pss, peak float64) {
	for _, p := range family(pid) {
		pss += field(fmt.Sprintf("/proc/%d/smaps_rollup", p), "Pss:")
		peak += field(fmt.Sprintf("/proc/%d/status", p), "VmHWM:")
	}
	return pss / 1024, peak / 1024
}

func field(file, name string) float64 {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if words := strings.Fields(s.Text()); len(words) > 1 && words[0] == name {
			kb, _ := strconv.ParseFloat(words[1], 64)
			return kb
		}
	}
	return 0
}

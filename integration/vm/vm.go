package vm

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options say what to run and how.
type Options struct {
	// Command is what runs in the machine, with the host's paths. Its first element must be an absolute path or a name in PATH.
	Command []string
	// Dir is the working directory; default: the caller's.
	Dir string
	// Env is added to the command's environment, as NAME=value.
	Env []string
	// Cache keeps the kernel and the run's files; it is created. It must not be inside /proc, /sys, /dev or /run.
	Cache string
	// Timeout ends the machine (default 10 minutes).
	Timeout time.Duration
	// BootTimeout is how long the machine may take until the command starts (default 2 minutes, with systemd 5). A machine that does not get there is tried twice more.
	BootTimeout time.Duration
	// MemoryMB is the machine's memory (default 2048).
	MemoryMB int
	// Systemd boots the host's systemd as PID 1 and runs the command as a unit of it.
	Systemd bool
	// Stdout takes the command's output as it comes.
	Stdout io.Writer
	// Say takes progress lines (nil: none).
	Say func(format string, a ...any)
}

// Out is where the machine sees the directory whose files the host can read afterwards; Run's Result names it on the host.
const Out = "/lab-out"

// Result is what came back.
type Result struct {
	// Status is the command's exit status.
	Status int
	// Out is the directory, on the host, of the files the command left in /lab-out.
	Out string
	// Boot is the time from qemu's start to the command's.
	Boot time.Duration
}

var errNoBoot = errors.New("the machine did not boot")

// Run boots the machine, runs the command in it and returns its exit status. An error means that no exit status could be had: no kernel, no boot, timeout.
// Only one machine runs at a time on a host; others wait for their turn.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.BootTimeout == 0 {
		o.BootTimeout = 2 * time.Minute
		if o.Systemd {
			o.BootTimeout = 5 * time.Minute
		}
	}
	if o.MemoryMB == 0 {
		o.MemoryMB = 2048
	}
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Dir == "" {
		dir, err := os.Getwd()
		if err != nil {
			return Result{}, err
		}
		o.Dir = dir
	}
	cache, err := filepath.Abs(o.Cache)
	if err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return Result{}, err
	}
	kernel, err := FindKernel(ctx, filepath.Join(cache, "kernel"), o.Say)
	if err != nil {
		return Result{}, err
	}
	unlock, err := turn(ctx, o.Say)
	if err != nil {
		return Result{}, err
	}
	defer unlock()
	forget(cache)
	for try := 1; ; try++ {
		res, err := boot(ctx, o, cache, kernel)
		if !errors.Is(err, errNoBoot) || try == 3 || ctx.Err() != nil {
			return res, err
		}
		o.Say("RETRY %d of 2: %v", try, err)
	}
}

// forget removes all but the newest files of earlier runs.
func forget(cache string) {
	runs, _ := filepath.Glob(filepath.Join(cache, "run-*"))
	age := func(path string) time.Time {
		if info, err := os.Stat(path); err == nil {
			return info.ModTime()
		}
		return time.Time{}
	}
	sort.Slice(runs, func(i, j int) bool { return age(runs[i]).After(age(runs[j])) })
	for _, old := range runs[min(len(runs), 4):] {
		os.RemoveAll(old)
	}
}

// turn waits until no other machine of this host's labs runs.
func turn(ctx context.Context, say func(string, ...any)) (func(), error) {
	path := filepath.Join(os.TempDir(), "holdfast-lab-vm.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return func() { f.Close() }, nil
	}
	say("another machine runs here; waiting for its end")
	mine := make(chan error, 1)
	go func() { // in the kernel's queue: who looks now and then may wait for ever
		err := error(syscall.EINTR)
		for errors.Is(err, syscall.EINTR) {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		}
		mine <- err
		if ctx.Err() != nil {
			f.Close()
		}
	}()
	select {
	case err := <-mine:
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("wait for %s: %w", path, err)
		}
		return func() { f.Close() }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func boot(ctx context.Context, o Options, cache string, k Kernel) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	run, err := os.MkdirTemp(cache, "run-")
	if err != nil {
		return Result{}, err
	}
	keep := false
	defer func() {
		if !keep {
			os.RemoveAll(run)
		}
	}()
	shared := filepath.Join(run, "shared")
	if err := os.MkdirAll(filepath.Join(shared, "out"), 0o777); err != nil {
		return Result{}, err
	}
	if err := writeScripts(o, k, shared); err != nil {
		return Result{}, err
	}
	initramfs := filepath.Join(run, "initramfs")
	if err := buildInitramfs(ctx, k, initramfs); err != nil {
		return Result{}, err
	}
	// Sockets have short names: a unix socket's path may have 107 bytes.
	sockets, err := os.MkdirTemp("", "hflab")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(sockets)
	var ends []func()
	defer func() {
		for _, end := range ends {
			end()
		}
	}()
	// Nothing that the machine reads of the host's root changes while it runs: every program may stay in the machine's memory. Without that each
	// start of one reads all of it again, and those that run of the same file too.
	for _, share := range []struct{ tag, dir, cache string }{{"root", "/", "always"}, {"shared", shared, "auto"}} {
		end, err := serve(ctx, share.dir, share.cache, filepath.Join(sockets, share.tag), filepath.Join(run, "virtiofsd-"+share.tag+".log"))
		if err != nil {
			return Result{}, err
		}
		ends = append(ends, end)
	}
	qemu := exec.CommandContext(ctx, "qemu-system-x86_64", qemuArgs(o, k, initramfs, sockets, run)...)
	stdin, err := qemu.StdinPipe()
	if err != nil {
		return Result{}, err
	}
	defer stdin.Close()
	var complaints bytes.Buffer
	qemu.Stderr = &complaints
	out, err := qemu.StdoutPipe()
	if err != nil {
		return Result{}, err
	}
	qemu.WaitDelay = 5 * time.Second
	start := time.Now()
	o.Say("booting %s (%d MB, emulated)", k.Version, o.MemoryMB)
	if err := qemu.Start(); err != nil {
		return Result{}, fmt.Errorf("start qemu: %w (run integration/setup.sh)", err)
	}
	started := filepath.Join(shared, "started")
	watch := time.AfterFunc(o.BootTimeout, func() {
		if _, err := os.Stat(started); err != nil {
			cancel()
		}
	})
	defer watch.Stop()
	var bootTime time.Duration
	tail := stream(out, o.Stdout, func() {
		bootTime = time.Since(start)
		o.Say("up after %.1f s", bootTime.Seconds())
	})
	waitErr := qemu.Wait()
	res := Result{Out: filepath.Join(shared, "out"), Boot: bootTime}
	text, err := os.ReadFile(filepath.Join(shared, "status"))
	if err == nil {
		if res.Status, err = strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			keep = true
			return res, nil
		}
	}
	keep = true
	if _, err := os.Stat(started); err != nil {
		return res, fmt.Errorf("%w within %v (%v %s); its last words: %s; its log: %s", errNoBoot, o.BootTimeout, waitErr, strings.TrimSpace(complaints.String()), strings.Join(tail(), " | "), run)
	}
	if ctx.Err() != nil {
		return res, fmt.Errorf("ended after its timeout of %v; its last words: %s; its log: %s", o.Timeout, strings.Join(tail(), " | "), run)
	}
	return res, fmt.Errorf("the machine stopped without an exit status (%v); %s; its log: %s", waitErr, strings.TrimSpace(complaints.String()), run)
}

// started marks, in the machine's output, that the command starts now.
const startedMark = "lab: the command starts"

// stream copies the console line by line, without the carriage returns of a terminal, until it ends; the function returned gives the last lines.
func stream(from io.Reader, to io.Writer, up func()) func() []string {
	var mu sync.Mutex
	var last []string
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if text := strings.TrimRight(line, "\r\n"); text != "" || err == nil {
			text = strings.ReplaceAll(text, "\r", "")
			if text == startedMark {
				up()
			} else {
				fmt.Fprintln(to, text)
			}
			mu.Lock()
			if last = append(last, text); len(last) > 8 {
				last = last[1:]
			}
			mu.Unlock()
		}
		if err != nil {
			break
		}
	}
	return func() []string { return last }
}

// serve starts the file server of one share and waits for its socket.
func serve(ctx context.Context, dir, cache, socket, log string) (func(), error) {
	f, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	args := []string{"--socket-path=" + socket, "-o", "source=" + dir, "-o", "cache=" + cache, "-o", "sandbox=chroot", "--thread-pool-size=4"}
	path := "/usr/lib/qemu/virtiofsd" // the one that comes with Debian 12's qemu
	if !isFile(path) {
		path, args = tool("virtiofsd"), []string{"--socket-path=" + socket, "--shared-dir=" + dir, "--cache=" + cache, "--sandbox=chroot"}
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start virtiofsd: %w (run integration/setup.sh)", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	end := func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		if _, err := os.Stat(socket); err == nil {
			return end, nil
		}
		select {
		case err := <-ended:
			text, _ := os.ReadFile(log)
			return nil, fmt.Errorf("virtiofsd of %s ended: %v: %s", dir, err, lastLines(text))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			end()
			return nil, fmt.Errorf("virtiofsd of %s made no socket within 30 s", dir)
		}
	}
}

// qemuArgs: the processor's own counter is the machine's clock. Left to itself the kernel does not trust it and asks the HPET, which the emulator answers
// under its one lock, each time.
func qemuArgs(o Options, k Kernel, initramfs, sockets, run string) []string {
	args := []string{
		"-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", strconv.Itoa(o.MemoryMB),
		"-object", fmt.Sprintf("memory-backend-memfd,id=mem,size=%dM,share=on", o.MemoryMB), "-machine", "q35,memory-backend=mem",
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
		"-kernel", k.Image, "-initrd", initramfs,
		"-append", "console=ttyS0 loglevel=4 panic=-1 oops=panic random.trust_cpu=on mitigations=off audit=0 clocksource=tsc tsc=reliable systemd.unified_cgroup_hierarchy=1",
		"-serial", "file:" + filepath.Join(run, "kernel.log"),
		"-device", "virtio-serial-pci", "-chardev", "stdio,id=console,signal=off", "-device", "virtconsole,chardev=console",
	}
	for _, tag := range []string{"root", "shared"} {
		args = append(args, "-chardev", "socket,id="+tag+",path="+filepath.Join(sockets, tag), "-device", "vhost-user-fs-pci,queue-size=1024,chardev="+tag+",tag="+tag)
	}
	return args
}

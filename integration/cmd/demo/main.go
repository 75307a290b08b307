// Command demo tells the story of two directors, three real servers and a client. On a kernel without IPVS it runs inside the lab's virtual machine.
//
//	demo -holdfast PATH
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
	"github.com/holdfast-ha/holdfast/integration/story"
	"github.com/holdfast-ha/holdfast/integration/vm"
)

func main() {
	inside := flag.Bool("inside", false, "this kernel has IPVS: tell the story here")
	interval := flag.Int("interval", 1, "seconds between advertisements")
	holdfast := flag.String("holdfast", "bin/holdfast", "the binary to show")
	cache := flag.String("cache", ".lab", "directory of the virtual machine's kernel")
	flag.Parse()
	if err := run(*inside, *interval, *holdfast, *cache); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(inside bool, interval int, holdfast, cache string) error {
	if os.Getuid() != 0 {
		return errors.New("needs root: it makes network namespaces")
	}
	if _, err := os.Stat(holdfast); err != nil {
		return fmt.Errorf("no binary to show: %w (make build)", err)
	}
	if inside || hasIPVS() {
		// From memory: in the machine, the first pages of a program come slowly over its file system.
		if text, err := os.ReadFile(holdfast); err == nil && inside {
			quick := filepath.Join("/dev/shm", fmt.Sprintf("holdfast-demo-%d", os.Getpid()))
			if os.WriteFile(quick, text, 0o755) == nil {
				holdfast = quick
				defer os.Remove(quick)
			}
		}
		if err := os.Setenv("HOLDFAST", holdfast); err != nil {
			return err
		}
		_ = exec.Command("modprobe", "-a", "ip_vs_rr", "veth", "bridge").Run()
		lab.Patience = 2 * time.Minute
		return story.Tell(interval, func(line string) { fmt.Println(line) })
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Println("This kernel has no IPVS: the story runs in a small emulated virtual machine with a Debian kernel, so everything is some ten times slower than on real iron.")
	res, err := vm.Run(ctx, vm.Options{
		// A process starts so slowly there that a restart within two short intervals is out of reach.
		Command: []string{self, "-inside", "-interval", "2", "-holdfast", holdfast}, Cache: cache, Timeout: 15 * time.Minute, Stdout: os.Stdout,
		Say: func(format string, a ...any) { fmt.Printf("vm: "+format+"\n", a...) },
	})
	if err == nil && res.Status != 0 {
		err = fmt.Errorf("the story ended with status %d", res.Status)
	}
	return err
}

// hasIPVS tells whether this kernel has IPVS, loading the module if it is one.
func hasIPVS() bool {
	_ = exec.Command("modprobe", "ip_vs").Run()
	_, err := os.Stat("/proc/net/ip_vs")
	return err == nil
}

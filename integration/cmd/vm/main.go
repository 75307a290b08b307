// Command vm runs a command in the lab's virtual machine and exits with its status:
//
//	go run ./integration/cmd/vm [-timeout 10m] [-systemd] [-env NAME=value] -- COMMAND [ARGUMENT...]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/holdfast-ha/holdfast/integration/vm"
)

func main() { os.Exit(run()) }

func run() int {
	var o vm.Options
	flag.DurationVar(&o.Timeout, "timeout", 10*time.Minute, "end the machine after this time")
	flag.IntVar(&o.MemoryMB, "memory", 2048, "memory in MB")
	flag.BoolVar(&o.Systemd, "systemd", false, "boot systemd and run the command as its unit")
	flag.StringVar(&o.Cache, "cache", ".lab", "directory of the kernel and of the runs' files")
	flag.Func("env", "NAME=value for the command (may be repeated)", func(s string) error {
		o.Env = append(o.Env, s)
		return nil
	})
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: vm [-timeout 10m] [-systemd] -- COMMAND [ARGUMENT...]")
		return 2
	}
	o.Command = flag.Args()
	o.Stdout = os.Stdout
	o.Say = func(format string, a ...any) { fmt.Fprintf(os.Stderr, "vm: "+format+"\n", a...) }
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	res, err := vm.Run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
		return 1
	}
	return res.Status
}

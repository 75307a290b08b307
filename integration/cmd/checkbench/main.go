// Checkbench measures what checks cost: Holdfast next to keepalived and to a bare loop of connects, with the same servers at the same rate, in one run.
// It prints and judges nothing. Without IPVS in the kernel keepalived checks nothing, so then it is left out (the Makefile runs both: here and in the
// virtual machine). Everything happens on the loopback of a network namespace of its own; root is needed.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const port = 8099

func main() {
	services := flag.Int("services", 1000, "virtual servers")
	servers := flag.Int("servers", 10, "real servers of each")
	loop := flag.Int("loop", 10, "delay_loop in seconds")
	rounds := flag.Int("rounds", 3, "how many times delay_loop to measure")
	http := flag.Bool("http", false, "HTTP_GET instead of TCP_CHECK")
	holdfast := flag.String("holdfast", "", "the program")
	keepalived := flag.String("keepalived", "/usr/sbin/keepalived", "the other program")
	only := flag.String("only", "", "measure nothing but this: 'bare loop', keepalived or holdfast")
	bare := flag.Bool("bare", false, "internal: be the bare loop")
	flag.Parse()
	b := bench{services: *services, servers: *servers, loop: time.Duration(*loop) * time.Second, rounds: *rounds, http: *http, only: *only}
	var err error
	switch {
	case *bare:
		err = b.bareLoop()
	case os.Getenv("CHECKBENCH_NAMESPACE") == "":
		err = again()
	default:
		err = b.run(*holdfast, *keepalived)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "checkbench:", err)
		os.Exit(1)
	}
}

// again runs this program in a network namespace of its own.
func again() error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), "CHECKBENCH_NAMESPACE=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	return cmd.Run()
}

type bench struct {
	services, servers int
	loop              time.Duration
	rounds            int
	http              bool
	only              string
	accepted          atomic.Int64
	dir               string
}

func (b *bench) checks() int { return b.services * b.servers }

func address(i int) [4]byte { return [4]byte{127, byte(1 + i>>16), byte(i >> 8), byte(i)} }

func (b *bench) run(holdfast, keepalived string) error {
	for _, args := range []string{"link set lo up"} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	raiseFiles()
	dir, err := os.MkdirTemp("/run", "checkbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	if err := b.serve(); err != nil {
		return err
	}
	conf := filepath.Join(dir, "conf")
	if err := os.WriteFile(conf, []byte(b.config()), 0o644); err != nil {
		return err
	}
	kind := "TCP_CHECK"
	if b.http {
		kind = "HTTP_GET"
	}
	fmt.Printf("%d x %d %s every %v, measured for %d rounds\n", b.services, b.servers, kind, b.loop, b.rounds)
	fmt.Printf("%-12s %10s %12s %12s %10s %10s %10s\n", "", "attempts", "of those due", "CPU/attempt", "cores", "PSS MB", "max RSS MB")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	type contestant struct {
		name string
		argv []string
	}
	all := []contestant{{"bare loop", append([]string{self, "-bare"}, os.Args[1:]...)}}
	if _, err := os.Stat("/proc/net/ip_vs"); err == nil {
		all = append(all, contestant{"keepalived", []string{keepalived, "-n", "-C", "-f", conf, "-p", dir + "/k.pid", "-c", dir + "/c.pid"}})
	} else {
		fmt.Println("(no IPVS here: keepalived would check nothing)")
	}
	all = append(all, contestant{"holdfast", []string{holdfast, "run", "-c", conf, "--run-dir", filepath.Join(dir, "h")}})
	for _, c := range all {
		if b.only != "" && b.only != c.name {
			continue
		}
		more := func() {}
		if c.name == "holdfast" {
			more = func() { tellLateness(holdfast, filepath.Join(dir, "h")) }
		}
		if err := b.measure(c.name, c.argv, more); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// tellLateness prints what Holdfast itself says of its checks.
func tellLateness(holdfast, runDir string) {
	out, _ := exec.Command(holdfast, "metrics", "--run-dir", runDir).Output()
	for _, line := range strings.Split(string(out), "\n") {
		for _, name := range []string{"holdfast_checks_lateness_seconds_bucket", "holdfast_checks_attempts_total", "holdfast_checks_lateness_max"} {
			if strings.HasPrefix(line, name) {
				fmt.Println("   ", line)
			}
		}
	}
}

func raiseFiles() {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &l)
	}
}

// serve answers every address of the loopback, in this process, whose CPU time does not count.
func (b *bench) serve() error {
	l, err := net.Listen("tcp4", fmt.Sprintf("0.0.0.0:%d", port))
	if err != nil {
		return err
	}
	for range 4 {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					time.Sleep(time.Millisecond)
					continue
				}
				b.accepted.Add(1)
				if !b.http {
					c.Close()
					continue
				}
				go func() {
					defer c.Close()
					r := bufio.NewReader(c)
					for {
						line, err := r.ReadString('\n')
						if err != nil {
							return
						}
						if line == "\r\n" {
							break
						}
					}
					_, _ = c.Write([]byte("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"))
				}()
			}
		}()
	}
	return nil
}

func (b *bench) config() string {
	var s strings.Builder
	s.WriteString("global_defs {\n router_id bench\n}\n")
	check := "TCP_CHECK {\n   connect_port %d\n   connect_timeout 5\n  }"
	if b.http {
		check = "HTTP_GET {\n   url {\n    path /\n    status_code 200\n   }\n   connect_port %d\n   connect_timeout 5\n  }"
	}
	check = fmt.Sprintf(check, port)
	for v := range b.services {
		fmt.Fprintf(&s, "virtual_server 198.18.%d.%d 80 {\n delay_loop %d\n lb_algo wlc\n lb_kind NAT\n protocol TCP\n", v>>8, v&255, int(b.loop.Seconds()))
		for r := range b.servers {
			a := address(v*b.servers + r)
			fmt.Fprintf(&s, " real_server %d.%d.%d.%d 80 {\n  weight 1\n  %s\n }\n", a[0], a[1], a[2], a[3], check)
		}
		s.WriteString("}\n")
	}
	return s.String()
}

package probe

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

// The server of the benchmarks is a process of its own, so that its CPU time does not count.
const serverEnv = "HOLDFAST_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(starvedEnv) != "" {
		starved()
		return
	}
	if os.Getenv(serverEnv) != "" {
		benchServer()
		return
	}
	os.Exit(m.Run())
}

func benchServer() {
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		return
	}
	fmt.Println(l.Addr())
	go func() { _, _ = bufio.NewReader(os.Stdin).ReadString('\n'); os.Exit(0) }()
	for {
		c, err := l.Accept()
		if err != nil {
			continue
		}
		go func() {
			defer c.Close()
			line, err := bufio.NewReader(c).ReadString('\n')
			if err == nil && strings.HasPrefix(line, "GET ") {
				_, _ = c.Write([]byte("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"))
			}
		}()
	}
}

func startBenchServer(b *testing.B) netip.AddrPort {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), serverEnv+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return netip.MustParseAddrPort(strings.TrimSpace(line))
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// spread gives attempts addresses of their own in 127.0.0.0/8, so that free ports need not be searched for.
func spread(at netip.AddrPort, i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, byte(i / 199 % 199), byte(i % 199), 1}), at.Port())
}

func benchKind(b *testing.B, what checkers.Probe, workers int) {
	p := New(Options{})
	defer p.Close()
	before := cpu(b)
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for w := range workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := w; i < b.N; i += workers {
				what := what
				if what.Target.Port() != 0 {
					what.Target = spread(what.Target, i)
				}
				if r := p.Probe(context.Background(), &what); !r.OK {
					b.Errorf("%s %s", r.Reason, r.Detail)
					return
				}
			}
		}()
	}
	all.Wait()
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1000, "cpu-us/op")
}

func BenchmarkTCP(b *testing.B) {
	at := startBenchServer(b)
	benchKind(b, checkers.Probe{Kind: checkers.TCP, Target: at}, 50)
}

func BenchmarkTCPDialer(b *testing.B) {
	at := startBenchServer(b)
	before := cpu(b)
	b.ReportAllocs()
	var all sync.WaitGroup
	for w := range 50 {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := w; i < b.N; i += 50 {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				c, err := dialTCP(ctx, &checkers.Probe{Target: spread(at, i)})
				if err == nil {
					c.Close()
				}
				cancel()
				if err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	all.Wait()
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1000, "cpu-us/op")
}

func BenchmarkHTTP(b *testing.B) {
	at := startBenchServer(b)
	benchKind(b, checkers.Probe{Kind: checkers.HTTP, Target: at, Params: &checkers.HTTPParams{URLs: []checkers.URL{{Path: "/"}}}}, 50)
}

func BenchmarkPing(b *testing.B) {
	benchKind(b, checkers.Probe{Kind: checkers.Ping, Target: netip.MustParseAddrPort("127.0.0.1:0")}, 50)
}

// BenchmarkBareEpoll is the least a TCP check can cost: connect, wait, close, from one thread.
func BenchmarkBareEpoll(b *testing.B) {
	at := startBenchServer(b)
	before := cpu(b)
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(ep)
	events := make([]unix.EpollEvent, 64)
	open, started, ended := 0, 0, 0
	for ended < b.N {
		for open < 50 && started < b.N {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				b.Fatal(err)
			}
			to := spread(at, started)
			started++
			if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}); err == nil {
				unix.Close(fd)
				ended++
				continue
			} else if err != unix.EINPROGRESS {
				b.Fatal(err)
			}
			if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(fd)}); err != nil {
				b.Fatal(err)
			}
			open++
		}
		if open == 0 {
			continue
		}
		n, err := unix.EpollWait(ep, events, 1000)
		if err != nil && err != unix.EINTR {
			b.Fatal(err)
		}
		for _, e := range events[:max(n, 0)] {
			_, _ = unix.GetsockoptInt(int(e.Fd), unix.SOL_SOCKET, unix.SO_ERROR)
			unix.Close(int(e.Fd))
			open--
			ended++
		}
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1000, "cpu-us/op")
}

package logs

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestSyslog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	listen := func() *net.UnixConn {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	daemon := listen()
	s := &Syslog{Path: path, Facility: 16, Tag: "keepalived"}
	read := func() string {
		b := make([]byte, 1000)
		n, err := daemon.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	if _, err := s.Write([]byte("<3>bad\n")); err != nil {
		t.Fatal(err)
	}
	if got := read(); !regexp.MustCompile(`^<131>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d keepalived\[\d+\]: bad$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	daemon.Close()
	if _, err := s.Write([]byte("<6>lost\n")); err == nil {
		t.Error("nobody listens")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	daemon = listen() // a restarted log daemon
	defer daemon.Close()
	if _, err := s.Write([]byte("again\n")); err != nil {
		t.Fatal(err)
	}
	if got := read(); !regexp.MustCompile(`^<134>.*: again$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
}

func TestFacility(t *testing.T) {
	for word, want := range map[string]int{"": 3, "daemon": 3, "user": 1, "0": 16, "local7": 23, "7": 23} {
		if got, err := Facility(word); err != nil || got != want {
			t.Errorf("%q: got %d %v, want %d", word, got, err, want)
		}
	}
	for _, word := range []string{"8", "local8", "-1", "mail"} {
		if _, err := Facility(word); err == nil {
			t.Errorf("%q must be refused", word)
		}
	}
}

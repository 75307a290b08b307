package logs

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// Facility is a syslog facility (RFC 5424 section 6.2.1) by the name that keepalived's -S takes for it.
func Facility(word string) (int, error) {
	n, err := strconv.Atoi(word)
	switch {
	case word == "" || word == "daemon":
		return 3, nil
	case word == "user":
		return 1, nil
	case len(word) == 6 && word[:5] == "local" && word[5] >= '0' && word[5] <= '7':
		return 16 + int(word[5]-'0'), nil
	case err == nil && n >= 0 && n <= 7:
		return 16 + n, nil
	}
	return 0, fmt.Errorf("syslog facility %q: use 0 to 7, local0 to local7, user or daemon", word)
}

// Syslog is the local system log (RFC 3164 over /dev/log, as every C program writes it). Its lines must begin with the "<N>" of a Writer with
// priority. It connects when it is first written to and again after the log daemon was restarted.
type Syslog struct {
	// Path is the socket, /dev/log when empty.
	Path string
	// Facility is from Facility; Tag is the name of the program.
	Facility int
	Tag      string

	mu   sync.Mutex
	conn net.Conn
}

// Write sends one line.
func (s *Syslog) Write(p []byte) (int, error) {
	level, text := 6, bytes.TrimRight(p, "\n")
	if len(text) > 3 && text[0] == '<' && text[2] == '>' {
		level, text = int(text[1]-'0'), text[3:]
	}
	line := fmt.Sprintf("<%d>%s %s[%d]: %s", s.Facility<<3|level, time.Now().Format(time.Stamp), s.Tag, os.Getpid(), text)
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 2 {
		if s.conn == nil {
			path := s.Path
			if path == "" {
				path = "/dev/log"
			}
			conn, err := net.Dial("unixgram", path)
			if err != nil {
				return 0, fmt.Errorf("write to the system log: %w", err)
			}
			s.conn = conn
		}
		if _, err := s.conn.Write([]byte(line)); err == nil {
			return len(p), nil
		}
		s.conn.Close()
		s.conn = nil
	}
	return 0, errors.New("write to the system log: it closed the connection twice")
}

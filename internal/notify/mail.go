package notify

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
)

const (
	// mailBurst mails go out one by one; after that one a mailEvery, holding everything that has gathered meanwhile. An incident
	// that flaps a thousand servers is then some ten mails, not a thousand.
	mailBurst = 10
	mailEvery = time.Minute
	// mailTries is how often a mail is offered to the relay, mailPause apart.
	mailTries = 3
	mailPause = 30 * time.Second
	// maxAlerts bounds what gathers while the relay is away.
	maxAlerts = 2000
)

// alert is one mail that somebody wants sent.
type alert struct {
	subject, body string
	at            time.Time
	tries         int
}

// mailer sends mail from a goroutine of its own.
type mailer struct {
	bus  *event.Bus
	send func(ctx context.Context, conf Mail, subject, body string, at time.Time) error
	wake chan struct{}
	last chan struct{} // closed: send what is left, without pauses, and end
	ctx  context.Context
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	conf    Mail
	waiting []alert
	dropped int
}

func newMailer(bus *event.Bus) *mailer {
	m := &mailer{bus: bus, send: sendMail, wake: make(chan struct{}, 1), last: make(chan struct{}), done: make(chan struct{})}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

func (m *mailer) apply(conf Mail) {
	if conf.Timeout <= 0 {
		conf.Timeout = 30 * time.Second
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conf = conf
}

// post takes a mail and returns at once.
func (m *mailer) post(subject, body string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.conf.enabled() {
		return
	}
	if len(m.waiting) >= maxAlerts {
		m.waiting = m.waiting[1:]
		m.dropped++
	}
	m.waiting = append(m.waiting, alert{subject: subject, body: body, at: time.Now()})
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *mailer) run() {
	defer close(m.done)
	tokens, refilled := mailBurst, time.Now()
	ending := false
	for {
		m.mu.Lock()
		n := len(m.waiting)
		m.mu.Unlock()
		if n == 0 {
			if ending {
				return
			}
			select {
			case <-m.wake:
			case <-m.last:
				ending = true
			}
			continue
		}
		if more := int(time.Since(refilled) / mailEvery); more > 0 {
			tokens = min(mailBurst, tokens+more)
			refilled = refilled.Add(time.Duration(more) * mailEvery)
		}
		if tokens == 0 && !ending {
			ending = m.pause(time.Until(refilled.Add(mailEvery)))
			continue
		}
		batch, conf, dropped := m.take(tokens > 1 && (!ending || n <= mailBurst))
		if tokens > 0 {
			tokens--
		}
		if !m.deliver(conf, batch, dropped, ending) {
			if !ending {
				ending = m.pause(mailPause)
			}
		}
		if m.ctx.Err() != nil {
			return
		}
	}
}

// pause waits and says whether the end came meanwhile.
func (m *mailer) pause(d time.Duration) (ending bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return false
	case <-m.last:
		return true
	}
}

// take takes the next mail from the line, or everything.
func (m *mailer) take(one bool) ([]alert, Mail, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.waiting)
	if one {
		n = 1
	}
	batch := append([]alert(nil), m.waiting[:n]...)
	m.waiting = m.waiting[n:]
	dropped := m.dropped
	if !one {
		m.dropped = 0
	}
	return batch, m.conf, dropped
}

// deliver sends a batch as one mail. What the relay did not take goes back to the head of the line, up to mailTries times.
func (m *mailer) deliver(conf Mail, batch []alert, dropped int, ending bool) bool {
	subject, body := compose(conf.RouterID, batch, dropped)
	ctx, cancel := context.WithTimeout(m.ctx, 4*conf.Timeout)
	defer cancel()
	err := m.send(ctx, conf, subject, body, batch[0].at)
	if err == nil {
		m.bus.Publish(event.MailSent.With(subject, len(batch)))
		return true
	}
	m.bus.Publish(event.MailFailed.With(conf.Server, subject, err))
	var again []alert
	for _, a := range batch {
		if a.tries++; a.tries < mailTries && !ending {
			again = append(again, a)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = append(again, m.waiting...)
	return false
}

// close sends what waits and ends, at the latest when ctx does.
func (m *mailer) close(ctx context.Context) {
	close(m.last)
	select {
	case <-m.done:
	case <-ctx.Done():
	}
	m.stop()
	<-m.done
}

// compose makes one mail of one or more alerts.
func compose(router string, batch []alert, dropped int) (subject, body string) {
	if len(batch) == 1 && dropped == 0 {
		return batch[0].subject, batch[0].body
	}
	var b strings.Builder
	if dropped > 0 {
		fmt.Fprintf(&b, "%d older alerts were dropped.\n\n", dropped)
	}
	for _, a := range batch {
		fmt.Fprintf(&b, "%s  %s\n", a.at.UTC().Format(time.RFC3339), a.subject)
	}
	return fmt.Sprintf("[%s] %d alerts", router, len(batch)), b.String()
}

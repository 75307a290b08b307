package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSubjects(t *testing.T) {
	for got, want := range map[string]string{
		vrrpSubject("R1", instance, "VI_1", Master):                          "[R1] VRRP Instance VI_1 - Entering MASTER state",
		vrrpSubject("R1", group, "G1", Fault):                                "[R1] VRRP Group G1 - Entering FAULT state",
		vrrpSubject("R1", instance, "VI_1", Stop):                            "[R1] VRRP Instance VI_1 - Stopping",
		vrrpSubject("R1", instance, "VI_1", Deleted):                         "[R1] VRRP Instance VI_1 - Deleted",
		serverSubject("R1", "[10.0.0.2]:tcp:80", "[10.0.0.1]:tcp:80", false): "[R1] Realserver [10.0.0.2]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN",
		virtualSubject("R1", "[10.0.0.1]:tcp:80", true):                      "[R1] Virtualserver [10.0.0.1]:tcp:80 - UP",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// outbox is a relay that takes mails, or not.
type outbox struct {
	mu    sync.Mutex
	mails []string
	err   error
	tries int
}

func (o *outbox) send(_ context.Context, _ Mail, subject, body string, _ time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tries++
	if o.err != nil {
		return o.err
	}
	o.mails = append(o.mails, fmt.Sprintf("%s (%d lines)", subject, strings.Count(body, "\n")))
	return nil
}

func (o *outbox) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	got := o.mails
	o.mails = nil
	return got
}

func testMailer(o *outbox) *mailer {
	m := newMailer(nil)
	m.send = o.send
	m.apply(Mail{RouterID: "R1", Server: "relay:25", From: "a@b", To: []string{"c@d"}})
	go m.run()
	return m
}

func TestAStormOfAlertsIsAFewMails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outbox
		m := testMailer(&o)
		for i := range 3 {
			m.post(fmt.Sprint("alert ", i), "body")
		}
		synctest.Wait()
		if got := o.take(); len(got) != 3 || got[0] != "alert 0 (0 lines)" {
			t.Errorf("a few alerts go out one by one: %v", got)
		}
		<-time.After(time.Hour)
		for i := range 1000 {
			m.post(fmt.Sprint("alert ", i), "body")
			<-time.After(100 * time.Millisecond)
		}
		<-time.After(10 * time.Minute)
		got := o.take()
		total := 0
		for _, mail := range got {
			n := 1
			if _, err := fmt.Sscanf(mail, "[R1] %d alerts", &n); err == nil && !strings.Contains(mail, fmt.Sprintf("(%d lines)", n)) {
				t.Errorf("a digest names every alert: %s", mail)
			}
			total += n
		}
		if len(got) > mailBurst+5 || total != 1000 {
			t.Errorf("%d mails for %d alerts: %v", len(got), total, got)
		}
		m.close(context.Background())
	})
}

func TestRelayThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := outbox{err: errors.New("connection refused")}
		m := testMailer(&o)
		m.post("first", "x")
		<-time.After(45 * time.Second)
		o.mu.Lock()
		o.err = nil
		o.mu.Unlock()
		<-time.After(time.Minute)
		if got := o.take(); len(got) != 1 || !strings.HasPrefix(got[0], "first") {
			t.Errorf("a mail is tried again: %v", got)
		}
		o.mu.Lock()
		o.err, o.tries = errors.New("refused"), 0
		o.mu.Unlock()
		m.post("second", "x")
		<-time.After(time.Hour)
		if o.tries != mailTries {
			t.Errorf("tried %d times", o.tries)
		}
		m.post("third", "x")
		m.post("fourth", "x")
		synctest.Wait()
		m.close(context.Background())
	})
}

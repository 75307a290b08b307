//go:build vm

package suite

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// What both daemons are given. No server answers: those with a check are alpha, so that the tables do not depend on the time.
const sameBefore = `
virtual_server 192.0.2.1 80 {
    lvs_sched wrr
    lvs_method NAT
    protocol TCP
    persistence_timeout
    persistence_granularity 255.255.255.0
    real_server 10.0.0.1 80 {
        weight 3
        uthreshold 100
        lthreshold 50
    }
    real_server 10.0.0.2 8080 {
        weight 0
    }
}
virtual_server 192.0.2.2 0 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    persistence_timeout 100
    real_server 10.0.0.1 0 {
    }
}
virtual_server 2001:db8::1 443 {
    lb_algo sh
    lb_kind DR
    protocol TCP
    persistence_granularity 64
    sh-port
    sh-fallback
    real_server fd00::1 443 {
        weight 65535
    }
}
virtual_server 192.0.2.3 5060 {
    lb_algo rr
    lb_kind NAT
    protocol UDP
    persistence_engine sip
    persistence_timeout 30
    ops
    real_server 10.0.0.1 5060 {
    }
}
virtual_server 192.0.2.4 5061 {
    lb_algo mh
    mh-port
    mh-fallback
    real_server 10.0.0.1 5060 {
        weight 2
    }
}
virtual_server 192.0.2.5 36412 {
    lb_kind NAT
    protocol SCTP
    real_server 10.0.0.1 36412 {
    }
}
virtual_server 192.0.2.6 80 {
    lb_algo lblcr
    lb_kind TUN
    protocol TCP
    weight 7
    real_server 10.0.0.1 80 {
    }
    real_server 10.0.0.2 80 {
        lvs_method NAT
    }
    real_server 10.0.0.3 80 {
        lvs_method TUN type gue port 6080 csum
    }
    real_server 10.0.0.4 80 {
        lvs_method TUN type gre nocsum
    }
    real_server fd00::5 80 {
        weight 1
    }
}
virtual_server 192.0.2.7 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    alpha
    omega
    sorry_server 192.0.2.200 80
    sorry_server_inhibit
    inhibit_on_failure
    real_server 10.0.0.1 80 {
        weight 4
        TCP_CHECK {
            connect_timeout 30
        }
    }
    real_server 10.0.0.2 80 {
        TCP_CHECK {
            connect_timeout 30
        }
    }
}
virtual_server 192.0.2.8 80 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    quorum 4
    hysteresis 1
    sorry_server 127.0.0.1 8888
    real_server 10.0.0.1 80 {
        weight 2
    }
    real_server 10.0.0.2 80 {
        weight 2
    }
}
virtual_server 192.0.2.9 80 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    sorry_server 127.0.0.1 8888
    real_server 10.0.0.1 80 {
        alpha
        inhibit_on_failure
        weight 2
        TCP_CHECK {
            connect_timeout 30
        }
    }
    real_server 10.0.0.2 81 {
        weight 5
    }
}
virtual_server fwmark 5 {
    lb_algo rr
    lb_kind DR
    ip_family inet6
    persistence_timeout 60
    real_server fd00::1 {
        weight 3
    }
}
virtual_server fwmark 5 {
    lb_kind NAT
    real_server 10.0.0.1 0 {
    }
    real_server 10.0.0.2 8080 {
    }
}
virtual_server_group v4 {
    198.51.100.1-3 80
    198.51.100.9 443
    fwmark 8
}
virtual_server group v4 {
    lb_algo sed
    lb_kind NAT
    protocol TCP
    real_server 10.0.0.1 8080 {
        weight 2
    }
}
virtual_server_group v6 {
    2001:db8::10-12 80
    fwmark 9 inet6
}
virtual_server group v6 {
    lb_algo nq
    lb_kind DR
    protocol TCP
    ip_family inet6
    real_server fd00::1 80 {
    }
}
`

// sameChanges are what a reload changes, in pairs: scheduler, method, port, persistence, protocol, weights, limits, a server that comes, one that goes, one that moves to another virtual
// server, a sorry server.
var sameChanges = strings.NewReplacer(
	"lvs_sched wrr", "lvs_sched lc", "persistence_granularity 255.255.255.0", "persistence_granularity 255.255.0.0", "real_server 10.0.0.2 8080 {\n        weight 0", "real_server 10.0.0.2 8081 {\n        weight 9",
	"uthreshold 100\n        lthreshold 50", "uthreshold 70", "sh-fallback\n", "", "persistence_timeout 30\n    ops", "persistence_timeout 90",
	"virtual_server 192.0.2.4 5061 {\n    lb_algo mh\n    mh-port\n    mh-fallback", "virtual_server 192.0.2.4 5062 {\n    lb_algo dh\n    lb_kind DR", "protocol SCTP", "protocol TCP",
	"type gue port 6080 csum", "type gue port 6081 remcsum", "type gre nocsum", "type gre csum", "sorry_server 192.0.2.200 80", "sorry_server 192.0.2.201 80", "weight 5", "weight 1",
	"persistence_timeout 60", "persistence_timeout 61",
)

// TestSameAsKeepalived: where keepalived and Holdfast understand a file alike, IPVS holds exactly the same, after a start and after a reload.
func TestSameAsKeepalived(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "the same tables as keepalived", func(l *lab.Lab) {
		type daemon struct {
			*lab.Node
			file string
			p    *lab.Process
		}
		var both []*daemon
		for _, name := range []string{"hf", "ka"} {
			d := &daemon{Node: l.Node(name), file: filepath.Join(l.Dir, name+".conf")}
			d.IP("link add dummy0 type dummy", "link set dummy0 up", "addr add 10.0.0.254/24 dev dummy0", "addr add fd00::fe/64 dev dummy0 nodad")
			both = append(both, d)
		}
		write := func(text string) {
			for _, d := range both {
				if err := os.WriteFile(d.file, []byte(text), 0o644); err != nil {
					l.Fatalf("%v", err)
				}
			}
		}
		write(sameBefore)
		run := filepath.Join(l.Dir, "run")
		if err := errors.Join(os.MkdirAll(run, 0o755)); err != nil {
			l.Fatalf("%v", err)
		}
		both[0].p = both[0].Start("holdfast", lab.Binary(), "run", "-c", both[0].file, "--run-dir", run, "--state-dir", filepath.Join(l.Dir, "state"), "--log-format", "json")
		both[1].p = both[1].Start("keepalived", "keepalived", "-C", "-n", "-l", "-D", "-f", both[1].file, "-p", filepath.Join(l.Dir, "p"), "-c", filepath.Join(l.Dir, "c"), "-r", filepath.Join(l.Dir, "r"))
		table := func(n *lab.Node) string {
			lines := strings.Split(strings.TrimSpace(n.Run("ipvsadm", "-Sn")), "\n")
			slices.Sort(lines)
			return strings.Join(lines, "\n")
		}
		same := func(what, last string) {
			var ours, theirs string
			for began := time.Now(); time.Since(began) < 90*time.Second; {
				if theirs = table(both[1].Node); strings.Contains(theirs, last) {
					if ours = table(both[0].Node); ours == theirs {
						l.Note("%s: %d lines are the same", what, strings.Count(ours, "\n")+1)
						return
					}
				}
			}
			l.Fatalf("%s: keepalived's lines (-) and ours (+):\n%s", what, lab.Difference(theirs, ours))
		}
		same("after the start", "[2001:db8::12]:80 -r")
		write(sameChanges.Replace(sameBefore))
		for _, d := range both {
			d.p.Signal(syscall.SIGHUP)
		}
		same("after the reload", "192.0.2.201:80")
	})
}

//go:build vm

package suite

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// modules are what the whole job needs from the kernel of the machine.
const modules = "ip_vs ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_sh ip_vs_mh ip_vs_dh veth bridge macvlan ipip nf_tables nft_ct nft_nat nft_masq nf_conntrack sch_netem"

func init() {
	preparations = append(preparations, func() error {
		if out, err := exec.Command("modprobe", append([]string{"-a"}, strings.Fields(modules)...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("this suite needs a kernel with IPVS (run it with `make vm`): %w: %s", err, out)
		}
		return nil
	})
}

// TestLab shows that the lab is right, with the daemon everybody knows. Run it by hand when the lab is in doubt: LAB_MODE=NAT.
func TestLab(t *testing.T) {
	for _, mode := range []lab.Mode{lab.DR, lab.NAT, lab.TUN} {
		if os.Getenv("LAB_MODE") == string(mode) {
			lab.Scenario(t, "working day "+string(mode)+" keepalived", func(l *lab.Lab) { day(l, mode, lab.Keepalived, nil) })
		}
	}
}

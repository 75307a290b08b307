package reconcile

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// known are programs that write IPVS tables.
var known = []string{"keepalived", "kube-proxy", "kube-router", "ldirectord", "dockerd", "cilium-agent", "ipvsadm", "seesaw_ncc", "holdfast", "gorb"}

// writers names those that run on this host, without ourselves.
func writers() []string {
	self := os.Getpid()
	parent := os.Getppid()
	var found []string
	dirs, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, d := range dirs {
		b, err := os.ReadFile(d)
		if err != nil {
			continue
		}
		pid := filepath.Base(filepath.Dir(d))
		name := strings.TrimSpace(string(b))
		if slices.Contains(known, name) && pid != strconv.Itoa(self) && pid != strconv.Itoa(parent) {
			found = append(found, name+"["+pid+"]")
		}
	}
	slices.Sort(found)
	return found
}

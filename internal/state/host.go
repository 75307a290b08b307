package state

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// HostID identifies this boot and network namespace; records of another one are not believed.
func HostID() string {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	var inode uint64
	if info, err := os.Stat("/proc/self/ns/net"); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			inode = st.Ino
		}
	}
	return fmt.Sprintf("%s %d", strings.TrimSpace(string(boot)), inode)
}

package kernel

import (
	"fmt"
	"os"
	"strings"
)

// sysctlPath is the file of a dotted name. A slash in the name stands for a dot in an interface's name, as in sysctl(8).
func sysctlPath(name string) (string, error) {
	path := strings.NewReplacer(".", "/", "/", ".").Replace(name)
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("sysctl %q is no name", name)
		}
	}
	return "/proc/sys/" + path, nil
}

// Sysctl implements ipvssync.Kernel.
func (k *Kernel) Sysctl(name string) (string, error) {
	path, err := sysctlPath(name)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read sysctl %s: %w", name, err)
	}
	return strings.TrimSpace(string(b)), nil
}

// SetSysctl implements ipvssync.Kernel.
func (k *Kernel) SetSysctl(name, value string) error {
	path, err := sysctlPath(name)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
		return fmt.Errorf("set sysctl %s to %q: %w", name, value, err)
	}
	return nil
}

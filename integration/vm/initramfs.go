package vm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// bootModules are what the machine needs before it can see the host's root, in the order of their dependencies.
var bootModules = []string{"virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_console", "fuse", "virtiofs", "overlay"}

// initScript is the first program of the machine. It builds the root and hands over to the script that the host left in the shared directory.
const initScript = `#!/bin/busybox sh
bb=/bin/busybox
$bb mkdir -p /proc /sys /dev /host /up /new /shared
$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs dev /dev 2>/dev/null
for m in MODULES; do [ -e /modules/$m.ko ] && { $bb insmod /modules/$m.ko || echo "boot: cannot load $m"; }; done
exec >/dev/hvc0 2>&1 </dev/null
$bb mount -t virtiofs shared /shared || { echo "boot: cannot mount the shared directory"; $bb poweroff -f; }
$bb mount -t virtiofs -o ro root /host || { echo "boot: cannot mount the host's root"; $bb poweroff -f; }
$bb mount -t tmpfs -o size=90% up /up
$bb mkdir -p /up/upper /up/work
$bb mount -t overlay -o lowerdir=/host,upperdir=/up/upper,workdir=/up/work overlay /new || { echo "boot: cannot mount the overlay"; $bb poweroff -f; }
. /shared/boot.sh
`

// buildInitramfs writes a cpio archive with static busybox, the boot modules and the init script.
func buildInitramfs(ctx context.Context, k Kernel, path string) error {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return fmt.Errorf("no busybox here: %w (run integration/setup.sh)", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(path), "initramfs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	for _, dir := range []string{"bin", "modules"} {
		if err := os.MkdirAll(filepath.Join(work, dir), 0o755); err != nil {
			return err
		}
	}
	if err := copyFile(busybox, filepath.Join(work, "bin", "busybox"), 0o755); err != nil {
		return err
	}
	found := map[string]string{}
	err = filepath.Walk(k.Modules, func(p string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if name, ok := strings.CutSuffix(info.Name(), ".ko"); ok {
			found[strings.ReplaceAll(name, "-", "_")] = p
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the kernel's modules: %w", err)
	}
	for _, name := range bootModules {
		source, ok := found[name]
		if !ok {
			continue // built into this kernel; if not, the mounts of the init script say so
		}
		if err := copyFile(source, filepath.Join(work, "modules", name+".ko"), 0o644); err != nil {
			return err
		}
	}
	script := strings.ReplaceAll(initScript, "MODULES", strings.Join(bootModules, " "))
	if err := os.WriteFile(filepath.Join(work, "init"), []byte(script), 0o755); err != nil {
		return err
	}
	var names bytes.Buffer
	err = filepath.Walk(work, func(p string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(work, p)
		fmt.Fprintln(&names, rel)
		return err
	})
	if err != nil {
		return err
	}
	var archive, complaints bytes.Buffer
	cpio := exec.CommandContext(ctx, "cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0")
	cpio.Dir, cpio.Stdin, cpio.Stdout, cpio.Stderr = work, &names, &archive, &complaints
	if err := cpio.Run(); err != nil {
		return fmt.Errorf("cpio: %w: %s", err, complaints.String())
	}
	return os.WriteFile(path, archive.Bytes(), 0o644)
}

func copyFile(from, to string, mode os.FileMode) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, mode)
}

package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeScripts leaves in the shared directory what the machine runs: boot.sh finishes the root and switches to it, run.sh runs the command.
func writeScripts(o Options, k Kernel, shared string) error {
	busybox := filepath.Join(shared, "busybox")
	if err := copyFile(tool("busybox"), busybox, 0o755); err != nil {
		return err
	}
	init := "/bin/sh /lab-shared/run.sh"
	if o.Systemd {
		init = "/lib/systemd/systemd --system"
	}
	boot := fmt.Sprintf(`
for d in proc sys dev run; do $bb mkdir -p /new/$d; done
$bb mkdir -p /new/lab-shared /new%[1]s /new/lib/modules/%[2]s
$bb mount -t proc proc /new/proc
$bb mount -t sysfs sysfs /new/sys
$bb mount -t devtmpfs dev /new/dev
$bb mkdir -p /new/dev/shm /new/dev/pts
$bb mount -t tmpfs -o mode=755 run /new/run
$bb mkdir -p /new/run/lock
$bb mount --bind /new%[3]s /new/lib/modules/%[2]s || echo "boot: cannot bind the modules"
$bb mount --move /shared /new/lab-shared
$bb mount --bind /new/lab-shared/out /new%[1]s
$bb umount /proc
$bb umount -l /dev
%[4]s
exec $bb switch_root -c /dev/hvc0 /new %[5]s
`, Out, k.Version, k.Modules, systemdFiles(o), init)
	// Inside systemd these exist already.
	mounts := `
/lab-shared/busybox mount -t devpts devpts /dev/pts
/lab-shared/busybox mount -t tmpfs shm /dev/shm
/lab-shared/busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
/lab-shared/busybox hostname lab
/lab-shared/busybox ifconfig lo 127.0.0.1 up
`
	if o.Systemd {
		mounts = ""
	}
	run := fmt.Sprintf(`#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
%s
echo 1 >/proc/sys/net/ipv4/ip_forward
ulimit -n 65536
cd %s
%s
: >/lab-shared/started
echo '%s'
%s </dev/null
status=$?
echo $status >/lab-shared/status.new
/lab-shared/busybox mv /lab-shared/status.new /lab-shared/status
/lab-shared/busybox sync
/lab-shared/busybox poweroff -f
`, mounts, quote(o.Dir), exports(o.Env), startedMark, strings.Join(quoteAll(o.Command), " "))
	if err := os.WriteFile(filepath.Join(shared, "boot.sh"), []byte(boot), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(shared, "run.sh"), []byte(run), 0o755)
}

// systemdFiles gives the shell lines that put a quiet default target with our one unit into the overlay.
func systemdFiles(o Options) string {
	if !o.Systemd {
		return ""
	}
	return `
$bb rm -rf /new/etc/systemd/system /new/etc/machine-id /new/etc/fstab
for d in /new/lib/systemd/system/*.target.wants /new/lib/systemd/system/*.timer.wants; do
	for unit in $d/*; do
		case $unit in */systemd-journald.service) ;; *) $bb rm -f $unit ;; esac
	done
done
$bb mkdir -p /new/etc/systemd/system
for unit in systemd-tmpfiles-setup systemd-tmpfiles-setup-dev systemd-tmpfiles-clean systemd-binfmt systemd-udevd systemd-networkd systemd-resolved systemd-timesyncd; do
	$bb ln -s /dev/null /new/etc/systemd/system/$unit.service # some of these would clear /tmp, where the command may be
done
echo 4c61624c61624c61624c61624c616262 > /new/etc/machine-id
# No generators, no first boot, none of the host's own services: only what the lab asks for.
$bb rm -rf /new/etc/systemd/system-generators /new/lib/systemd/system-generators /new/lib/systemd/system-environment-generators
$bb cat > /new/etc/systemd/system/lab.target <<'END'
[Unit]
Description=The lab
Wants=lab.service
After=lab.service
AllowIsolate=yes
END
$bb cat > /new/etc/systemd/system/lab.service <<'END'
[Unit]
Description=The command of the lab
DefaultDependencies=no
After=systemd-journald.socket
Wants=systemd-journald.socket
[Service]
Type=simple
ExecStart=/bin/sh /lab-shared/run.sh
StandardInput=null
StandardOutput=file:/dev/hvc0
StandardError=file:/dev/hvc0
TimeoutStopSec=2
END
$bb ln -s lab.target /new/etc/systemd/system/default.target
`
}

func exports(env []string) string {
	var lines []string
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		lines = append(lines, "export "+name+"="+quote(value))
	}
	return strings.Join(lines, "\n")
}

func quoteAll(words []string) []string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return quoted
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

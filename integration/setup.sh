#!/bin/sh
# Installs what the lab needs on a Debian 12 machine. Quick when everything is there. Needs root only when something is missing.
set -eu

need=""
want() { # want PATH-OR-COMMAND PACKAGE
	case $1 in
	/*) [ -e "$1" ] && return 0 ;;
	*) command -v "$1" >/dev/null 2>&1 && return 0 ;;
	esac
	need="$need $2"
}

PATH=$PATH:/usr/sbin:/sbin:/usr/local/go/bin
want ip iproute2
want make make
want git git
want gcc gcc
want keepalived keepalived
want /usr/lib/frr/vrrpd frr
want ipvsadm ipvsadm
want tcpdump tcpdump
want nft nftables
want conntrack conntrack
want curl curl
want qemu-system-x86_64 qemu-system-x86
[ -e /usr/lib/qemu/virtiofsd ] || [ -e /usr/libexec/virtiofsd ] || need="$need qemu-system-common"
want busybox busybox-static
want cpio cpio
want depmod kmod
want dpkg-deb dpkg
want sysctl procps
want /lib/systemd/systemd systemd
want /usr/include/linux/limits.h libc6-dev

if [ -n "$need" ]; then
	echo "setup: installing:$need"
	if [ "$(id -u)" != 0 ]; then
		echo "setup: not root, so these packages cannot be installed; as root run: apt-get install$need" >&2
		exit 1
	fi
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "setup: no apt-get here: the lab is made for Debian 12; install the counterparts of:$need" >&2
		exit 1
	fi
	try=1
	while :; do
		if apt-get -q update && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q install -y --no-install-recommends \
			-o Dpkg::Lock::Timeout=300 -o Acquire::Retries=5 $need; then
			break
		fi
		try=$((try + 1))
		if [ $try -gt 5 ]; then
			echo "setup: apt-get could not install:$need; look at its messages above" >&2
			exit 1
		fi
		echo "setup: apt-get failed; try $try of 5 in 10 s"
		sleep 10
	done
fi
# busybox must be the static one: it is the first program of the virtual machine, where there is no libc yet.
if busybox=$(command -v busybox) && ldd "$busybox" >/dev/null 2>&1; then
	echo "setup: $busybox is not static; installing busybox-static"
	DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends busybox-static
fi
if ! command -v go >/dev/null 2>&1; then
	echo "setup: no go in the PATH: install Go 1.26 (https://go.dev/dl/)" >&2
	exit 1
fi
echo "setup: ready"

package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Kernel is an unpacked Debian kernel.
type Kernel struct {
	// Version is what uname -r says under it, such as 6.1.0-31-cloud-amd64.
	Version string
	// Image is the path of the bootable image.
	Image string
	// Modules is the directory of this version's modules, with depmod's indexes.
	Modules string
}

// FindKernel returns the kernel unpacked below dir, or fetches the one that linux-image-cloud-amd64 depends on with apt-get (several tries) and unpacks it there.
func FindKernel(ctx context.Context, dir string, say func(format string, a ...any)) (Kernel, error) {
	if k, err := unpacked(dir); err == nil {
		return k, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Kernel{}, err
	}
	var err error
	for try := 1; try <= 5; try++ {
		if err = fetchKernel(ctx, dir, try > 1, say); err == nil {
			return unpacked(dir)
		}
		say("cannot fetch the kernel (try %d of 5): %v", try, err)
		select {
		case <-ctx.Done():
			return Kernel{}, ctx.Err()
		case <-time.After(time.Duration(try) * 5 * time.Second):
		}
	}
	return Kernel{}, fmt.Errorf("fetch a Debian kernel with apt-get: %w (does `apt-get update` work here?)", err)
}

func unpacked(dir string) (Kernel, error) {
	images, _ := filepath.Glob(filepath.Join(dir, "root", "boot", "vmlinuz-*"))
	for _, image := range images {
		version := strings.TrimPrefix(filepath.Base(image), "vmlinuz-")
		modules := filepath.Join(dir, "root", "lib", "modules", version)
		if _, err := os.Stat(filepath.Join(modules, "modules.dep.bin")); err == nil {
			return Kernel{Version: version, Image: image, Modules: modules}, nil
		}
	}
	return Kernel{}, errors.New("no unpacked kernel in " + dir)
}

func fetchKernel(ctx context.Context, dir string, update bool, say func(string, ...any)) error {
	name, err := kernelPackage(ctx)
	if err != nil || update {
		say("apt-get update")
		if out, uerr := exec.CommandContext(ctx, "apt-get", "-q", "update").CombinedOutput(); uerr != nil {
			return fmt.Errorf("apt-get update: %w: %s", uerr, lastLines(out))
		}
		if name, err = kernelPackage(ctx); err != nil {
			return err
		}
	}
	say("fetching %s (about 30 MB, once)", name)
	work, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	// apt-get downloads as the user _apt, which must be able to write here; without that it warns and goes on as root.
	_ = os.Chmod(work, 0o777)
	download := exec.CommandContext(ctx, "apt-get", "-q", "-o", "Acquire::Retries=3", "download", name)
	download.Dir = work
	if out, err := download.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get download %s: %w: %s", name, err, lastLines(out))
	}
	debs, _ := filepath.Glob(filepath.Join(work, "*.deb"))
	if len(debs) != 1 {
		return fmt.Errorf("apt-get download %s left %d packages", name, len(debs))
	}
	root := filepath.Join(work, "root")
	if out, err := exec.CommandContext(ctx, "dpkg", "-x", debs[0], root).CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w: %s", debs[0], err, lastLines(out))
	}
	images, _ := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	if len(images) != 1 {
		return fmt.Errorf("%s holds %d kernels", name, len(images))
	}
	version := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	if out, err := exec.CommandContext(ctx, tool("depmod"), "-b", root, version).CombinedOutput(); err != nil {
		return fmt.Errorf("depmod %s: %w: %s", version, err, lastLines(out))
	}
	final := filepath.Join(dir, "root")
	if err := os.RemoveAll(final); err != nil {
		return err
	}
	return os.Rename(root, final)
}

// kernelPackage asks apt for the package that the metapackage depends on today.
func kernelPackage(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-cache", "depends", "--important", "linux-image-cloud-amd64").Output()
	if err != nil {
		return "", fmt.Errorf("apt-cache depends linux-image-cloud-amd64: %w", err)
	}
	for _, line := range strings.Split(string(out), "\n") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: "); ok && strings.HasPrefix(name, "linux-image-") {
			return name, nil
		}
	}
	return "", errors.New("apt knows no kernel for linux-image-cloud-amd64")
}

// tool finds a program of /usr/sbin for callers whose PATH lacks it.
func tool(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/lib/qemu", "/usr/libexec"} {
		if path := filepath.Join(dir, name); isFile(path) {
			return path
		}
	}
	return name
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) > 5 {
		lines = lines[len(lines)-5:]
	}
	return strings.Join(lines, " | ")
}

// Package vm runs one command inside a small virtual machine: a stock Debian cloud kernel (it has IPVS, which many build machines lack)
// on the host's own root file system, read-only below a writable overlay that is thrown away.
//
// It promises that the command's output streams as it comes, that its exit status comes back, and that the machine is gone when Run returns.
// It never writes outside its cache directory and the directory the command hands files back in, and it never installs the kernel it fetches.
package vm

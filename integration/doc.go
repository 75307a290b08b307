// Package integration is the project's lab: what proves the daemon against real kernels, real frames and the real keepalived.
//
//   - setup.sh installs what the lab needs on a Debian machine.
//   - vm boots a small virtual machine with a stock Debian kernel (the one with IPVS) on the host's own root file system.
//   - lab builds directors, real servers and clients out of network namespaces.
//   - suite holds the end-to-end, interop and chaos suites (build tags netns, vm and systemd) and the benchmarks (bench).
//   - demo tells the story of a working day on a terminal.
//
// It never touches the machine's own network: everything happens in network namespaces it creates and removes, or inside the virtual machine. It ends only processes that it started.
package integration

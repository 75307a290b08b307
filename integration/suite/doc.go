// Package suite holds the lab's suites, one build tag each: netns runs on the machine's own kernel (VRRP, adoption, hand-over, interop with keepalived, bad packets),
// vm inside the virtual machine (the whole job, with IPVS), systemd inside one whose PID 1 is systemd, and bench prints comparisons with keepalived.
//
// They assert what a client and a wire tap see. They never skip: what cannot be had is a failure with a clear message.
package suite

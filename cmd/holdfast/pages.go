package main

import "golang.org/x/sys/unix"

// smallPages keeps the kernel from giving this process and its children pages of 2 MB where it gives them unasked (transparent huge pages
// "always", as Debian has it): Go's memory is used here and there, and each piece would take a whole one. Old kernels refuse, which
// costs nothing but the memory.
func smallPages() { _ = unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0) }

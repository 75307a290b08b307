package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestSmallPages(t *testing.T) {
	smallPages()
	if off, err := unix.PrctlRetInt(unix.PR_GET_THP_DISABLE, 0, 0, 0, 0); err != nil || off != 1 {
		t.Errorf("%d, %v", off, err)
	}
}

//go:build netns || vm || systemd || bench

package suite

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// preparations are what each suite needs before its first scenario.
var preparations = []func() error{func() error {
	if os.Getuid() != 0 {
		return errors.New("the lab makes network namespaces and needs root")
	}
	return nil
}}

func TestMain(m *testing.M) {
	for _, prepare := range preparations {
		if err := prepare(); err != nil {
			fmt.Println("FAIL:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

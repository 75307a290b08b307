package desk

import (
	"testing"

	"github.com/holdfast-ha/holdfast/checkers"
)

func TestWhichChecksAWordNames(t *testing.T) {
	four, six := checkers.ID{Virtual: "TCP 192.0.2.1:80", Real: "10.0.0.11:8080"}, checkers.ID{Virtual: "TCP [2001:db8::1]:80", Real: "[2001:db8::11]:80"}
	for _, row := range []struct {
		virtual, real string
		id            checkers.ID
		want          bool
	}{
		{"", "", four, true},
		{"TCP 192.0.2.1:80", "", four, true},
		{"tcp 192.0.2.1:80", "", four, true},
		{"192.0.2.1:80", "", four, true},
		{"192.0.2.1", "", four, true},
		{"10.0.0.11:8080", "", four, true},
		{"10.0.0.11", "", four, true},
		{"10.0.0.12:9707", "", four, true}, // the target
		{"10.0.0.1", "", four, false},
		{"8080", "", four, false},
		{"192.0.2.1", "10.0.0.11", four, true},
		{"192.0.2.1", "10.0.0.12", four, true},
		{"192.0.2.2", "10.0.0.11", four, false},
		{"192.0.2.1", "192.0.2.1", four, false},
		{"2001:db8::11", "", six, true},
		{"[2001:db8::1]:80", "2001:db8::11", six, true},
		{"2001:db8::2", "", six, false},
	} {
		if got := names(row.virtual, row.real, row.id, func() string { return "10.0.0.12:9707" }); got != row.want {
			t.Errorf("%q %q: %v", row.virtual, row.real, got)
		}
	}
}

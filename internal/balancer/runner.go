package balancer

import (
	"context"
	"os"

	"github.com/holdfast-ha/holdfast/checkers/probe"
	"github.com/holdfast-ha/holdfast/internal/script"
)

// CheckRunner runs the programs of MISC_CHECK in a pool of programs.
type CheckRunner struct{ Pool *script.Pool }

// Run runs one program as probe.Runner promises.
func (r CheckRunner) Run(ctx context.Context, c probe.Command) (exit int, output []byte, err error) {
	res := r.Pool.Run(ctx, "", script.Command{Argv: c.Argv, Shell: c.Shell, User: c.User, Group: c.Group, SupplementaryGroups: c.SupplementaryGroups,
		Secure: c.Secure, Timeout: c.Timeout})
	switch {
	case res.Err != nil:
		return -1, []byte(res.Output), res.Err
	case res.TimedOut:
		return -1, []byte(res.Output), os.ErrDeadlineExceeded
	case res.Signal != 0:
		return -int(res.Signal), []byte(res.Output), nil
	}
	return res.Exit, []byte(res.Output), nil
}

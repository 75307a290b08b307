package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"github.com/holdfast-ha/holdfast/checkers"
)

// misc runs a program: exit 0 is up; with misc_dynamic 2 to 255 is up with that weight less 2; all else is down.
func (p *Prober) misc(ctx context.Context, what *checkers.Probe) checkers.Result {
	params, _ := what.Params.(*checkers.MiscParams)
	if params == nil || len(params.Argv) == 0 && params.Shell == "" {
		return checkers.Fail(checkers.Invalid, "no program to run")
	}
	if p.opt.Runner == nil {
		return checkers.Fail(checkers.Invalid, "nothing here runs programs")
	}
	exit, output, err := p.opt.Runner.Run(ctx, Command{Argv: params.Argv, Shell: params.Shell, User: params.User, Group: params.Group,
		SupplementaryGroups: params.SupplementaryGroups, Secure: params.Secure, Timeout: what.Limit()})
	return judgeExit(params, exit, output, err)
}

func judgeExit(params *checkers.MiscParams, exit int, output []byte, err error) checkers.Result {
	said := ""
	if len(output) > 0 {
		said = ", it said " + excerpt(output)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return checkers.Fail(checkers.Timeout, "the program did not end in time"+said)
	case starvedBy(err) != nil:
		return checkers.Fail(checkers.NoFiles, err.Error())
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return checkers.Fail(checkers.ScriptStart, err.Error())
	case err != nil:
		return checkers.Fail(checkers.ScriptStart, err.Error()+said)
	case exit == 0:
		return checkers.Pass()
	case exit < 0:
		return checkers.Fail(checkers.ScriptSignal, fmt.Sprintf("the program was ended by signal %d%s", -exit, said))
	case params.Dynamic && exit >= 2 && exit <= 255:
		r := checkers.Pass()
		r.Weight = checkers.Weight{Mode: checkers.Absolute, Value: exit - 2}
		return r
	}
	return checkers.Fail(checkers.Script, fmt.Sprintf("the program exited with %d%s", exit, said))
}

package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

const (
	maxFile = 128
	// A sum of weight and value this low or lower is down, as in keepalived.
	downWeight = math.MinInt32
)

// file reads the number in a tracked file. With weight 0 any number but 0 is down, reversed 0 is; with one, number times weight is added to
// the real server's weight. A missing or empty file is 0, as in keepalived.
func (p *Prober) file(_ context.Context, what *checkers.Probe) checkers.Result {
	params, _ := what.Params.(*checkers.FileParams)
	if params == nil || params.Path == "" {
		return checkers.Fail(checkers.Invalid, "no file to read")
	}
	// A FIFO or a device must not hold the attempt up.
	f, err := os.OpenFile(params.Path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return judgeFile(params, "")
	}
	if starvedBy(err) != nil {
		return checkers.Fail(checkers.NoFiles, err.Error())
	}
	if err != nil {
		return checkers.Fail(checkers.FileValue, err.Error())
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return checkers.Fail(checkers.FileValue, params.Path+" is not a regular file")
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return checkers.Fail(checkers.FileValue, err.Error())
	}
	return judgeFile(params, string(b))
}

func judgeFile(params *checkers.FileParams, text string) checkers.Result {
	text = strings.TrimSpace(text)
	n := int64(0)
	if text != "" {
		fields := strings.Fields(text)
		var err error
		if n, err = strconv.ParseInt(fields[0], 10, 32); err != nil {
			return checkers.Fail(checkers.FileValue, fmt.Sprintf("%s holds %s, not a number", params.Path, excerpt([]byte(text))))
		}
	}
	if params.Weight == 0 {
		if (n != 0) != params.Reverse {
			return checkers.Fail(checkers.FileValue, fmt.Sprintf("%s holds %d", params.Path, n))
		}
		return checkers.Pass()
	}
	sum := n * int64(params.Weight)
	if params.Reverse {
		sum = -sum
	}
	if sum == 0 {
		return checkers.Pass()
	}
	if sum <= downWeight {
		return checkers.Fail(checkers.FileValue, fmt.Sprintf("%s holds %d", params.Path, n))
	}
	r := checkers.Pass()
	r.Weight = checkers.Weight{Mode: checkers.Added, Value: int(min(sum, math.MaxInt32))}
	return r
}

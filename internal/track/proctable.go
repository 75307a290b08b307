package track

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is what a tracked process is compared with.
type process struct {
	// comm is the name the kernel keeps, at most 15 bytes.
	comm string
	// args is the command line; empty for kernel threads.
	args []string
}

// commLen is how much of a name the kernel keeps (TASK_COMM_LEN - 1).
const commLen = 15

// matches says whether have is one of the processes that are wanted.
func (p Process) matches(have process) bool {
	if p.FullCommand {
		if len(have.args) == 0 || have.args[0] != p.Name {
			return false
		}
	} else if have.comm != p.Name[:min(len(p.Name), commLen)] {
		return false
	}
	if p.Match == MatchAny {
		return true
	}
	params := []string{}
	if len(have.args) > 0 {
		params = have.args[1:]
	}
	if len(params) < len(p.Params) || p.Match == MatchExact && len(params) != len(p.Params) {
		return false
	}
	for i, want := range p.Params {
		partial := p.Match == MatchPartial && i == len(p.Params)-1
		if params[i] != want && !(partial && strings.HasPrefix(params[i], want)) {
			return false
		}
	}
	return true
}

// processTable is the machine's processes.
type processTable interface {
	pids() []int
	read(pid int) (process, bool)
}

// procTable is the process table as a mounted proc(5) shows it.
type procTable struct{ root string }

func (t procTable) pids() []int {
	dir, err := os.Open(t.root)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var pids []int
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// read reads one process; a zombie is gone as far as its work is concerned.
func (t procTable) read(pid int) (process, bool) {
	dir := filepath.Join(t.root, strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return process{}, false
	}
	// pid (comm) state ...; comm may hold anything, also parentheses.
	open, shut := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || shut < open || shut+2 >= len(stat) || stat[shut+2] == 'Z' || stat[shut+2] == 'X' {
		return process{}, false
	}
	p := process{comm: string(stat[open+1 : shut])}
	if f, err := os.Open(filepath.Join(dir, "cmdline")); err == nil {
		defer f.Close()
		if text, err := io.ReadAll(io.LimitReader(f, 64<<10)); err == nil && len(text) > 0 {
			p.args = strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
		}
	}
	return p, true
}

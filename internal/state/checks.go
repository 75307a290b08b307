package state

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"path/filepath"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/keep"
)

// version changes when a file means something else.
const version = 1

const checksFile = "checks.json"

// checks is the file of verdicts.
type checks struct {
	Version int              `json:"version"`
	Host    string           `json:"host"`
	Quorums map[string]bool  `json:"quorums"`
	Checks  []checkers.Saved `json:"checks"`
}

// SaveChecks writes verdicts, and which virtual servers have their quorum, into the run directory dir, so that a restart continues them.
func SaveChecks(dir, host string, all iter.Seq[checkers.Saved], quorums map[string]bool) error {
	head, err := json.Marshal(checks{Version: version, Host: host, Quorums: quorums})
	if err != nil {
		return err
	}
	name := filepath.Join(dir, checksFile)
	return keep.Fill(name, 0o600, func(w *bufio.Writer) error {
		// One verdict after the other: as a whole, those of ten thousand checks would be the largest thing in memory.
		_, _ = w.Write(bytes.TrimSuffix(head, []byte("null}")))
		e := json.NewEncoder(w)
		separator := ""
		_, _ = w.WriteString("[\n")
		for one := range all {
			_, _ = w.WriteString(separator)
			separator = ","
			if err := e.Encode(&one); err != nil {
				return err
			}
		}
		_, err := w.WriteString("]}\n")
		return err
	})
}

// LoadChecks reads them. Those of another boot or network namespace are not believed; nothing there is no error.
func LoadChecks(dir, host string) (all []checkers.Saved, quorums map[string]bool, err error) {
	var c checks
	err = read(filepath.Join(dir, checksFile), &c)
	if errors.Is(err, os.ErrNotExist) || err == nil && (c.Version != version || c.Host != host) {
		return nil, nil, nil
	}
	return c.Checks, c.Quorums, err
}

// RemoveChecks forgets them: the daemon ended in an orderly way.
func RemoveChecks(dir string) { _ = os.Remove(filepath.Join(dir, checksFile)) }

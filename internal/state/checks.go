package state

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/holdfast-ha/holdfast/checkers"
)

// version changes when a file means something else.
const version = 1

const checksFile = "checks.json"

// checks is the file of verdicts.
type checks struct {
	Version int              `json:"version"`
	Host    string           `json:"host"`
	Checks  []checkers.Saved `json:"checks"`
}

// SaveChecks writes verdicts into the run directory dir, so that a restart continues them.
func SaveChecks(dir, host string, all []checkers.Saved) error {
	return write(filepath.Join(dir, checksFile), checks{Version: version, Host: host, Checks: all})
}

// LoadChecks reads them. Those of another boot or network namespace are not believed; nothing there is no error.
func LoadChecks(dir, host string) ([]checkers.Saved, error) {
	var c checks
	err := read(filepath.Join(dir, checksFile), &c)
	if errors.Is(err, os.ErrNotExist) || err == nil && (c.Version != version || c.Host != host) {
		return nil, nil
	}
	return c.Checks, err
}

// RemoveChecks forgets them: the daemon ended in an orderly way.
func RemoveChecks(dir string) { _ = os.Remove(filepath.Join(dir, checksFile)) }

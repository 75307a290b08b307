package state

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Intent is what operators want of single servers beyond the configuration. It is kept over restarts and boots, with who and when.
type Intent struct {
	Drains  []Drain  `json:"drains,omitempty"`
	Weights []Weight `json:"weights,omitempty"`
}

// Drain is a server without new connections.
type Drain struct {
	Virtual string        `json:"virtual_server"`
	Real    string        `json:"real_server"`
	Since   time.Time     `json:"since"`
	Timeout time.Duration `json:"timeout,omitempty"`
	By      string        `json:"by"`
	Why     string        `json:"why,omitempty"`
	// Done says that the server has left the table: after a restart it does not come back for a moment.
	Done bool `json:"done,omitempty"`
}

// Weight is a weight in place of the configured one.
type Weight struct {
	Virtual string    `json:"virtual_server"`
	Real    string    `json:"real_server"`
	Weight  int       `json:"weight"`
	Since   time.Time `json:"since"`
	By      string    `json:"by"`
}

// Impose gives a pool what operators want of its servers. Servers that are drained already are left alone.
func (in *Intent) Impose(now time.Time, p *ipvssync.Pool) (changes []ipvssync.Change) {
	st := p.Status()
	find := func(server string) *ipvssync.ServerStatus {
		for i := range st.Servers {
			if st.Servers[i].ID == server {
				return &st.Servers[i]
			}
		}
		return nil
	}
	for _, x := range in.Drains {
		if s := find(x.Real); x.Virtual == st.ID && s != nil && s.Drain.Since.IsZero() {
			changes = append(changes, p.Drain(now, x.Real, ipvssync.Drain{Since: x.Since, Timeout: x.Timeout, By: x.By, Why: x.Why, Done: x.Done})...)
		}
	}
	for _, x := range in.Weights {
		if s := find(x.Real); x.Virtual == st.ID && s != nil && s.Override != x.Weight {
			changes = append(changes, p.SetWeight(now, x.Real, x.Weight)...)
		}
	}
	return changes
}

// Drain records a wish.
func (in *Intent) Drain(x Drain) {
	in.Undrain(x.Virtual, x.Real)
	in.Drains = append(in.Drains, x)
}

// Undrain takes it back.
func (in *Intent) Undrain(virtual, real string) {
	in.Drains = slices.DeleteFunc(in.Drains, func(x Drain) bool { return x.Virtual == virtual && x.Real == real })
}

// Drained records that the server of a wish has left the table, and says whether there is such a wish.
func (in *Intent) Drained(virtual, real string) bool {
	for i := range in.Drains {
		if x := &in.Drains[i]; x.Virtual == virtual && x.Real == real && !x.Done {
			x.Done = true
			return true
		}
	}
	return false
}

// Prune forgets the wishes for servers that are not known any more, and says how many there were.
func (in *Intent) Prune(known func(virtual, real string) bool) int {
	before := len(in.Drains) + len(in.Weights)
	in.Drains = slices.DeleteFunc(in.Drains, func(x Drain) bool { return !known(x.Virtual, x.Real) })
	in.Weights = slices.DeleteFunc(in.Weights, func(x Weight) bool { return !known(x.Virtual, x.Real) })
	return before - len(in.Drains) - len(in.Weights)
}

// Weigh records a wish; a negative one takes it back.
func (in *Intent) Weigh(x Weight) {
	in.Weights = slices.DeleteFunc(in.Weights, func(o Weight) bool { return o.Virtual == x.Virtual && o.Real == x.Real })
	if x.Weight >= 0 {
		in.Weights = append(in.Weights, x)
	}
}

const intentFile = "intent.json"

// LoadIntent reads what is kept in dir; nothing there is no error.
func LoadIntent(dir string) (in Intent, err error) {
	err = read(filepath.Join(dir, intentFile), &in)
	if errors.Is(err, os.ErrNotExist) {
		return Intent{}, nil
	}
	return in, err
}

// Save keeps it in dir, which is made if it does not exist.
func (in *Intent) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return write(filepath.Join(dir, intentFile), in)
}

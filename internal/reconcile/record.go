package reconcile

import (
	"encoding/json"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/holdfast-ha/holdfast/internal/keep"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// record is RUN/ipvs.json: what of the kernel is ours. It is written before the first write it covers, so that a crash in
// between leaves an entry too many, never one too few.
type record struct {
	Version  int                          `json:"version"`
	Host     string                       `json:"host,omitempty"`
	Services []recordKey                  `json:"services"`
	Sysctls  map[string]recordSysctl      `json:"sysctls,omitempty"`
	Daemons  []ipvssync.SyncDaemon        `json:"daemons,omitempty"`
	Timeouts map[string]ipvssync.Timeouts `json:"timeouts,omitempty"` // "before" and "ours"
	FullNAT  bool                         `json:"fullnat,omitempty"`

	owned map[ipvssync.Key]bool
	dirty bool
	path  string
}

type recordKey struct {
	Family   ipvssync.Family   `json:"family"`
	Protocol ipvssync.Protocol `json:"protocol,omitempty"`
	Addr     string            `json:"addr,omitempty"`
	Port     uint16            `json:"port,omitempty"`
	Mark     uint32            `json:"mark,omitempty"`
}

// recordSysctl is a setting we changed: the value before and ours.
type recordSysctl struct {
	Before string `json:"before"`
	Ours   string `json:"ours"`
}

const recordVersion = 1

// maxRecord bounds what is believed to be a record: ten thousand services have less than a megabyte.
const maxRecord = 64 << 20

// loadRecord reads what a former run recorded. A record that cannot be read, or of another boot or namespace, is none: services
// then found under our keys are adopted all the same, others are left alone.
func loadRecord(dir, host string) record {
	fresh := record{Version: recordVersion, Host: host, owned: map[ipvssync.Key]bool{}, Sysctls: map[string]recordSysctl{}, Timeouts: map[string]ipvssync.Timeouts{}}
	if dir == "" {
		return fresh
	}
	fresh.path = filepath.Join(dir, "ipvs.json")
	b, err := keep.Read(fresh.path, maxRecord)
	if err != nil {
		return fresh
	}
	old := fresh
	old.Version, old.Host = 0, ""
	if json.Unmarshal(b, &old) != nil || old.Version != recordVersion || old.Host != host {
		return fresh
	}
	if old.Sysctls == nil {
		old.Sysctls = fresh.Sysctls
	}
	if old.Timeouts == nil {
		old.Timeouts = fresh.Timeouts
	}
	for _, k := range old.Services {
		key := ipvssync.Key{Family: k.Family, Protocol: k.Protocol, Port: k.Port, Mark: k.Mark}
		if k.Addr != "" {
			if key.Addr, err = netip.ParseAddr(k.Addr); err != nil {
				continue
			}
		}
		if key.Validate() == nil {
			old.owned[key] = true
		}
	}
	return old
}

func (c *record) own(k ipvssync.Key) {
	if !c.owned[k] {
		c.owned[k], c.dirty = true, true
	}
}

func (c *record) disown(k ipvssync.Key) {
	if c.owned[k] {
		delete(c.owned, k)
		c.dirty = true
	}
}

// save writes the record if it changed: a temporary file and a rename, mode 0600.
func (c *record) save() error {
	if !c.dirty || c.path == "" {
		return nil
	}
	c.Services = c.Services[:0]
	for _, k := range slices.SortedFunc(maps.Keys(c.owned), ipvssync.Key.Compare) {
		rk := recordKey{Family: k.Family, Protocol: k.Protocol, Port: k.Port, Mark: k.Mark}
		if k.Addr.IsValid() {
			rk.Addr = k.Addr.String()
		}
		c.Services = append(c.Services, rk)
	}
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := keep.Write(c.path, b, 0o600); err != nil {
		return err
	}
	c.dirty = false
	return nil
}

// remove deletes the file: nothing is ours any more.
func (c *record) remove() error {
	if c.path == "" {
		return nil
	}
	if err := os.Remove(c.path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

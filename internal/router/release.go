package router

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// Release lets go of what a dead router left behind: the addresses it recorded as held, the virtual addresses of its configuration (not those of an
// owner, priority 255, which are the interface's own) and its static ones, as far as they are on interfaces now; then its state. It answers
// what it removed, "ADDRESS on INTERFACE". Then it lets also, which may be nil, do the same for what the balancer left, before another daemon can
// start. ErrRunning: a router lives and nothing was touched.
func Release(runDir string, also func() ([]string, error)) (removed []string, err error) {
	if _, err := os.Stat(runDir); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	lock, err := lockDir(runDir, 0)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	s, _, ok, err := loadSaved(runDir)
	if err == nil && ok {
		removed, err = releaseAll(runDir, s)
	}
	if also != nil {
		more, failed := also()
		removed, err = append(removed, more...), errors.Join(err, failed)
	}
	return removed, err
}

// ReleaseOrphan is Release for the balancer that a dead router left behind. It touches an instance only when nobody would adopt it any more, and waits
// for that: a younger sign of life is that of another router, which lived meanwhile and may be starting again just now. ErrRunning: one lives.
func ReleaseOrphan(ctx context.Context, runDir string) (removed []string, err error) {
	for {
		names, wait, err := releaseStale(runDir)
		removed = append(removed, names...)
		if err != nil || wait == 0 {
			return removed, err
		}
		select {
		case <-ctx.Done():
			return removed, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// releaseStale releases the instances that nobody would adopt any more, and answers when the next one is due, 0 if none is left.
func releaseStale(runDir string) (removed []string, wait time.Duration, err error) {
	lock, err := lockDir(runDir, 0)
	if err != nil {
		return nil, 0, err
	}
	defer lock.Close()
	s, age, ok, err := loadSaved(runDir)
	if err != nil || !ok {
		return nil, 0, err
	}
	due, wait := stale(s, age)
	if wait == 0 {
		removed, err = releaseAll(runDir, s)
		return removed, 0, err
	}
	if len(due.Instances) > 0 && s.BootID == bootID() && s.NetNS == netNS() {
		removed, err = release(due, false)
	}
	return removed, wait, err
}

// stale are the instances of s that nobody would adopt at this age of the last sign of life; wait is when the next of the others becomes stale.
func stale(s Saved, age time.Duration) (due Saved, wait time.Duration) {
	due = s
	due.Instances, due.Config = nil, &vrrp.Config{}
	until := map[vrrp.ID]time.Duration{}
	for _, i := range s.Config.Instances {
		left := window(i) - age
		until[i.ID()] = left
		if left <= 0 {
			due.Config.Instances = append(due.Config.Instances, i)
		} else if wait == 0 || left < wait {
			wait = left
		}
	}
	for _, i := range s.Instances {
		if until[i.ID] <= 0 {
			due.Instances = append(due.Instances, i)
		}
	}
	return due, wait
}

// releaseAll releases everything and forgets the state.
func releaseAll(runDir string, s Saved) (removed []string, err error) {
	if s.BootID == bootID() && s.NetNS == netNS() {
		if removed, err = release(s, true); err != nil {
			return removed, fmt.Errorf("release what a dead router held: %w", err)
		}
	}
	for _, f := range []string{stateFile, aliveFile} {
		if err := os.Remove(filepath.Join(runDir, f)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return removed, err
		}
	}
	return removed, nil
}

// release takes away what s names; all says that nothing of the router stays.
func release(s Saved, all bool) ([]string, error) {
	watch, err := vrrpnet.NewWatch()
	if err != nil {
		return nil, err
	}
	defer watch.Close()
	addrs, err := vrrpnet.NewAddresses()
	if err != nil {
		return nil, err
	}
	defer addrs.Close()
	routes, err := vrrpnet.NewRoutes()
	if err != nil {
		return nil, err
	}
	defer routes.Close()
	for _, i := range s.Config.Instances {
		if err := routes.Remove(i.Routes, i.Rules); err != nil {
			return nil, err
		}
	}
	if err := routes.Remove(s.Config.StaticRoutes, s.Config.StaticRules); err != nil {
		return nil, err
	}
	there := map[string]vrrpnet.Interface{}
	for _, i := range (<-watch.Changes()).Interfaces { // the first change is everything there is
		there[i.Name] = i
	}
	var found []vrrp.Address
	var names []string
	seen := map[string]bool{}
	for _, a := range leftBehind(s) {
		for _, p := range there[a.Interface].Addrs {
			if name := fmt.Sprintf("%s on %s", a.Prefix, a.Interface); p == a.Prefix && !seen[name] {
				seen[name] = true
				found, names = append(found, a), append(names, name)
			}
		}
	}
	err = errors.Join(addrs.Remove(found), releaseVMACs(s))
	if all {
		err = errors.Join(err, vrrpnet.Shield(nil), vrrpnet.RestoreSettings(s.Settings))
	}
	return names, err
}

func releaseVMACs(s Saved) error {
	list := vmacsOf(s.Config)
	if len(list) == 0 {
		return nil
	}
	v, err := vrrpnet.NewVMACs()
	if err != nil {
		return err
	}
	defer v.Close()
	return v.Remove(list)
}

// leftBehind are all addresses that may be a dead router's.
func leftBehind(s Saved) []vrrp.Address {
	var all []vrrp.Address
	owner := map[vrrp.ID]bool{}
	for _, i := range s.Config.Instances {
		if owner[i.ID()] = i.Priority == 255; !owner[i.ID()] {
			all = append(all, onInterface(i.Interface, i.Addresses)...)
		}
	}
	for _, i := range s.Instances {
		if !owner[i.ID] {
			all = append(all, i.Held...)
		}
	}
	return append(all, onInterface("", s.Config.Statics)...)
}

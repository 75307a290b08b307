package router

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// Release lets go of what a dead router left behind: the addresses it recorded as held, the virtual addresses of its configuration (not those of an
// owner, priority 255, which are the interface's own) and its static ones, as far as they are on interfaces now; then its state. It answers
// what it removed, "ADDRESS on INTERFACE". ErrRunning: a router lives and nothing was touched.
func Release(runDir string) (removed []string, err error) {
	if _, err := os.Stat(runDir); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	lock, err := lockDir(runDir, 0)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	s, _, ok, err := loadSaved(runDir)
	if err != nil || !ok {
		return nil, err
	}
	if s.BootID == bootID() && s.NetNS == netNS() {
		if removed, err = release(s); err != nil {
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

func release(s Saved) ([]string, error) {
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
	return names, errors.Join(addrs.Remove(found), vrrpnet.Shield(nil), releaseVMACs(s))
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
	return errors.Join(v.Remove(list), vrrpnet.RestoreSettings(s.Settings))
}

// leftBehind are all addresses that may be a dead router's.
func leftBehind(s Saved) []vrrp.Address {
	var all []vrrp.Address
	owner := map[vrrp.ID]bool{}
	for _, i := range s.Config.Instances {
		if owner[i.ID()] = i.Priority == 255; !owner[i.ID()] {
			all = append(all, onInterface(home(i), i.Addresses)...)
		}
	}
	for _, i := range s.Instances {
		if !owner[i.ID] {
			all = append(all, i.Held...)
		}
	}
	return append(all, onInterface("", s.Config.Statics)...)
}

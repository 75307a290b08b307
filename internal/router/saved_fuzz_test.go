package router

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// Whatever a former router is said to have left, it is refused or can be judged; only what is configured and fresh is believed.
func FuzzLoadSaved(f *testing.F) {
	f.Add([]byte(`{"Version":1,"BootID":"b","NetNS":"n","Gen":3,"Config":{"Instances":[{"Name":"VI_1","Interface":"eth0","VRID":51,"Interval":1000000000}]},"Instances":[{"ID":{"Interface":"eth0","VRID":51},"State":3,"Index":2,"MAC":"02:00:00:00:00:01"}]}`), []byte{1, 2, 3, 4, 5, 6, 7, 0})
	f.Add([]byte(`{"Config":null,"Instances":[{}]}`), []byte{255, 255, 255, 255, 255, 255, 255, 255})
	f.Add([]byte(`{"Instances":[{"State":-1}],"Tracks":[{}]`), []byte{})
	f.Add([]byte(`null`), []byte("longer than a stamp"))
	ports := map[string]port{"eth0": {2, "02:00:00:00:00:01", true}}
	f.Fuzz(func(t *testing.T, state, alive []byte) {
		dir := t.TempDir()
		for name, b := range map[string][]byte{stateFile: state, aliveFile: alive} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, age, ok, err := loadSaved(dir)
		if err != nil || !ok {
			return
		}
		if age < 0 {
			t.Errorf("an age of %v", age)
		}
		adopted, _ := believe(s, s.BootID, s.NetNS, age, ports)
		for _, a := range adopted {
			if a.State != vrrp.Master && a.State != vrrp.Backup || age > 24*time.Hour*365 {
				t.Errorf("believed %+v at an age of %v", a, age)
			}
		}
		stale(s, age)
	})
}

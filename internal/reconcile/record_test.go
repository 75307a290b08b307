package reconcile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Whatever is in the file, what was loaded can be used and saved.
func FuzzLoadRecord(f *testing.F) {
	f.Add([]byte(`{"version":1,"host":"h","services":[{"family":4,"protocol":6,"addr":"192.0.2.1","port":80}],"fullnat":true}`))
	f.Add([]byte(`{"version":1,"host":"h","services":null,"sysctls":null,"timeouts":null}`))
	f.Add([]byte(`{"version":1,"host":"h","services":[{"addr":"x"}],"sysctls":{"a":{}}`))
	f.Add([]byte(`null`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "ipvs.json"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		c := loadRecord(dir, "h")
		for k := range c.owned {
			if err := k.Validate(); err != nil {
				t.Errorf("owns %v: %v", k, err)
			}
		}
		c.Sysctls["x"], c.Timeouts["y"], c.dirty = recordSysctl{}, ipvssync.Timeouts{}, true
		if err := c.save(); err != nil {
			t.Error(err)
		}
	})
}

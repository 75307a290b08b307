package config

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestAuthHMAC(t *testing.T) {
	const digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	binary := make([]byte, 32)
	for i := range binary {
		binary[i] = byte(i)
	}
	fsys := fstest.MapFS{
		"keys/hex":  {Data: []byte("hex:" + digits + "\r\n"), Mode: 0o600},
		"keys/text": {Data: []byte(strings.Repeat("k", 64)), Mode: 0o640},
		"keys/long": {Data: []byte("hex:" + digits + digits + digits), Mode: 0o600},
	}
	host := Host{Env: func(name string) string { return map[string]string{"CREDENTIALS_DIRECTORY": "/keys"}[name] }}
	for _, c := range []struct {
		name, block, extra string
		key                []byte
		mode               string
		window             time.Duration
		problem            string // code of a diagnostic, "" for none
	}{
		{"hex", "key 1 hex:" + digits + "\n active_key 1", "", binary, "enforce", 5 * time.Second, ""},
		{"text", "key 1 " + strings.Repeat("k", 32) + "\n active_key 1", "", bytes.Repeat([]byte("k"), 32), "enforce", 5 * time.Second, ""},
		{"file", "key 1 file:/keys/hex\n active_key 1", "", binary, "enforce", 5 * time.Second, ""},
		{"systemd credential", "key 1 file:${_ENV CREDENTIALS_DIRECTORY}/hex\n active_key 1", "", binary, "enforce", 5 * time.Second, ""},
		{"file that others read", "key 1 file:/keys/text\n active_key 1", "", bytes.Repeat([]byte("k"), 64), "enforce", 5 * time.Second, "key-readable"},
		{"no such file", "key 1 file:/keys/none\n active_key 1", "", nil, "", 0, "bad-key"},
		{"too large a file", "key 1 file:/keys/long\n active_key 1", "", nil, "", 0, "bad-key"},
		{"short", "key 1 short\n active_key 1", "", nil, "", 0, "bad-key"},
		{"long", "key 1 " + strings.Repeat("k", 65) + "\n active_key 1", "", nil, "", 0, "bad-key"},
		{"bad hex", "key 1 hex:" + digits + "0x\n active_key 1", "", nil, "", 0, "bad-key"},
		{"twice", "key 1 hex:" + digits + "\n key 1 hex:" + digits + "\n active_key 1", "", nil, "", 0, "key-twice"},
		{"key 0", "key 0 hex:" + digits + "\n active_key 1", "", nil, "", 0, "out-of-range"},
		{"no key", "active_key 1", "", nil, "", 0, "key-missing"},
		{"no active key", "key 1 hex:" + digits, "", nil, "", 0, "key-missing"},
		{"undefined active key", "key 1 hex:" + digits + "\n active_key 2", "", nil, "", 0, "not-defined"},
		{"mode", "key 1 hex:" + digits + "\n active_key 1\n mode receive-only", "", binary, "receive-only", 5 * time.Second, ""},
		{"bad mode", "key 1 hex:" + digits + "\n active_key 1\n mode relaxed", "", nil, "", 0, "bad-value"},
		{"window follows the interval", "key 1 hex:" + digits + "\n active_key 1", "advert_int 4", binary, "enforce", 12 * time.Second, ""},
		{"window is at most 300 s", "key 1 hex:" + digits + "\n active_key 1", "advert_int 200", binary, "enforce", 300 * time.Second, ""},
		{"window given", "key 1 hex:" + digits + "\n active_key 1\n time_window 30", "", binary, "enforce", 30 * time.Second, ""},
		{"window of half seconds", "key 1 hex:" + digits + "\n active_key 1\n time_window 2.5", "", nil, "", 0, "bad-value"},
		{"window without use", "key 1 hex:" + digits + "\n active_key 1\n time_window 30\n anti_replay monotonic", "", binary, "enforce", 30 * time.Second, "no-effect"},
		{"strict enforces", "key 1 hex:" + digits + "\n active_key 1\n mode permissive", "strict_mode on", binary, "enforce", 5 * time.Second, "strict"},
		{"takes the place of authentication", "key 1 hex:" + digits + "\n active_key 1", "authentication {\n auth_type PASS\n auth_pass x\n }", binary, "enforce", 5 * time.Second, "auth-twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys["c.conf"] = &fstest.MapFile{Data: []byte("vrrp_instance A {\n interface eth0\n virtual_router_id 1\n priority 100\n" + c.extra + "\n auth_hmac {\n " + c.block + "\n }\n virtual_ipaddress {\n 192.0.2.1/24\n }\n}\n")}
			m, ds := Parse(fsys, "/c.conf", host, Options{})
			codes := ""
			for _, d := range ds {
				codes += d.Code + " "
				if strings.Contains(d.Message, digits) || strings.Contains(d.Message, "kkkk") {
					t.Errorf("a diagnostic tells the key: %s", d.Message)
				}
			}
			if c.problem == "" && len(ds) > 0 || !strings.Contains(codes, c.problem) {
				t.Fatalf("diagnostics: %v", ds)
			}
			i := m.Instance("A")
			if c.key == nil {
				if !ds.HasErrors() || i.Blocked == "" {
					t.Fatalf("it may run: %v", ds)
				}
				return
			}
			h := i.AuthHMAC
			if ds.HasErrors() || len(h.Keys) != 1 || !bytes.Equal(h.Keys[0].Secret, c.key) || h.Mode != c.mode || h.TimeWindow != c.window || i.AuthType != "" {
				t.Fatalf("%+v %v", h, ds)
			}
		})
	}
}

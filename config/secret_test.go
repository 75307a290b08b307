package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestHideSecrets(t *testing.T) {
	for line, want := range map[string]string{
		"    auth_pass TOPSECRET123":                    "    auth_pass ************",
		`auth_pass "two words" # x`:                     `auth_pass *********** # x`,
		`auth_pass "not closed`:                         `auth_pass ***********`,
		"authentication { auth_pass abc auth_type AH }": "authentication { auth_pass *** auth_type AH }",
		"authpass abc":                                  "authpass ***",
		"      auth_pass: s\u00e4cret":                  "      auth_pass: *******",
		`{"auth_pass": "abc"}`:                          `{"auth_pass": *****}`,
		"key 1 hex:00ff":                                "key 1 ********",
		"password geheim":                               "password ******",
		"auth_pass":                                     "auth_pass",
		"key /etc/ssl/key.pem":                          "key /etc/ssl/key.pem",
		"priority 100":                                  "priority 100",
	} {
		if got := hideSecrets(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestNoPasswordInWhatIsSaidOfAFile(t *testing.T) {
	for _, text := range []string{
		"vrrp_instance V {\n interface lo\n virtual_router_id 1\n authentication {\n  auth_type PASS\n  auth_pass TOPSECRET123\n }\n}\n",
		"vrrp_instance V {\n interface lo\n virtual_router_id 1\n authentication {\n  auth_type PASS\n  authpass TOPSECRET123\n }\n}\n",
		"vrrp_instance V {\n interface lo\n virtual_router_id 1\n authentication {\n  auth_type PASS\n  auth_pass \"TOPSECRET123\n }\n}\n",
		"vrrp_instance V {\n interface lo\n virtual_router_id 1\n authentication { auth_pass TOPSECRET123 auth_type PASS }\n}\n",
	} {
		_, diags := Parse(fstest.MapFS{"f.conf": {Data: []byte(text)}}, "/f.conf", Host{}, Options{})
		if len(diags) == 0 {
			t.Errorf("nothing is said of\n%s", text)
		}
		if said := diags.Text(false); strings.Contains(said, "TOPSECRET") {
			t.Errorf("the password is in\n%s", said)
		}
	}
}

package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

const (
	hmacKeyMin = 32
	hmacKeyMax = 64
	// hmacFileMax is the most a key file may hold: hex: and two digits for each byte, with some room for line ends.
	hmacFileMax = 4 + 2*hmacKeyMax + 8
)

// fillHMAC settles auth_hmac: the keys become bytes, wherever they are written.
func (d *decoder) fillHMAC(i *VRRPInstance, n *node) {
	h := &i.AuthHMAC
	if !h.Given {
		return
	}
	block := n
	for _, k := range n.kids {
		if k.key.text == "auth_hmac" {
			block = k
		}
	}
	if i.AuthType != "" {
		d.say(n, Warning, "authentication", "auth-twice", "remove the authentication block", "auth_hmac takes its place: the authentication block is ignored, as in keepalived")
		i.AuthType, i.AuthPass = "", ""
	}
	d.fillHMACKeys(h, block)
	switch {
	case len(h.Keys) == 0 && i.Blocked == "":
		d.say(n, Error, "auth_hmac", "key-missing", "add key 1 hex:DIGITS, 64 digits from openssl rand -hex 32", "auth_hmac has no key")
	case h.ActiveKey < 0 && i.Blocked == "":
		d.say(block, Error, "active_key", "key-missing", fmt.Sprintf("add active_key %d", h.Keys[0].ID), "active_key is missing: keepalived would run without auth_hmac")
	case i.Blocked == "" && !h.has(h.ActiveKey):
		d.say(block, Error, "active_key", "not-defined", "name one of the keys", "active_key %d is not defined: keepalived would run without auth_hmac", h.ActiveKey)
	}
	if h.Mode == "" {
		h.Mode = "enforce"
	}
	if i.Strict && h.Mode != "enforce" {
		d.say(block, Warning, "mode", "strict", "finish the migration first, then turn strict mode on", "strict mode enforces auth_hmac: mode %s becomes enforce, as in keepalived", h.Mode)
		h.Mode = "enforce"
	}
	if h.AntiReplay == "" {
		h.AntiReplay = "time"
	}
	if h.AntiReplay == "monotonic" && h.TimeWindow != 0 {
		d.say(block, Warning, "time_window", "no-effect", "remove it, or write anti_replay time", "time_window means nothing with anti_replay monotonic")
	}
	if h.TimeWindow == 0 {
		h.TimeWindow = min(max(3*i.AdvertInt.Truncate(time.Second), 5*time.Second), 300*time.Second)
	}
	if h.TimeWindow != h.TimeWindow.Truncate(time.Second) {
		d.say(block, Error, "time_window", "bad-value", "write 1 to 300", "time_window is in whole seconds")
		h.TimeWindow = 5 * time.Second
	}
}

func (h *AuthHMAC) has(id int) bool {
	for _, k := range h.Keys {
		if k.ID == id {
			return true
		}
	}
	return false
}

// fillHMACKeys finds the bytes of every key.
func (d *decoder) fillHMACKeys(h *AuthHMAC, block *node) {
	good := h.Keys[:0:0]
	for _, k := range h.Keys {
		at := block
		for _, line := range block.kids {
			if line.pos() == k.Pos {
				at = line
			}
		}
		w := &at.key
		if len(at.args) > 1 {
			w = at.arg(1)
		}
		for _, o := range good {
			if o.ID == k.ID {
				d.fatal(at, w, "key-twice", "give every key a number of its own", "key %d is defined twice", k.ID)
			}
		}
		secret, err := d.hmacSecret(k.Value)
		if err != nil {
			d.fatal(at, w, "bad-key", "openssl rand -hex 32 makes one: key N hex:DIGITS", "key %d: %v", k.ID, err)
			continue
		}
		if name, isFile := strings.CutPrefix(k.Value, "file:"); isFile && d.open != nil {
			if mode, err := d.open.mode(name); err == nil && mode&0o077 != 0 {
				d.word(at, w, Warning, "key-readable", "chmod 600 "+name, "key file %s is readable or writable by group or others", name)
			}
		}
		k.Secret = secret
		good = append(good, k)
	}
	h.Keys = good
}

// hmacSecret is what a key's value stands for. Errors never name the secret.
func (d *decoder) hmacSecret(value string) ([]byte, error) {
	if name, isFile := strings.CutPrefix(value, "file:"); isFile {
		if name == "" {
			return nil, errors.New("file: names no file")
		}
		if d.open == nil {
			return nil, errors.New("there are no files here")
		}
		text, err := d.open.read(name)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", name, err)
		}
		if len(text) >= hmacFileMax {
			return nil, fmt.Errorf("%s is too large for a key", name)
		}
		value = strings.TrimRight(text, "\r\n")
	}
	secret := []byte(value)
	if digits, isHex := strings.CutPrefix(value, "hex:"); isHex {
		var err error
		if secret, err = hex.DecodeString(strings.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, digits)); err != nil {
			return nil, errors.New("after hex: there are other characters than pairs of hexadecimal digits")
		}
	}
	if len(secret) < hmacKeyMin || len(secret) > hmacKeyMax {
		return nil, fmt.Errorf("it has %d bytes, a key has %d to %d", len(secret), hmacKeyMin, hmacKeyMax)
	}
	return secret, nil
}

// files reads what a configuration names besides its own text.
type files struct {
	fsys   fs.FS
	locate func(string) string
}

func (f *files) read(name string) (string, error) {
	text, err := readText(f.fsys, f.locate(name), false)
	return text, err
}

func (f *files) mode(name string) (fs.FileMode, error) {
	info, err := fs.Stat(f.fsys, f.locate(name))
	if err != nil {
		return 0, plainErr(err)
	}
	return info.Mode().Perm(), nil
}

package checkers

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Fingerprint is equal for equal probes, in this process and the next.
type Fingerprint [16]byte

// String is hexadecimal.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// MarshalText writes hexadecimal.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads hexadecimal; anything else gives the zero fingerprint, which equals none.
func (f *Fingerprint) UnmarshalText(b []byte) error {
	*f = Fingerprint{}
	if raw, err := hex.DecodeString(string(b)); err == nil && len(raw) == len(f) {
		copy(f[:], raw)
	}
	return nil
}

// Fingerprint of the probe: all of it counts.
func (p *Probe) Fingerprint() Fingerprint { return p.fingerprint(&written{}) }

// written is the JSON of the parameters seen last: those of neighbours are often the very same.
type written struct {
	of   Params
	text []byte
}

func (p *Probe) fingerprint(last *written) Fingerprint {
	b := make([]byte, 0, 256)
	b = append(b, byte(p.Kind))
	b = p.Target.AppendTo(b)
	b = append(b, 0)
	b = p.Bind.AppendTo(b)
	b = append(b, 0)
	b = append(b, p.Interface...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint32(b, p.Mark)
	b = appendDuration(b, p.StepLimit())
	if p.Via.Server.IsValid() {
		b = p.Via.Server.AppendTo(b)
		b = append(b, 0)
		b = append(b, p.Via.Method...)
		b = append(b, 0)
	}
	if p.Params != nil {
		// Params are plain data; what JSON cannot write does not exist in them.
		if last.of != p.Params {
			last.of = p.Params
			last.text, _ = json.Marshal(p.Params)
		}
		b = append(b, last.text...)
	}
	sum := sha256.Sum256(b)
	return Fingerprint(sum[:16])
}

func appendDuration(b []byte, d time.Duration) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(d))
}

// shareKey is equal for checks that one schedule can serve: equal probes, equal timing.
func shareKey(s *Spec, probe Fingerprint) Fingerprint {
	b := make([]byte, 0, 160)
	b = append(b, probe[:]...)
	b = appendDuration(b, s.Rules.interval())
	b = appendDuration(b, s.Rules.RetryDelay)
	b = appendDuration(b, s.Rules.FastInterval)
	b = binary.BigEndian.AppendUint32(b, uint32(s.Rules.fall()))
	b = binary.BigEndian.AppendUint32(b, uint32(s.Rules.rise()))
	if s.Alone {
		b = append(b, s.ID.Virtual...)
		b = append(b, 0)
		b = append(b, s.ID.Real...)
		b = binary.BigEndian.AppendUint32(b, uint32(s.ID.Index))
	}
	sum := sha256.Sum256(b)
	return Fingerprint(sum[:16])
}

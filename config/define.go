package config

import (
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
)

// definition is a $NAME=value; several lines when the value was continued with backslashes.
type definition struct {
	name  string
	at    place
	lines []defLine
	multi bool
}

type defLine struct {
	text string
	at   place
}

// more takes the next line of a multi-line value.
func (d *definition) more(s string, p place, current **definition) {
	cont := strings.HasSuffix(s, `\`)
	if cont {
		s = strings.TrimRight(strings.TrimSuffix(s, `\`), " \t")
	} else {
		*current = nil
	}
	if s != "" {
		d.lines = append(d.lines, defLine{s, p})
	}
}

func nameLen(s string) int {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9' {
			continue
		}
		return i
	}
	return len(s)
}

// define recognises $NAME=value.
func (r *reader) define(s string, p place) bool {
	n := nameLen(s[1:])
	if n == 0 || len(s) <= n+1 || s[n+1] != '=' {
		return false
	}
	d := &definition{name: s[1 : n+1], at: p}
	value := strings.TrimLeft(s[n+2:], " \t")
	at := p.shift(len(s) - len(value))
	if strings.HasSuffix(value, `\`) {
		d.multi = true
		r.multi = d
		d.more(value, at, &r.multi)
	} else {
		d.lines = []defLine{{value, at}}
	}
	if strings.HasPrefix(d.name, "_") && builtin[d.name] {
		r.complain(p, n+1, Warning, "definition-builtin", "choose another name", "$%s is built in", d.name)
	}
	r.defs[d.name] = d
	return true
}

var builtin = map[string]bool{"_PWD": true, "_INSTANCE": true, "_RANDOM": true, "_ENV": true, "_HASH": true, "_BANG": true}

// substitute replaces references once, left to right. lines is not nil when the last one was a multi-line definition, whose lines
// follow out.
func (r *reader) substitute(s string, p place) (out string, lines []defLine, changed bool) {
	var b strings.Builder
	for i := 0; i < len(s); {
		j := strings.IndexByte(s[i:], '$')
		if j < 0 {
			b.WriteString(s[i:])
			break
		}
		j += i
		b.WriteString(s[i:j])
		name, args, size := reference(s[j:])
		if size == 0 {
			b.WriteByte('$')
			i = j + 1
			continue
		}
		braced := s[j+1] == '{'
		value, d, ok := r.value(name, args, p)
		switch {
		case !ok:
			if !r.undef[name] {
				r.undef[name] = true
				if braced || name == strings.ToUpper(name) {
					if r.unfilled++; r.unfilled == 1 {
						r.firstUnfilled, r.firstWidth = p.shift(j), size
					}
				}
				switch {
				case braced && strings.Count(s[:j], `"`)%2 == 1: // a word of its own, braces and all, as in keepalived
					r.complain(p.shift(j), size, Warning, "undefined", "define it with $"+name+"=value at the start of a line above", "${%s} is not defined and stays as it is", name)
				case braced:
					r.refused[name] = true
					r.complain(p.shift(j), size, Error, "undefined", "define it with $"+name+"=value at the start of a line above, or render the template first", "${%s} is not defined", name)
				case name == strings.ToUpper(name):
					r.complain(p.shift(j), size, Warning, "undefined", "define it with $"+name+"=value above; put a password with $ into another form", "$%s is not defined and stays as it is", name)
				}
			}
			b.WriteString(s[j : j+size])
		case d != nil && d.multi:
			if strings.TrimSpace(s[j+size:]) != "" {
				r.complain(p.shift(j), size, Error, "definition-not-last", "put the reference on a line of its own", "the multi-line definition $%s must be the last thing on its line", name).Confined = true
			}
			return strings.TrimRight(b.String(), " \t"), append(make([]defLine, 0, len(d.lines)), d.lines...), true
		default:
			changed = true
			b.WriteString(value)
			if b.Len() > maxLineSize {
				return b.String(), nil, true
			}
		}
		i = j + size
	}
	return b.String(), nil, changed
}

// reference recognises $NAME or ${NAME args} at the start of s and says how long it is.
func reference(s string) (name, args string, size int) {
	if len(s) > 1 && s[1] == '{' {
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return "", "", 0
		}
		inner := s[2:end]
		n := nameLen(inner)
		if n == 0 || n < len(inner) && !blank(inner[n]) {
			return "", "", 0
		}
		return inner[:n], strings.TrimSpace(inner[n:]), end + 1
	}
	n := nameLen(s[1:])
	if n == 0 {
		return "", "", 0
	}
	if n+1 < len(s) && !blank(s[n+1]) && s[n+1] != ',' && s[n+1] != ')' {
		return "", "", 0
	}
	return s[1 : n+1], "", n + 1
}

func (r *reader) value(name, args string, p place) (string, *definition, bool) {
	if d := r.defs[name]; d != nil {
		if d.multi {
			return "", d, true
		}
		return d.lines[0].text, d, true
	}
	switch name {
	case "_PWD":
		dir := path.Dir(p.src.name)
		if !strings.HasPrefix(dir, "/") {
			dir = path.Join("/", r.opts.Dir, dir)
		}
		return dir, nil, true
	case "_INSTANCE":
		return r.id, nil, true
	case "_HASH":
		return `\#`[1:], nil, true
	case "_BANG":
		return "!", nil, true
	case "_ENV":
		if r.host.Env == nil {
			return "", nil, true
		}
		return strings.Map(func(c rune) rune {
			if c == '\n' || c == '\r' || c == 0 {
				return ' '
			}
			return c
		}, strings.ReplaceAll(r.host.Env(args), "$", "")), nil, true
	case "_RANDOM":
		return r.random(args), nil, true
	}
	return "", nil, false
}

func (r *reader) random(args string) string {
	low, high := uint64(0), uint64(32767)
	f := strings.Fields(args)
	if len(f) > 0 {
		low, _ = strconv.ParseUint(f[0], 10, 31)
	}
	if len(f) > 1 {
		high, _ = strconv.ParseUint(f[1], 10, 31)
	}
	if high < low {
		low, high = high, low
	}
	r.rand++
	return strconv.FormatUint(low+rand.New(rand.NewPCG(uint64(r.host.Seed), r.rand)).Uint64N(high-low+1), 10)
}

package config

import (
	"strconv"
	"strings"
)

// sequence expands ~SEQ, ~SEQx and ~LST lines (reference 1.5). It says whether the line was one.
func (r *reader) sequence(s string, p place, depth int) bool {
	word := s[1:]
	if i := strings.IndexAny(word, "( \t"); i >= 0 {
		word = word[:i]
	}
	if word != "SEQ" && word != "SEQx" && word != "LST" {
		return false
	}
	bad := func(format string, args ...any) bool {
		r.complain(p, len(s), Error, "sequence", "write ~SEQ(name, start, step, end) text or ~LST(name, a, b, c) text", format, args...).Confined = true
		return true
	}
	if depth >= maxSubst {
		return bad("sequences are nested without end")
	}
	rest := strings.TrimLeft(s[1+len(word):], " \t")
	if !strings.HasPrefix(rest, "(") {
		return bad("~%s needs its parameters in parentheses", word)
	}
	end := strings.IndexByte(rest, ')')
	if end < 0 {
		return bad("the parenthesis of ~%s is not closed", word)
	}
	inner, text := rest[1:end], strings.TrimLeft(rest[end+1:], " \t")
	for i := 0; strings.IndexByte(inner, '$') >= 0; i++ {
		out, lines, changed := r.substitute(inner, p)
		if !changed {
			break
		}
		if lines != nil || i > maxSubst || len(out) > maxLineSize {
			return bad("the parameters of ~%s do not expand to plain words", word)
		}
		inner = out
	}
	if text == "" {
		return bad("~%s has nothing to repeat", word)
	}
	p.exact = false
	params := splitParams(inner)
	if word == "LST" {
		return r.list(params, text, p, depth, bad)
	}
	return r.counter(params, word == "SEQx", text, p, depth, bad)
}

// splitParams cuts at commas outside braces.
func splitParams(s string) []string {
	var out []string
	level, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			level++
		case '}':
			level--
		case ',':
			if level == 0 {
				out = append(out, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(s[from:]))
}

func (r *reader) free(name string) bool {
	return nameLen(name) == len(name) && name != "" && r.defs[name] == nil
}

func (r *reader) counter(params []string, hex bool, text string, p place, depth int, bad func(string, ...any) bool) bool {
	if len(params) < 2 || len(params) > 4 {
		return bad("~SEQ takes a name and one to three numbers")
	}
	name := params[0]
	if !r.free(name) {
		return bad("~SEQ needs a name that is not defined yet, not %q", name)
	}
	nums := make([]int64, 0, 3)
	for _, s := range params[1:] {
		n, err := strconv.ParseInt(s, 0, 33)
		if err != nil {
			return bad("%q is not a number", s)
		}
		nums = append(nums, n)
	}
	last := nums[len(nums)-1]
	start, step := int64(1), int64(1)
	if last < 0 {
		start = -1
	}
	if len(nums) > 1 {
		start = nums[0]
	}
	if last < start {
		step = -1
	}
	if len(nums) == 3 {
		step = nums[1]
	}
	if step == 0 || last != start && (last > start) != (step > 0) {
		return bad("a step of %d does not lead from %d to %d", step, start, last)
	}
	defer delete(r.defs, name)
	for v := start; (step > 0 && v <= last || step < 0 && v >= last) && !r.stopped; v += step {
		value := strconv.FormatInt(v, 10)
		if hex {
			value = strconv.FormatInt(v, 16)
		}
		r.defs[name] = &definition{name: name, at: p, lines: []defLine{{value, p}}}
		if !r.again(p) {
			break
		}
		r.logical(text, p, depth+1)
	}
	return true
}

// again counts the lines that sequences make; beyond the bound the reading stops.
func (r *reader) again(p place) bool {
	if r.repeats++; r.repeats <= maxRepeats || r.stopped {
		return !r.stopped
	}
	r.complain(p, 0, Error, "too-large", "shorten the sequence", "sequences make more than %d lines", maxRepeats)
	r.stopped = true
	return false
}

func (r *reader) list(params []string, text string, p place, depth int, bad func(string, ...any) bool) bool {
	if len(params) < 2 {
		return bad("~LST takes a name and at least one value")
	}
	members := func(s string) []string {
		if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") && len(s) >= 2 {
			return splitParams(s[1 : len(s)-1])
		}
		return []string{s}
	}
	names := members(params[0])
	for _, n := range names {
		if !r.free(n) {
			return bad("~LST needs a name that is not defined yet, not %q", n)
		}
	}
	for _, param := range params[1:] {
		if r.stopped {
			break
		}
		values := []string{param}
		if strings.HasPrefix(params[0], "{") {
			values = members(param)
		}
		if len(values) > len(names) {
			bad("~LST has %d values for %d names", len(values), len(names))
			break
		}
		for i, n := range names {
			v := ""
			if i < len(values) {
				v = values[i]
			}
			r.defs[n] = &definition{name: n, at: p, lines: []defLine{{v, p}}}
		}
		if !r.again(p) {
			break
		}
		r.logical(text, p, depth+1)
	}
	for _, n := range names {
		delete(r.defs, n)
	}
	return true
}

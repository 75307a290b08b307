package config

import (
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// decoder turns a tree into a Model by the keyword table.
type decoder struct {
	*reporter
	host Host
	open *files // nil: there are none
	opts Options
	item string
	// block takes the reason why the present item must not run; nil outside of items.
	block func(reason string)
	meta  *Meta
	where []*blockInfo
	cur   *keyword // the row being decoded
	// blockAll is why no instance may run, "" if they may.
	blockAll string
	refused  map[string]bool // undefined names that were complained about
	// said counts identical notes about not-acted-on keywords.
	said   map[string]bool
	drafts drafts
	places *places
	// What stands at the root: a file of unknown words is no configuration.
	unknownRoot, knownRoot int
	nearRoot               int // unknown ones that are a block, or resemble a keyword
	firstUnknown           *node
}

// within decodes an item: errors found inside are confined to it.
func (d *decoder) within(item string, block func(string), f func()) {
	savedItem, savedBlock := d.item, d.block
	d.item, d.block = item, block
	f()
	d.item, d.block = savedItem, savedBlock
}

// word reports a problem with a word of the present item.
func (d *decoder) word(n *node, w *word, sev Severity, code, hint, format string, args ...any) *Diagnostic {
	x := d.reporter.word(n, w, sev, code, hint, format, args...)
	x.Item, x.Confined = d.item, sev == Error
	return x
}

// fatal reports an error that keeps the present item from running. With --warn-only it is a warning.
func (d *decoder) fatal(n *node, w *word, code, hint, format string, args ...any) {
	if d.opts.WarnOnly {
		d.word(n, w, Warning, code, hint, format, args...)
		return
	}
	x := d.word(n, w, Error, code, hint, format, args...)
	if d.block != nil {
		d.block(x.Message)
	}
}

// decode fills o in from the lines of a block.
func decode[T any](d *decoder, t *table[T], o *T, meta *Meta, kids []*node) {
	saved := d.meta
	d.meta = meta
	if meta != nil && meta.set == nil && len(kids) > 0 && len(kids) < 64 {
		meta.set = make([]keyPos, 0, len(kids))
	}
	d.where = append(d.where, t.info)
	for _, n := range kids {
		one(d, t, o, meta, n)
	}
	d.where = d.where[:len(d.where)-1]
	d.meta = saved
}

// one decodes one line of a block.
func one[T any](d *decoder, t *table[T], o *T, meta *Meta, n *node) {
	r := t.rows[n.key.text]
	if r == nil {
		d.unknown(t.info, n)
		return
	}
	cur, block := d.cur, d.block
	d.cur = r.keyword
	if len(d.where) == 1 {
		d.knownRoot++
		if r.owner {
			d.block = d.allBlocked
		}
	}
	d.common(r.keyword, n)
	if meta != nil {
		meta.mark(r.name, n.pos())
	}
	r.read(d, o, n)
	d.cur, d.block = cur, block
}

// common is what is said about a keyword before its arguments are looked at.
func (d *decoder) common(k *keyword, n *node) {
	if k.shape != shapeLines && k.shape != shapeNames && k.shape != shapeBlock && n.block {
		d.word(n, &n.key, Error, "block-not-wanted", "braces outside double quotes always begin or end a block", "%s takes no block", n.key.text)
	}
	if k.note != "" {
		d.once(n, Note, "note:"+k.name, "obsolete", "", "%s", k.note)
	} else if n.key.text != k.name && len(k.aliases) > 0 && k.use != gone {
		d.once(n, Note, "alias:"+n.key.text, "alias", "", "%s is an older spelling of %s", n.key.text, k.name)
	}
	switch k.use {
	case idle:
		if k.owner {
			d.fatal(n, &n.key, "not-acted-on", "remove it, or keep keepalived for this instance; --warn-only runs without it",
				"%s is understood but Holdfast does not act on it yet, and it decides who owns an address", n.key.text)
			return
		}
		d.once(n, Warning, "idle:"+k.name, "not-acted-on", idleHints[k.name], "%s is understood but Holdfast does not act on it yet", n.key.text)
	case gone:
		if k.note == "" {
			d.once(n, Note, "gone:"+k.name, "obsolete", "remove it", "%s has no effect any more", n.key.text)
		}
	}
}

// once says something about a keyword the first time it is used.
func (d *decoder) once(n *node, sev Severity, key, code, hint, format string, args ...any) {
	if d.said[key] {
		return
	}
	d.said[key] = true
	d.word(n, &n.key, sev, code, hint, format, args...)
}

// extra notes words that a keyword does not take.
func (d *decoder) extra(n *node, used int) {
	if len(n.args) <= used {
		return
	}
	w := n.arg(used)
	sev := Warning
	if n.src.yaml { // YAML is strict
		sev = Error
	}
	d.word(n, w, sev, "extra-words", "put a value with blanks in double quotes; one keyword per line", "%s takes no more words: %q is ignored", n.key.text, clip(w.text))
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:57] + "..."
	}
	return s
}

// need reports a missing argument.
func (d *decoder) need(n *node, i int) bool {
	if i < len(n.args) {
		return true
	}
	if d.cur != nil && d.cur.lax && !n.src.yaml {
		d.word(n, &n.key, Warning, "missing-argument", "write the value, or remove the line", "%s has no value: the line is ignored, as in keepalived", n.key.text)
		return false
	}
	d.bad(n, &n.key, "missing-argument", "keepalived stops at this mistake, even at a reload", "%s needs a value", n.key.text)
	return false
}

// bad reports a bad argument: it keeps the item from running if the keyword decides who owns an address.
func (d *decoder) bad(n *node, w *word, code, hint, format string, args ...any) {
	if d.cur != nil && d.cur.owner {
		d.fatal(n, w, code, hint, format, args...)
		return
	}
	d.word(n, w, Error, code, hint, format, args...)
}

func (d *decoder) allBlocked(reason string) {
	if d.blockAll == "" {
		d.blockAll = reason
	}
}

func (d *decoder) needBlock(n *node) bool {
	if n.block {
		d.extra(n, 0)
		return true
	}
	if d.cur != nil && (d.cur.shape == shapeLines || d.cur.shape == shapeNames) && len(n.args) == 0 && len(d.cur.named) == 0 {
		// keepalived passes over it: an empty list.
		d.word(n, &n.key, Warning, "block-missing", "write "+n.key.text+" { ... }, or remove the line", "%s has no block: it lists nothing", n.key.text)
		return false
	}
	d.bad(n, &n.key, "block-missing", "write "+n.key.text+" { ... }", "%s needs a block", n.key.text)
	return false
}

// badLine reports a block where an entry of a list should be.
func (d *decoder) badLine(k *node) bool {
	if !k.block {
		return false
	}
	d.fatal(k, &k.key, "unexpected-block", "is a closing brace missing above?", "a block has no place in this list")
	return true
}

// wordArg is a word to be kept: a copy, because the words of the tree are parts of the text, and one of them would hold all of it in memory.
func (d *decoder) wordArg(n *node, i int) (string, bool) {
	if !d.need(n, i) {
		return "", false
	}
	d.placeholder(n, n.arg(i))
	return strings.Clone(n.args[i].text), true
}

// placeholder points out values which nobody filled in.
func (d *decoder) placeholder(n *node, w *word) bool {
	s := w.text
	if i := strings.Index(s, "${"); i >= 0 && !w.quoted {
		if name, _, size := reference(s[i:]); size > 0 && d.refused[name] {
			if d.cur != nil && d.cur.owner && d.block != nil && !d.opts.WarnOnly {
				d.block("${" + name + "} is not defined")
			}
			return true // said where it is read
		}
	}
	if marked(s) {
		d.bad(n, w, "placeholder", "put the real value here", "%q looks like a placeholder", clip(s))
		return true
	}
	return false
}

// marked recognises <X>, {{X}}, [[X]], __X__, @X@, %X% and [X].
func marked(s string) bool {
	if len(s) < 3 {
		return false
	}
	if open := strings.IndexByte(s, '<'); open >= 0 && strings.IndexByte(s[open:], '>') > 0 || strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "[[") {
		return true
	}
	for _, m := range []struct{ open, close string }{{"__", "__"}, {"@", "@"}, {"%", "%"}, {"[", "]"}} {
		if inner, ok := strings.CutPrefix(s, m.open); ok {
			if inner, ok = strings.CutSuffix(inner, m.close); ok && inner != "" && strings.Trim(inner, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == "" && startsName(inner) {
				return true
			}
		}
	}
	return false
}

func parseBool(s string) (v, ok bool) {
	switch s {
	case "on", "true", "yes":
		return true, true
	case "off", "false", "no":
		return false, true
	}
	return false, false
}

func (d *decoder) boolArg(n *node) (bool, bool) {
	if len(n.args) == 0 {
		return true, true
	}
	v, ok := parseBool(n.args[0].text)
	if !ok && d.cur != nil && d.cur.lax && !n.src.yaml {
		d.word(n, n.arg(0), Warning, "bad-value", "write "+n.key.text+" alone, or with on or off", "%s is on or off, not %q: it is on, as in keepalived", n.key.text, clip(n.args[0].text))
		return true, true
	}
	if !ok {
		d.bad(n, n.arg(0), "bad-value", d.suggest(n.args[0].text, []string{"on", "off", "true", "false", "yes", "no"}), "%s is on or off, not %q", n.key.text, clip(n.args[0].text))
		return false, false
	}
	d.extra(n, 1)
	return v, true
}

func (d *decoder) intArg(n *node, i int, min, max int64) (int64, bool) {
	if !d.need(n, i) {
		return 0, false
	}
	return d.number(n, n.arg(i), min, max)
}

func (d *decoder) number(n *node, w *word, min, max int64) (int64, bool) {
	v, err := strconv.ParseInt(w.text, 10, 64)
	if err != nil {
		if !d.placeholder(n, w) {
			d.bad(n, w, "bad-number", numberHint(w.text), "%s wants a whole number from %d to %d, not %q", n.key.text, min, max, clip(w.text))
		}
		return 0, false
	}
	if v < min || v > max {
		d.bad(n, w, "out-of-range", "", "%s %d is outside %d to %d", n.key.text, v, min, max)
		return 0, false
	}
	return v, true
}

func numberHint(s string) string {
	t := strings.TrimRight(s, ";,.:")
	if _, err := strconv.ParseFloat(t, 64); err == nil {
		if t != s {
			return "write " + t + ", without " + s[len(t):]
		}
		return ""
	}
	if i := strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }); i > 0 {
		return "write " + s[:i] + " if that is meant"
	}
	return ""
}

func (d *decoder) timeArg(n *node, i int, unit, min, max time.Duration) (time.Duration, bool) {
	if !d.need(n, i) {
		return 0, false
	}
	w := n.arg(i)
	v, ok := parseTime(w.text, unit, n.src.yaml)
	if !ok {
		if !d.placeholder(n, w) {
			hint := numberHint(w.text)
			if _, err := time.ParseDuration(w.text); err == nil {
				hint = "keepalived's language has no units: write the number only"
			}
			d.bad(n, w, "bad-number", hint, "%s wants a time in %s, not %q", n.key.text, unitName(unit), clip(w.text))
		}
		return 0, false
	}
	if v < min || v > max {
		d.bad(n, w, "out-of-range", "", "%s %s is outside %s to %s %s", n.key.text, w.text, timeText(min, unit), timeText(max, unit), unitName(unit))
		return 0, false
	}
	return v, true
}

func unitName(u time.Duration) string {
	switch u {
	case time.Millisecond:
		return "milliseconds"
	case time.Microsecond:
		return "microseconds"
	}
	return "seconds"
}

// timeText writes a duration as a decimal number of units.
func timeText(v, unit time.Duration) string {
	r := new(big.Rat).SetFrac64(int64(v), int64(unit))
	s := r.FloatString(9)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// parseTime reads a decimal number of units, or with units allowed a number with one of ns us ms s m h.
func parseTime(s string, unit time.Duration, units bool) (time.Duration, bool) {
	if units {
		for _, u := range []struct {
			suffix string
			d      time.Duration
		}{{"ns", 1}, {"us", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}} {
			if strings.HasSuffix(s, u.suffix) {
				return parseTime(s[:len(s)-len(u.suffix)], u.d, false)
			}
		}
	}
	whole, frac, _ := strings.Cut(strings.TrimPrefix(s, "+"), ".")
	if whole == "" && frac == "" || len(whole) > 12 || len(frac) > 9 {
		return 0, false
	}
	var v int64
	for _, c := range []byte(whole) {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if v > int64(1<<62)/int64(unit) {
		return 0, false
	}
	total := v * int64(unit)
	scale := int64(unit)
	var f, den int64 = 0, 1
	for _, c := range []byte(frac) {
		if c < '0' || c > '9' {
			return 0, false
		}
		f, den = f*10+int64(c-'0'), den*10
	}
	if f > 0 {
		total += int64(new(big.Int).Div(new(big.Int).Mul(big.NewInt(f), big.NewInt(scale)), big.NewInt(den)).Int64())
	}
	return time.Duration(total), true
}

func (d *decoder) enumArg(n *node, i int, values []string) (string, bool) {
	if !d.need(n, i) {
		return "", false
	}
	w := n.arg(i)
	for _, v := range values {
		if v == w.text {
			return v, true
		}
	}
	if !d.placeholder(n, w) {
		d.bad(n, w, "bad-value", d.suggest(w.text, values), "%s is one of %s, not %q", n.key.text, strings.Join(values, ", "), clip(w.text))
	}
	return "", false
}

func (d *decoder) addrArg(n *node, i int) (netip.Addr, bool) {
	if !d.need(n, i) {
		return netip.Addr{}, false
	}
	return d.addr(n, n.arg(i))
}

func (d *decoder) addr(n *node, w *word) (netip.Addr, bool) {
	a, err := netip.ParseAddr(w.text)
	if err != nil {
		// keepalived takes a prefix length where an address is wanted, and passes over it.
		if p, perr := netip.ParsePrefix(w.text); perr == nil && p.Addr().Zone() == "" && !p.Addr().Is4In6() {
			d.word(n, w, Warning, "extra-words", "write "+p.Addr().String(), "an address without prefix length is wanted: %s is ignored", w.text[strings.IndexByte(w.text, '/'):])
			return p.Addr(), true
		}
	}
	if err == nil && (a.Zone() != "" || a.Is4In6()) {
		d.bad(n, w, "bad-address", "write the plain address", "%q has a zone or is an IPv4 address inside IPv6", clip(w.text))
		return a, false
	}
	if err != nil {
		if !d.placeholder(n, w) {
			d.bad(n, w, "bad-address", addrHint(w.text), "%q is not an address", clip(w.text))
		}
		return a, false
	}
	return a, true
}

func addrHint(s string) string {
	if h, p, ok := strings.Cut(s, ":"); ok && !strings.Contains(p, ":") {
		if _, err := netip.ParseAddr(h); err == nil {
			return "write the port after a blank: " + h + " " + p
		}
	}
	if t := strings.TrimRight(s, ",;."); t != s {
		return "write " + t
	}
	if strings.Contains(s, "/") {
		return "an address without prefix length is wanted"
	}
	if strings.IndexFunc(s, func(c rune) bool { return c >= 'g' && c <= 'z' }) >= 0 {
		return "names are not looked up: write the address"
	}
	return ""
}

// prefix reads ADDR[/LEN] and keeps the host bits.
func (d *decoder) prefix(n *node, w *word) (p netip.Prefix, given, ok bool) {
	s := w.text
	host, length, given := strings.Cut(s, "/")
	a, err := netip.ParseAddr(host)
	if err != nil || a.Zone() != "" || a.Is4In6() {
		if !d.placeholder(n, w) {
			d.bad(n, w, "bad-address", addrHint(host), "%q is not an address", clip(s))
		}
		return p, given, false
	}
	bits := a.BitLen()
	if given {
		v, err := strconv.Atoi(length)
		if err != nil || v < 0 || v > a.BitLen() {
			hint := "0 to " + strconv.Itoa(a.BitLen())
			if short := strings.TrimRight(length, ",;"); short != length && short != "" {
				hint = "write " + host + "/" + short
			}
			if m, e := netip.ParseAddr(length); e == nil && m.Is4() && a.Is4() {
				if ones, ok := maskBits(m); ok {
					hint = "write " + host + "/" + strconv.Itoa(ones)
				}
			}
			d.bad(n, w, "bad-address", hint, "%q has no valid prefix length", clip(s))
			return p, given, false
		}
		bits = v
	}
	return netip.PrefixFrom(a, bits), given, true
}

func maskBits(m netip.Addr) (int, bool) {
	b := m.AsSlice()
	ones, zero := 0, false
	for _, x := range b {
		for i := 7; i >= 0; i-- {
			if x>>i&1 == 1 {
				if zero {
					return 0, false
				}
				ones++
			} else {
				zero = true
			}
		}
	}
	return ones, true
}

// commandArg reads a command with an optional user and group (reference 1.1.10).
func (d *decoder) commandArg(n *node) (Command, bool) {
	if !d.need(n, 0) {
		return Command{}, false
	}
	words := make([]string, 0, 3)
	if n.src.yaml {
		for i := range n.args {
			words = append(words, n.args[i].text)
		}
	} else {
		var open bool
		words, open = shellWords(n.raw)
		if open {
			d.word(n, n.arg(0), Error, "unbalanced-quote", "close the quotation", "a quotation of the command is not closed")
		}
	}
	if len(words) == 0 || words[0] == "" {
		d.bad(n, &n.key, "missing-argument", "name a program", "%s has an empty command", n.key.text)
		return Command{}, false
	}
	c := Command{Line: words[0], Argv: argvOf(words[0]), Pos: n.at(n.arg(0))}
	if len(c.Argv) == 0 {
		d.bad(n, n.arg(0), "missing-argument", "name a program", "%s has an empty command", n.key.text)
		return Command{}, false
	}
	if len(words) > 1 {
		c.User = words[1]
	}
	if len(words) > 2 {
		c.Group = words[2]
	}
	switch {
	case len(words) > 3 || len(words) > 1 && (strings.HasPrefix(words[1], "-") || strings.HasPrefix(words[1], "/")):
		d.word(n, n.arg(min(1, len(n.args)-1)), Error, "command-words", `put the command and its arguments in double quotes: "`+strings.Join(words, " ")+`"`,
			"after the command come only a user and a group: %q is not a user", clip(words[1]))
	case len(words) > 1 && d.host.UserExists != nil && !d.host.UserExists(words[1]):
		d.word(n, n.arg(min(1, len(n.args)-1)), Warning, "no-such-user", "create the account; if this is an argument of the command, quote command and arguments together",
			"there is no user %q on this machine", clip(words[1]))
	}
	return c, true
}

// textArg is one value with shell quoting and escapes.
func (d *decoder) textArg(n *node) (string, bool) {
	if !d.need(n, 0) {
		return "", false
	}
	if n.src.yaml {
		return n.args[0].text, true
	}
	words := argvOf(n.raw)
	if len(words) == 0 {
		return "", false
	}
	return words[0], true
}

// idleHints say what to do about keywords that are not acted on, where there is something.
var idleHints = map[string]string{
	"BFD_CHECK":    "its server is judged by its other checks: give it a PING_CHECK or a TCP_CHECK",
	"bfd_instance": "Holdfast speaks no BFD; keep a BFD daemon and track a file or a script that it writes",
}

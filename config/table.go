package config

import (
	"net/netip"
	"time"
)

// The keyword table: one file per block (kw_*.go), one row per keyword. A row knows how to decode its keyword, how it looks in
// YAML and in the JSON schema, and what to say about it in the documentation. Both syntaxes share the rows.

// tier is how common a keyword is: A in most deployments, B common, C rare.
type tier byte

const (
	tierA tier = 'A'
	tierB tier = 'B'
	tierC tier = 'C'
)

// use says what the daemon does with a keyword. Flip it here when a room starts to act on one; a test compares with assemble.
type use uint8

const (
	// idle: understood and carried in the Model, but nothing acts on it yet.
	idle use = iota
	// acts: the daemon does what it says.
	acts
	// moot: Holdfast needs nothing of the kind (it is about keepalived's own processes, buffers and build).
	moot
	// gone: removed from keepalived or without effect there; accepted with a note.
	gone
)

// shape is what the arguments of a keyword look like.
type shape uint8

const (
	shapeFlag    shape = iota // no argument
	shapeBool                 // on, off, true, false, yes, no; nothing means true
	shapeInt                  // a whole number
	shapeTime                 // seconds with decimals (unit tells otherwise)
	shapeWord                 // one word
	shapeEnum                 // one of a list of words
	shapeAddr                 // an address
	shapeWords                // several words on the line
	shapeCommand              // a command, user, group
	shapeText                 // one word with quotes and escapes (regex)
	shapeLines                // a block with one entry per line
	shapeNames                // a block of words
	shapeBlock                // a block of keywords
)

// keyword is the part of a row that does not depend on the type it fills in.
type keyword struct {
	name    string
	aliases []string
	shape   shape
	enum    []string
	min     int64
	max     int64
	unit    time.Duration // of shapeTime, time.Second by default
	entry   *entrySpec    // of shapeLines and shapeWords: the YAML map form
	sub     *blockInfo    // of shapeBlock
	named   []string      // names of the words that follow the keyword of a block, such as name
	heads   []string      // instead of named: one of these words and a value
	clock   bool          // words of the line are times
	many    bool          // may be given several times
	tier    tier
	use     use
	owner   bool // decides who owns an address (design 6b)
	def     string
	doc     string
	note    string // said whenever the keyword is used
	// lax: keepalived passes over a missing or odd argument of it without a word, so that it must not keep a file from running.
	lax bool
}

// entrySpec says how a line of words is written as a YAML map: the first words by name, then options.
type entrySpec struct {
	first   []string // names of the leading words
	options []option
	anyWord bool // words beyond these exist: only the string form can hold them
}

// option is a word in an entry, followed by args further words (0: a flag).
type option struct {
	name string
	args int
	doc  string
}

// blockInfo is the untyped view of a table.
type blockInfo struct {
	name string
	rows []*keyword
	by   map[string]*keyword
}

func (b *blockInfo) find(name string) *keyword { return b.by[name] }

// row is a keyword of a block that fills in a T.
type row[T any] struct {
	*keyword
	read func(d *decoder, o *T, n *node)
}

// table is all that may stand in one kind of block.
type table[T any] struct {
	info *blockInfo
	rows map[string]*row[T]
}

var blocks []*blockInfo

func newTable[T any](name string, groups ...[]row[T]) *table[T] {
	t := &table[T]{info: &blockInfo{name: name, by: map[string]*keyword{}}, rows: map[string]*row[T]{}}
	for _, rows := range groups {
		for i := range rows {
			r := &rows[i]
			t.info.rows = append(t.info.rows, r.keyword)
			for _, n := range append([]string{r.name}, r.aliases...) {
				if t.rows[n] != nil {
					panic("config: " + name + " has two rows for " + n)
				}
				t.rows[n] = r
				t.info.by[n] = r.keyword
			}
		}
	}
	blocks = append(blocks, t.info)
	return t
}

func newRow[T any](name string, s shape, t tier, u use, def, doc string, read func(d *decoder, o *T, n *node)) row[T] {
	return row[T]{&keyword{name: name, shape: s, tier: t, use: u, def: def, doc: doc, unit: time.Second}, read}
}

// Modifiers. They change the row's keyword and return the row, so that a row stays one line.

func (r row[T]) own() row[T]                  { r.owner = true; return r }
func (r row[T]) also(names ...string) row[T]  { r.aliases = names; return r }
func (r row[T]) say(note string) row[T]       { r.note = note; return r }
func (r row[T]) each(e *entrySpec) row[T]     { r.entry = e; return r }
func (r row[T]) repeat() row[T]               { r.many = true; return r }
func (r row[T]) words(names ...string) row[T] { r.named = names; return r }

// passed says that keepalived passes over a missing or odd argument.
func (r row[T]) passed() row[T] { r.lax = true; return r }

// clocked says that words of the line are times.
func (r row[T]) clocked() row[T] { r.clock = true; return r }

// values lists the words of a custom keyword for documentation and schema.
func (r row[T]) values(words ...string) row[T] { r.enum = words; return r }

// or names words that may stand, with one value, instead of the words named: virtual_server fwmark 1.
func (r row[T]) or(heads ...string) row[T] { r.heads = heads; return r }

func flag[T any](name string, f func(*T) *bool, t tier, u use, def, doc string) row[T] {
	return newRow(name, shapeFlag, t, u, def, doc, func(d *decoder, o *T, n *node) {
		*f(o) = true
		d.extra(n, 0)
	})
}

func boolean[T any](name string, f func(*T) *bool, t tier, u use, def, doc string) row[T] {
	return newRow(name, shapeBool, t, u, def, doc, func(d *decoder, o *T, n *node) {
		if v, ok := d.boolArg(n); ok {
			*f(o) = v
		}
	})
}

func tri[T any](name string, f func(*T) *Tri, t tier, u use, def, doc string) row[T] {
	return newRow(name, shapeBool, t, u, def, doc, func(d *decoder, o *T, n *node) {
		if v, ok := d.boolArg(n); ok {
			*f(o) = triOf(v)
		}
	})
}

type integral interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32
}

func integer[T any, N integral](name string, min, max int64, f func(*T) *N, t tier, u use, def, doc string) row[T] {
	r := newRow(name, shapeInt, t, u, def, doc, func(d *decoder, o *T, n *node) {
		if v, ok := d.intArg(n, 0, min, max); ok {
			*f(o) = N(v)
			d.extra(n, 1)
		}
	})
	r.min, r.max = min, max
	return r
}

// seconds takes a duration between min and max microseconds, written in seconds.
func seconds[T any](name string, min, max time.Duration, f func(*T) *time.Duration, t tier, u use, def, doc string) row[T] {
	return timed(name, time.Second, min, max, f, t, u, def, doc)
}

// timed is seconds in another unit.
func timed[T any](name string, unit, min, max time.Duration, f func(*T) *time.Duration, t tier, u use, def, doc string) row[T] {
	r := newRow(name, shapeTime, t, u, def, doc, func(d *decoder, o *T, n *node) {
		if v, ok := d.timeArg(n, 0, unit, min, max); ok {
			*f(o) = v
			d.extra(n, 1)
		}
	})
	r.unit, r.min, r.max = unit, int64(min), int64(max)
	return r
}

func text[T any](name string, f func(*T) *string, t tier, u use, def, doc string) row[T] {
	return newRow(name, shapeWord, t, u, def, doc, func(d *decoder, o *T, n *node) {
		if v, ok := d.wordArg(n, 0); ok {
			*f(o) = v
			d.extra(n, 1)
		}
	})
}

func enum[T any](name string, values []string, f func(*T) *string, t tier, u use, def, doc string) row[T] {
	r := newRow(name, shapeEnum, t, u, def, doc, func(d *decoder, o *T, n *node) {
		if v, ok := d.enumArg(n, 0, values); ok {
			*f(o) = v
			d.extra(n, 1)
		}
	})
	r.enum = values
	return r
}

func addr[T any](name string, f func(*T) *netip.Addr, t tier, u use, def, doc string) row[T] {
	return newRow(name, shapeAddr, t, u, def, doc, func(d *decoder, o *T, n *node) {
		if v, ok := d.addrArg(n, 0); ok {
			*f(o) = v
			d.extra(n, 1)
		}
	})
}

func command[T any](name string, f func(*T) *Command, t tier, u use, def, doc string) row[T] {
	return newRow(name, shapeCommand, t, u, def, doc, func(d *decoder, o *T, n *node) {
		c, ok := d.commandArg(n)
		if !ok {
			return
		}
		if !f(o).IsZero() {
			d.word(n, &n.key, Warning, "given-twice", "remove one of them", "%s is given twice: the first one counts", n.key.text)
			return
		}
		if old := f(o); c.User == "" {
			c.User, c.Group = old.User, old.Group // a user line may come first
		}
		*f(o) = c
	})
}

// lines is a block with one entry per line; read is called for each.
func lines[T any](name string, e *entrySpec, read func(d *decoder, o *T, n *node), t tier, u use, def, doc string) row[T] {
	r := newRow(name, shapeLines, t, u, def, doc, func(d *decoder, o *T, n *node) {
		if !d.needBlock(n) {
			return
		}
		for _, k := range n.kids {
			if d.badLine(k) {
				continue
			}
			read(d, o, k)
		}
	})
	r.entry, r.many = e, true
	return r
}

// names is a block of words.
func names[T any](name string, f func(*T) *[]string, t tier, u use, def, doc string) row[T] {
	r := newRow(name, shapeNames, t, u, def, doc, func(d *decoder, o *T, n *node) {
		if !d.needBlock(n) {
			return
		}
		for _, k := range n.kids {
			if d.badLine(k) {
				continue
			}
			*f(o) = append(*f(o), k.key.text)
			for i := range k.args {
				*f(o) = append(*f(o), k.args[i].text)
			}
		}
	})
	r.many = true
	return r
}

// block is a block of keywords; read gets the node and fills o in by calling sub.decode.
func block[T, S any](name string, sub *table[S], read func(d *decoder, o *T, n *node), t tier, u use, def, doc string) row[T] {
	r := newRow(name, shapeBlock, t, u, def, doc, read)
	r.sub = sub.info
	return r
}

// custom has arguments of its own.
func custom[T any](name string, s shape, read func(d *decoder, o *T, n *node), t tier, u use, def, doc string) row[T] {
	return newRow(name, s, t, u, def, doc, read)
}

// known is a keyword whose arguments nobody needs: it is accepted by name.
func known[T any](name string, s shape, t tier, u use, def, doc string) row[T] {
	return newRow(name, s, t, u, def, doc, func(*decoder, *T, *node) {})
}

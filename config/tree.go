package config

// source is one file that was read.
type source struct {
	name   string
	text   string
	chain  []string // include lines that led here, outermost first
	yaml   bool
	starts []int // where each line begins, made when first needed
}

// word is one token with its place; end is the column after it.
type word struct {
	text           string
	line, col, end int32
	quoted         bool
}

// node is one logical line: a keyword, its arguments and, if a block follows, the lines of the block. Both syntaxes produce it.
type node struct {
	src   *source
	key   word
	args  []word
	raw   string // text after the keyword as written, for keywords with quoting rules of their own; "" in YAML
	block bool
	kids  []*node
	notes *remarks
}

// remarks are the comments around a node, kept for convert and fmt only.
type remarks struct {
	above  []string
	beside string
	below  []string // last lines of the block
}

func (n *node) pos() Pos        { return n.at(&n.key) }
func (n *node) at(w *word) Pos  { return Pos{n.src.name, int(w.line), int(w.col)} }
func (n *node) arg(i int) *word { return &n.args[i] }
func (n *node) text(i int) string {
	if i < len(n.args) {
		return n.args[i].text
	}
	return ""
}

func (n *node) comments() *remarks {
	if n.notes == nil {
		n.notes = &remarks{}
	}
	return n.notes
}

// arena hands out nodes and words in slabs: a large file has hundreds of thousands.
type arena struct {
	nodes []node
	words []word
}

func (a *arena) node() *node {
	if len(a.nodes) == 0 {
		a.nodes = make([]node, 256)
	}
	n := &a.nodes[0]
	a.nodes = a.nodes[1:]
	return n
}

// take copies words into the slab.
func (a *arena) take(ws []word) []word {
	if len(ws) == 0 {
		return nil
	}
	if len(a.words) < len(ws) {
		a.words = make([]word, 1024+len(ws))
	}
	out := a.words[:len(ws):len(ws)]
	a.words = a.words[len(ws):]
	copy(out, ws)
	return out
}

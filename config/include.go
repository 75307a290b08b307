package config

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"sort"
	"strings"
)

// includeChecks says which disappointments of an include are errors (reference 1.2).
type includeChecks struct{ read, match, wildcard, brace bool }

var allChecks = includeChecks{true, true, true, true}

// include recognises the include forms and include_check.
func (r *reader) include(s string, p place) bool {
	if !strings.HasPrefix(s, "include") {
		return false
	}
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		i = len(s)
	}
	key, pattern := s[:i], strings.TrimSpace(s[i:])
	if key == "include_check" {
		r.includeCheck(strings.Fields(pattern), p)
		return true
	}
	checks, ok := r.includeForm(key)
	if !ok {
		return false
	}
	pattern = strings.Trim(pattern, `"`)
	r.last = nil
	if pattern == "" {
		r.complain(p, len(s), Error, "missing-argument", "name a file or a pattern", "%s names no file", key).Confined = true
		return true
	}
	r.includeFiles(pattern, checks, len(s), p, r.insert)
	return true
}

// includeWords are all forms of include.
var includeWords = []string{"include", "includer", "includem", "includew", "includeb", "includea"}

// includeForm says what an include word is strict about; ok is false for other words.
func (r *reader) includeForm(key string) (checks includeChecks, ok bool) {
	checks = r.checks
	switch key {
	case "include":
	case "includer":
		checks.read = true
	case "includem":
		checks.match = true
	case "includew":
		checks.wildcard = true
	case "includeb":
		checks.brace = true
	case "includea":
		checks = allChecks
	default:
		return checks, false
	}
	return checks, true
}

// insert puts an included file at the present place of the tree, in whichever syntax it is written.
func (r *reader) insert(src *source) {
	if !includedYAML(src.text) {
		r.read(src)
		return
	}
	r.last = nil
	n := r.parent()
	b, k := r.here()
	y := r.yaml(src)
	doc := y.document()
	switch {
	case doc == nil:
	case b != nil:
		n.kids = append(n.kids, y.top(b, doc)...)
	case k != nil:
		n.kids = append(n.kids, y.linesOf(k, doc)...)
	default:
		y.at(doc, Error, "include", "write it in keepalived's language, or include it elsewhere", "a YAML document has no place in %s", clip(n.key.text))
	}
}

// here is the block that is open, or the keyword whose list is.
func (r *reader) here() (*blockInfo, *keyword) {
	b := rootTable.info
	for i, n := range r.open {
		k := b.find(n.key.text)
		if k == nil {
			return nil, nil
		}
		if b = k.sub; b == nil {
			if i == len(r.open)-1 && (k.shape == shapeLines || k.shape == shapeNames) {
				return nil, k
			}
			return nil, nil
		}
	}
	return b, nil
}

func (r *reader) includeCheck(words []string, p place) {
	if len(words) == 0 {
		r.checks = allChecks
		return
	}
	for i, w := range words {
		on := true
		switch {
		case strings.HasPrefix(w, "-"):
			on, w = false, w[1:]
		case strings.HasPrefix(w, "+"):
			w = w[1:]
		case i == 0:
			r.checks = includeChecks{}
		}
		switch w {
		case "read", "readable":
			r.checks.read = on
		case "match":
			r.checks.match = on
		case "wildcard_match":
			r.checks.wildcard = on
		case "brace_match":
			r.checks.brace = on
		default:
			r.complain(p, 13, Warning, "bad-value", "the words are read, match, wildcard_match, brace_match", "include_check does not know %q", w)
		}
	}
}

// includeFiles finds the files of a pattern, which is width columns long with its keyword, and hands each of them to take.
func (r *reader) includeFiles(pattern string, checks includeChecks, width int, p place, take func(*source)) {
	saved := r.checks
	defer func() { r.checks = saved }()
	fail := func(strict bool, code, hint, format string, args ...any) {
		sev := Warning
		if strict {
			sev = Error
		}
		r.complain(p, width, sev, code, hint, format, args...)
	}
	if len(pattern) > 4096 {
		fail(true, "include", "shorten it", "the pattern has more than 4096 bytes")
		return
	}
	alternatives, ok := expandBraces(pattern, maxBraces)
	if !ok {
		fail(true, "include", "use fewer braces", "the pattern %s has more than %d alternatives", pattern, maxBraces)
		return
	}
	dir := path.Dir(p.src.name)
	var names []string
	for _, alt := range alternatives {
		full := alt
		if !strings.HasPrefix(alt, "/") {
			full = path.Join(dir, alt)
		}
		wild := strings.ContainsAny(alt, "*?[")
		found, err := r.glob(full)
		if err != nil {
			fail(checks.read || checks.match, "include", "check the pattern", "cannot search for %s: %v", alt, err)
			continue
		}
		if len(found) == 0 {
			switch {
			case len(alternatives) > 1:
				if checks.brace {
					fail(true, "include-missing", "create the file or correct the name", "%s matches no file", alt)
				}
			case wild:
				r.complain(p, width, map[bool]Severity{true: Error, false: Note}[checks.wildcard], "include-missing", "", "%s matches no file", alt)
			default:
				fail(checks.match || checks.read, "include-missing", "create the file or correct the name", "the included file %s does not exist", alt)
			}
		}
		names = append(names, found...)
	}
	chain := append(append([]string{}, p.src.chain...), Pos{p.src.name, p.line, p.col}.String())
	for _, name := range names {
		if r.stopped {
			return
		}
		if len(r.files) >= maxFiles {
			r.halt(p, width, "does a pattern match more than it should, or are files included many times over?", "more than %d files", maxFiles)
			return
		}
		if r.total > maxTotalSize {
			r.halt(p, width, "", "the files have more than %d MB together", maxTotalSize>>20)
			return
		}
		r.file(name, chain, take, func(hint, format string, args ...any) {
			fail(checks.read, "include-unreadable", hint, format, args...)
		})
	}
}

func (r *reader) glob(name string) ([]string, error) {
	if !strings.ContainsAny(name, "*?[") {
		if _, err := fs.Stat(r.fsys, r.locate(name)); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			return nil, err
		}
		return []string{name}, nil
	}
	found, err := fs.Glob(r.fsys, r.locate(name))
	sort.Strings(found)
	prefix := ""
	if !strings.HasPrefix(name, "/") {
		prefix = strings.TrimPrefix(path.Join("/", r.opts.Dir), "/") + "/"
		if prefix == "/" {
			prefix = ""
		}
		for i := range found {
			found[i] = strings.TrimPrefix(found[i], prefix)
		}
		return found, err
	}
	for i := range found {
		found[i] = "/" + found[i]
	}
	return found, err
}

// file reads one included file and gives it to take; fail is told why it could not be read.
func (r *reader) file(name string, chain []string, take func(*source), fail func(hint, format string, args ...any)) {
	if len(r.stack) >= maxInclude {
		fail("", "includes are nested more than %d deep", maxInclude)
		return
	}
	for _, open := range r.stack {
		if path.Clean(r.locate(open)) == path.Clean(r.locate(name)) {
			fail("remove the include", "%s includes itself", name)
			return
		}
	}
	text, err := readText(r.fsys, r.locate(name), len(chain) > 0)
	if err != nil {
		fail("", "cannot read %s: %v", name, err)
		return
	}
	r.total += len(text)
	src := &source{name: name, text: text, chain: chain}
	r.sources[name] = src
	r.files = append(r.files, name)
	if notAConfiguration(r.reporter, src) {
		return
	}
	r.stack = append(r.stack, name)
	take(src)
	r.stack = r.stack[:len(r.stack)-1]
}

// readText reads one regular file of bounded size without its byte order mark. An included file must not be executable, as in
// keepalived: such a file is a script that a glob picked up by mistake.
func readText(fsys fs.FS, name string, included bool) (string, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return "", plainErr(err)
	}
	switch {
	case info.IsDir():
		return "", errors.New("it is a directory")
	case !info.Mode().IsRegular() && included:
		return "", errors.New("it is not a regular file")
	case included && info.Mode()&0o111 != 0:
		return "", errors.New("it is executable (keepalived skips such files too); run chmod -x on it")
	case info.Size() > maxFileSize:
		return "", errors.New("it is larger than 64 MB")
	}
	b, err := readBounded(fsys, name, int(info.Size()))
	if err != nil {
		return "", plainErr(err)
	}
	return strings.TrimPrefix(b, "\ufeff"), nil
}

// readBounded reads a file of about that size; it may have grown meanwhile, or say 0 as files of /proc do.
func readBounded(fsys fs.FS, name string, size int) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	var out strings.Builder
	out.Grow(size)
	buf := make([]byte, 64<<10)
	for {
		n, err := f.Read(buf)
		out.Write(buf[:n])
		if out.Len() > maxFileSize {
			return "", errors.New("it is larger than 64 MB")
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return out.String(), nil
			}
			return "", err
		}
		if n == 0 && out.Len() == 0 {
			return "", nil
		}
	}
}

func plainErr(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// expandBraces does {a,b} as glob(3) with GLOB_BRACE; ok is false when there would be more than limit results.
func expandBraces(s string, limit int) (out []string, ok bool) {
	open := -1
	level := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			if level == 0 {
				open = i
			}
			level++
		case '}':
			if level == 0 {
				continue
			}
			level--
			if level > 0 {
				continue
			}
			for _, part := range splitParams(s[open+1 : i]) {
				more, ok := expandBraces(s[:open]+part+s[i+1:], limit)
				if !ok {
					return nil, false
				}
				out = append(out, more...)
				if len(out) > limit {
					return nil, false
				}
			}
			return out, true
		}
	}
	return []string{s}, true
}

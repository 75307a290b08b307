package checkers

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
)

// regexFlags are keepalived's regex_options that have a counterpart in Go's regular expressions; those mapped to "" describe
// how Go's behave anyway, or only tune PCRE2.
var regexFlags = map[string]string{
	"caseless": "i", "dotall": "s", "multiline": "m", "ungreedy": "U",
	"utf": "", "ucp": "", "dollar_endonly": "", "no_auto_capture": "", "no_auto_possess": "", "no_dotstar_anchor": "", "no_start_optimize": "",
	"auto_callout": "", "never_ucp": "", "never_utf": "", "never_backslash_c": "", "allow_empty_class": "", "dupnames": "", "use_offset_limit": "",
}

var compiled = struct {
	sync.Mutex
	made map[string]*regexp.Regexp
}{made: map[string]*regexp.Regexp{}}

// CompileRegex compiles a regex of a check with keepalived's regex_options. Go's syntax (RE2) is that of PCRE2 without
// back-references, look-around and possessive quantifiers, in exchange for an effort linear in the answer's size; an error names
// what it does not have. The result is remembered.
func CompileRegex(pattern string, options []string) (*regexp.Regexp, error) {
	flags, endOnly := "", false
	for _, o := range options {
		endOnly = endOnly || o == "dollar_endonly"
		switch f, known := regexFlags[o]; {
		case o == "anchored":
			pattern = `\A(?:` + pattern + ")"
		case o == "extended":
			return nil, fmt.Errorf("regex option extended is not available: write the pattern without blanks and comments")
		case !known:
			return nil, fmt.Errorf("regex option %s is not available", o)
		case !strings.Contains(flags, f):
			flags += f
		}
	}
	if flags != "" {
		pattern = "(?" + flags + ")" + pattern
	}
	compiled.Lock()
	defer compiled.Unlock()
	key := pattern
	if endOnly {
		key = "\x00" + key
	}
	if re := compiled.made[key]; re != nil {
		return re, nil
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err == nil && !endOnly {
		lastNewline(tree)
		pattern = tree.String()
	}
	var re *regexp.Regexp
	if err == nil {
		re, err = regexp.Compile(pattern)
	}
	if err != nil {
		return nil, fmt.Errorf("regex %q: %w (back-references and look-around are not available)", pattern, err)
	}
	if len(compiled.made) > 4096 {
		clear(compiled.made)
	}
	compiled.made[key] = re
	return re, nil
}

// lastNewline lets a $ also match before a newline that ends the text, as PCRE does: most answers end with one.
func lastNewline(re *syntax.Regexp) {
	if re.Op == syntax.OpEndText && re.Flags&syntax.WasDollar != 0 {
		newline := &syntax.Regexp{Op: syntax.OpLiteral, Rune: []rune{'\n'}}
		end := &syntax.Regexp{Op: syntax.OpEndText}
		*re = syntax.Regexp{Op: syntax.OpConcat, Sub: []*syntax.Regexp{{Op: syntax.OpQuest, Sub: []*syntax.Regexp{newline}}, end}}
		return
	}
	for _, sub := range re.Sub {
		lastNewline(sub)
	}
}

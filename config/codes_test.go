package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// codeAt is which argument of a reporting function is the code.
var codeAt = map[string]int{"amend": 2, "add": 5, "word": 3, "fatal": 2, "bad": 2, "complain": 3, "point": 2, "say": 3, "once": 3, "once2": 1, "at": 2}

// usedCodes reads the codes out of the package's own source.
func usedCodes(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{"too-many": "report.go", "forward-address": "forwardFault", "forward-bind": "forwardFault", "forward-source": "forwardFault"}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fn := ""
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				fn = f.Sel.Name
			case *ast.Ident:
				fn = f.Name
			}
			at, ok := codeAt[fn]
			if fn == "fail" { // closures of their own in two files
				at, ok = 0, true
				if name == "include.go" {
					at = 1
				}
			}
			if !ok || at >= len(call.Args) {
				return true
			}
			if lit, ok := call.Args[at].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				s, _ := strconv.Unquote(lit.Value)
				if strings.Contains(s, " ") {
					return true // the fail of include.go's file: a message
				}
				out[s] = set.Position(lit.Pos()).String()
			}
			return true
		})
	}
	return out
}

func TestEveryCodeIsExplained(t *testing.T) {
	used := usedCodes(t)
	if len(used) < 100 {
		t.Fatalf("found only %d codes", len(used))
	}
	for code, at := range used {
		e, ok := ExplainCode(code)
		if !ok || e.What == "" || e.Do == "" {
			t.Errorf("%s: %q is not explained in codes.go", at, code)
		}
	}
	var codes []string
	for _, e := range Explanations() {
		if used[e.Code] == "" {
			t.Errorf("%q is explained and not used", e.Code)
		}
		codes = append(codes, e.Code)
	}
	if len(slices.Compact(codes)) != len(Explanations()) {
		t.Error("a code is explained twice")
	}
}

// Every code has a configuration in the tests that leads to it; those that cannot be provoked by one are named here.
func TestEveryCodeIsTested(t *testing.T) {
	var all strings.Builder
	files, _ := filepath.Glob("*_test.go")
	golden, _ := filepath.Glob("testdata/check/*.txt")
	for _, name := range append(files, golden...) {
		if name == "codes_test.go" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for _, e := range Explanations() {
		if s := all.String(); !strings.Contains(s, `"`+e.Code+`"`) && !strings.Contains(s, "["+e.Code+"]") {
			t.Errorf("no test names %s", e.Code)
		}
	}
}

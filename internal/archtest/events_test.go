package archtest

import (
	"go/ast"
	"testing"
)

// Every event is made with as many values as its row has fields: With panics otherwise, perhaps on a path that no test takes.
func TestEventsHaveTheirFields(t *testing.T) {
	files := sources(t)
	fields := map[string]int{}
	for _, f := range files {
		if f.pkg != "internal/event" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != len(spec.Values) {
				return true
			}
			for i, v := range spec.Values {
				call, ok := v.(*ast.CallExpr)
				if name, isIdent := calledIdent(call, ok); isIdent && name == "define" {
					fields[spec.Names[i].Name] = len(call.Args) - 4 // id, level, message, explanation
				}
			}
			return true
		})
	}
	if len(fields) < 50 {
		t.Fatalf("only %d rows found: the test looks in the wrong place", len(fields))
	}
	used := map[string]bool{}
	for _, f := range files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			// The events of VRRP's notices are chosen from a map and made with a name and a detail.
			if pair, ok := n.(*ast.KeyValueExpr); ok && f.pkg == "internal/event" {
				if id, ok := pair.Value.(*ast.Ident); ok {
					if want, known := fields[id.Name]; known && want != 2 {
						t.Errorf("%s: the event of a notice has 2 fields, %s has %d", f.set.Position(pair.Pos()), id.Name, want)
					}
					used[id.Name] = true
				}
			}
			sel, ok := n.(*ast.SelectorExpr)
			if ok {
				if x, isIdent := sel.X.(*ast.Ident); isIdent && x.Name == "event" {
					used[sel.Sel.Name] = true
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || call.Ellipsis.IsValid() {
				return true
			}
			with, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || with.Sel.Name != "With" {
				return true
			}
			kind, ok := with.X.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if want, known := fields[kind.Sel.Name]; known && want != len(call.Args) {
				t.Errorf("%s: event.%s has %d fields, not %d", f.set.Position(call.Pos()), kind.Sel.Name, want, len(call.Args))
			}
			return true
		})
	}
	for name := range fields {
		if !used[name] {
			t.Errorf("event.%s is in the catalogue and nobody publishes it", name)
		}
	}
}

// calledIdent is the name of a function that is called without a package.
func calledIdent(call *ast.CallExpr, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	id, ok := call.Fun.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}

package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/holdfast-ha/holdfast"

// allowed is, for every package, which packages of this module its code (not its tests) may import directly. A package that is not here may not exist:
// a new room is a decision, also inside internal. "*" allows every one, and "-x" then takes x out; a row that ends in "/*" is for programs only.
var allowed = map[string][]string{
	"config":             {},
	"vrrp":               {},
	"vrrp/vrrpnet":       {"vrrp"},
	"vrrp/vrrptest":      {"vrrp"},
	"checkers":           {},
	"checkers/probe":     {"checkers"},
	"ipvssync":           {},
	"ipvssync/kernel":    {"ipvssync"},
	"ipvssync/ipvstest":  {"ipvssync"},
	"internal/event":     {},
	"internal/logs":      {"internal/event"},
	"internal/seam":      {"internal/event", "vrrp"},
	"internal/script":    {"internal/event"},
	"internal/track":     {"internal/event", "internal/keep", "internal/script"},
	"internal/notify":    {"internal/event", "internal/keep", "internal/script"},
	"internal/reconcile": {"internal/event", "internal/keep", "ipvssync"},
	"internal/control":   {"internal/event", "checkers", "ipvssync", "vrrp"},
	"internal/metrics":   {"internal/control", "internal/event", "checkers", "ipvssync", "vrrp"},
	"internal/assemble":  {"config", "checkers", "ipvssync", "vrrp", "internal/notify", "internal/outside", "internal/script", "internal/track"},
	"internal/reading":   {"config", "internal/assemble", "internal/event", "ipvssync"},
	"internal/pools":     {"internal/event", "internal/state", "internal/tell", "checkers", "ipvssync"},
	"internal/mirror":    {"internal/seam", "vrrp"},
	"internal/desk":      {"internal/control", "internal/event", "internal/mirror", "internal/outside", "internal/pools", "internal/recent", "internal/reconcile", "internal/seam", "checkers", "ipvssync", "vrrp"},
	"internal/outside":   {"internal/event", "internal/notify", "internal/script", "internal/track", "checkers", "checkers/probe", "ipvssync", "vrrp"},
	"internal/tell":      {"internal/event", "checkers", "ipvssync"},
	// Views and formats of what the others say, and what is kept of it.
	"internal/dump":   {"ipvssync", "vrrp"},
	"internal/keep":   {},
	"internal/manual": {},
	"internal/view":   {"internal/control", "internal/event"},
	"internal/recent": {"internal/event"},
	"internal/state":  {"internal/keep", "checkers", "ipvssync"},
	"internal/router": {"internal/event", "internal/keep", "internal/seam", "vrrp", "vrrp/vrrpnet"},
	// The balancer calls every room of its side in order; the router's side and the doers are given to it.
	"internal/balancer": {"*", "-internal/router", "-internal/logs", "-vrrp/vrrpnet", "-ipvssync/kernel"},
	"internal/archtest": {},
	"cmd/holdfast":      {"*"},
	"integration":       {},
	"integration/vm":    {},
	"integration/lab":   {},
	"integration/story": {"integration/lab"},
	"integration/suite": {"integration/lab"},
	"integration/cmd/*": {"integration/lab", "integration/story", "integration/vm"},
	"tools/*":           {"*"},
	"examples":          {},
}

// pure rooms decide; they never look around. Their input is values, their output is values, the time is passed in.
var pure = []string{"config", "vrrp", "checkers", "ipvssync"}

// forbidden are the names of the standard library that a pure room may not use. "*" is the whole package.
var forbidden = map[string][]string{
	"time":    {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"},
	"os":      {"*"},
	"os/exec": {"*"},
	"net":     {"*"},
	"syscall": {"*"},
	"unsafe":  {"*"},
}

// permitted are exceptions to forbidden: plain values and pure functions of impure packages.
var permitted = map[string][]string{
	"net": {"HardwareAddr", "ParseMAC", "IP", "IPMask", "IPNet", "ParseIP", "ParseCIDR", "JoinHostPort", "SplitHostPort", "CIDRMask", "IPv4"},
	"os":  {"FileMode", "ErrNotExist", "ErrPermission"},
}

// impureModules may not be imported by pure rooms at all.
var impureModules = []string{"golang.org/x/sys", "golang.org/x/net", "github.com/vishvananda", "github.com/mdlayher", "github.com/moby", "github.com/google/nftables", "github.com/hashicorp"}

type file struct {
	pkg, path string
	ast       *ast.File
	set       *token.FileSet
}

func sources(t *testing.T) []file {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); rel != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, p, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file{filepath.ToSlash(filepath.Dir(rel)), filepath.ToSlash(rel), f, set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d files found: the test looks in the wrong place", len(files))
	}
	return files
}

func rule(pkg string) ([]string, bool) {
	if list, ok := allowed[pkg]; ok {
		return list, true
	}
	list, ok := allowed[path.Dir(pkg)+"/*"]
	return list, ok
}

func TestImports(t *testing.T) {
	for _, f := range sources(t) {
		list, ok := rule(f.pkg)
		if !ok {
			t.Errorf("%s: package %s is in no room of the design; give it a row in this test", f.path, f.pkg)
			continue
		}
		for _, spec := range f.ast.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if ours, ok := strings.CutPrefix(name, module+"/"); ok && !slices.Contains(list, ours) && (!slices.Contains(list, "*") || slices.Contains(list, "-"+ours)) {
				t.Errorf("%s: %s may not import %s (it may: %v)", f.set.Position(spec.Pos()), f.pkg, ours, list)
			}
			if strings.HasPrefix(name, "github.com/hashicorp/go-hclog") && f.pkg != "internal/logs" {
				t.Errorf("%s: only internal/logs imports hclog; publish an event instead", f.set.Position(spec.Pos()))
			}
		}
	}
}

func TestPureRooms(t *testing.T) {
	for _, f := range sources(t) {
		if !slices.Contains(pure, f.pkg) {
			continue
		}
		names := map[string]string{} // the name in this file -> the package's path
		for _, spec := range f.ast.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			for _, bad := range impureModules {
				if strings.HasPrefix(name, bad) {
					t.Errorf("%s: the pure room %s imports %s", f.set.Position(spec.Pos()), f.pkg, name)
				}
			}
			local := path.Base(name)
			if spec.Name != nil {
				local = spec.Name.Name
			}
			names[local] = name
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			pkg, imported := names[x.Name]
			bad := forbidden[pkg]
			if imported && (slices.Contains(bad, "*") || slices.Contains(bad, sel.Sel.Name)) && !slices.Contains(permitted[pkg], sel.Sel.Name) {
				t.Errorf("%s: the pure room %s uses %s.%s", f.set.Position(sel.Pos()), f.pkg, pkg, sel.Sel.Name)
			}
			return true
		})
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok && f.pkg != "checkers" {
				t.Errorf("%s: the pure room %s starts a goroutine", f.set.Position(g.Pos()), f.pkg)
			}
			return true
		})
	}
}

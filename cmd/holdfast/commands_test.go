package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/holdfast-ha/holdfast/internal/manual"
)

// complete is what the shell's completion is offered for these words.
func complete(t *testing.T, words ...string) string {
	t.Helper()
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(append([]string{cobra.ShellCompNoDescRequestCmd}, words...))
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCompletionOffersEveryCommandAndFlag(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetArgs([]string{"completion", shell})
		if err := root.Execute(); err != nil || !strings.Contains(out.String(), "holdfast") {
			t.Errorf("%s: %v, %d bytes", shell, err, out.Len())
		}
	}
	offered := strings.Fields(complete(t, ""))
	for _, c := range newRoot().Commands() {
		if c.Hidden != !slices.Contains(offered, c.Name()) {
			t.Errorf("%s: hidden %v, offered %v", c.Name(), c.Hidden, offered)
		}
		if c.Hidden {
			continue
		}
		flags := strings.Fields(complete(t, c.Name(), "--"))
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !slices.ContainsFunc(flags, func(s string) bool { return strings.TrimSuffix(s, "=") == "--"+f.Name }) {
				t.Errorf("%s --%s is not offered: %v", c.Name(), f.Name, flags)
			}
		})
	}
}

func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	pages := map[string]string{}
	for _, p := range manual.Pages(newRoot(), "test") {
		pages[p.Name] = p.Text
	}
	for _, c := range newRoot().Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		text, ok := pages["holdfast-"+c.Name()+".8"]
		if !ok || c.Short == "" || !strings.Contains(text, "EXIT STATUS") {
			t.Errorf("%s: page %v, short %q", c.Name(), ok, c.Short)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s is not explained", c.Name(), f.Name)
			}
			if name := `\-\-` + strings.ReplaceAll(f.Name, "-", `\-`); !f.Hidden && !strings.Contains(text, name) {
				t.Errorf("%s --%s is not in the manual page", c.Name(), f.Name)
			}
		})
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"statsu"}, "status"},
		{[]string{"status", "--watc"}, "unknown flag"},
		{[]string{"weight", "a"}, "arg"},
		{[]string{"status", "-o", "xml"}, "use text or json"},
		{[]string{"explain", "advert_in"}, "no keyword"},
	} {
		root := newRoot()
		root.SetArgs(c.args)
		root.SetErr(&bytes.Buffer{})
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

func TestWithoutADaemonTheClientSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"status"}, {"events"}, {"reload"}, {"drain", "a", "b"}, {"undrain", "a", "b"}, {"weight", "a", "b", "3"}, {"handover"}, {"reconcile"},
		{"check-now"}, {"metrics"}} {
		root := newRoot()
		root.SetOut(&bytes.Buffer{})
		root.SetArgs(append(args, "--run-dir", dir))
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), "is it running") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := os.Stat(dir + "/control.sock"); err == nil {
		t.Error("a client made a socket")
	}
}

func TestEveryReaderOfAConfigurationTakesAName(t *testing.T) {
	root := newRoot()
	for _, name := range []string{"check", "convert", "explain", "plan", "probe", "realserver", "run"} {
		c, _, err := root.Find([]string{name})
		if err != nil || c.Flags().ShorthandLookup("i") == nil {
			t.Errorf("%s has no -i: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("@one vrrp_instance VI {\n@two vrrp_instance VI {\n interface lo\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"explain", "-i", "two", file})
	if err := root.Execute(); err != nil || !strings.Contains(out.String(), "VI") {
		t.Errorf("%v: %s", err, out.String())
	}
}

package script

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Command is one program as the configuration names it: plain values, comparable through [Command.Equal].
type Command struct {
	// Argv is the program and its arguments. Argv[0] without a slash is looked up in the PATH of [Pool.Env].
	Argv []string
	// Shell, when not empty, is run by /bin/sh -c instead of Argv; [FromLine] decides.
	Shell string
	// User and Group are names or numbers. Without both it is [DefaultUser]; without Group the primary group of User.
	User, Group string
	// SupplementaryGroups gives the program all groups of User (set_supplementary_groups), otherwise it has only Group.
	SupplementaryGroups bool
	// Secure refuses the run when root would run what others may change (enable_script_security), see [Insecure].
	Secure bool
	// Env is added to the cleaned environment, "NAME=value".
	Env []string
	// Timeout limits one run, counted from the start of the program, not from the call. 0 means no limit.
	Timeout time.Duration
}

// Equal says whether two commands are the same run.
func (c Command) Equal(o Command) bool {
	return strings.Join(c.Argv, "\x00") == strings.Join(o.Argv, "\x00") && len(c.Argv) == len(o.Argv) &&
		c.Shell == o.Shell && c.Secure == o.Secure && c.User == o.User && c.Group == o.Group && c.SupplementaryGroups == o.SupplementaryGroups &&
		strings.Join(c.Env, "\x00") == strings.Join(o.Env, "\x00") && c.Timeout == o.Timeout
}

// FromLine is the command of a configuration line that has been split into words. The words are run directly, as keepalived does,
// with two exceptions that need a shell: a line that begins with "<", which keepalived also hands to one (a check that a file or
// /dev/tcp can be opened), and a line without any quotes in which a word can only be meant for a shell ("||", "2>/dev/null"):
// keepalived passes those on as arguments, which nobody who wrote them wanted.
func FromLine(line string, argv []string, user, group string) Command {
	c := Command{Argv: argv, User: user, Group: group}
	if len(argv) == 0 || strings.HasPrefix(strings.TrimSpace(line), "<") || !strings.ContainsAny(line, `'"\`) && slices.ContainsFunc(argv[1:], forShell) {
		c.Argv, c.Shell = nil, strings.TrimSpace(line)
	}
	return c
}

// forShell says that a word means something to a shell and nothing to a program.
func forShell(word string) bool {
	switch word {
	case "|", "||", "&&", "&", ";":
		return true
	}
	if strings.HasSuffix(word, ";") && len(word) > 1 {
		return true
	}
	rest := strings.TrimLeft(word, "0123456789&")
	return strings.HasPrefix(rest, ">") || rest == "<"
}

// Empty says that there is nothing to run.
func (c Command) Empty() bool { return len(c.Argv) == 0 && c.Shell == "" }

// With is the command with arguments added, as keepalived adds them to notify: after the configured ones, each one word.
func (c Command) With(args ...string) Command {
	if c.Shell != "" {
		for _, a := range args {
			c.Shell += " " + quote(a)
		}
		return c
	}
	c.Argv = append(append([]string(nil), c.Argv...), args...)
	return c
}

// String is the command as an operator would type it.
func (c Command) String() string {
	if c.Shell != "" {
		return c.Shell
	}
	words := make([]string, len(c.Argv))
	for i, a := range c.Argv {
		words[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n'\"\\$`;&|<>(){}*?[]#~!") {
			words[i] = quote(a)
		}
	}
	return strings.Join(words, " ")
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// validate refuses what could not be meant.
func (c Command) validate() error {
	if c.Empty() {
		return fmt.Errorf("no program is named: give a command")
	}
	for _, a := range append(append([]string{c.Shell}, c.Argv...), c.Env...) {
		if strings.ContainsRune(a, 0) {
			return fmt.Errorf("the command %q contains a NUL byte, which no program can be given", c)
		}
	}
	return nil
}

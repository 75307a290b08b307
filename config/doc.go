// Package config reads one configuration, in keepalived's own language or in YAML, and gives an immutable typed Model and a list
// of Diagnostics: every problem at once, each with its place and a hint.
//
// It is pure: bytes come from an fs.FS, facts about the machine from a Host value. It opens nothing, looks no name up, reads no
// clock and never panics on any input; nesting, expansion and size are bounded. The words are keepalived's (one table row per
// keyword, see table.go); both syntaxes produce the same tree, which one decoder turns into the Model.
//
// What it never does: decide what a running daemon does with a Model. That is assemble's.
package config

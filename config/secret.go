package config

import (
	"regexp"
	"strings"
)

// secretWord finds the value after a word whose value is a secret, in both syntaxes; in auth_hmac a key is a number and a value.
var secretWord = regexp.MustCompile(`(?i)\b(?:auth_?pass|password|key"?\s*:?\s+"?\d+"?)"?\s*:?\s+("[^"]*"?|'[^']*'?|[^\s{}#!]+)`)

// hideSecrets is a line of the source as it may be shown: passwords and keys are stars, byte for byte, so that columns stay right.
func hideSecrets(line string) string {
	found := secretWord.FindAllStringSubmatchIndex(line, -1)
	if found == nil {
		return line
	}
	b := []byte(line)
	for _, at := range found {
		copy(b[at[2]:at[3]], strings.Repeat("*", at[3]-at[2]))
	}
	return string(b)
}

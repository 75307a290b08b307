//go:build netns

package suite

import "strings"

// replaceOnce replaces the first occurrence; it panics if there is none, because a scenario that changes nothing proves nothing.
func replaceOnce(text, old, new string) string {
	if !strings.Contains(text, old) {
		panic("nothing to replace: " + old)
	}
	return strings.Replace(text, old, new, 1)
}

package view

import (
	"fmt"
	"io"

	"github.com/holdfast-ha/holdfast/internal/event"
)

// Event writes one event on one line.
func Event(out io.Writer, e event.Event) error {
	line := e.Time.Local().Format("2006-01-02 15:04:05.000") + "  " + e.ID + "  " + e.Kind().Message
	for i, v := range e.Values {
		if s, ok := v.(string); ok && s == "" || i >= len(e.Kind().Fields) {
			continue
		}
		line += "  " + e.Kind().Fields[i] + "=" + event.Text(v)
	}
	_, err := fmt.Fprintln(out, line)
	return err
}

package outside

import "github.com/holdfast-ha/holdfast/internal/track"

// Unknown is why the priorities are not what they will be in a moment, "" if they are: taking addresses from a living master and
// giving them back because a script fails would be two failovers for nothing.
func (w *World) Unknown() string {
	if w.blind() {
		return ""
	}
	if !w.applied {
		return "tracking has not begun yet"
	}
	for _, v := range w.set.Values() {
		if !w.sent[v.ID] {
			return v.ID + " has not had a result yet"
		}
	}
	return ""
}

// Repeat says every value again.
func (w *World) Repeat() {
	if w.blind() {
		return
	}
	for _, v := range w.set.Values() {
		w.send(v)
	}
}

func (w *World) send(v track.Value) {
	w.sent[v.ID] = v.Known
	w.o.OnTrack(v)
}

// Tracked is what is known of scripts, files and processes.
func (w *World) Tracked() []track.Status {
	if w.blind() {
		return nil
	}
	return w.set.Status()
}

package event

// What the watching of scripts, files and processes tells.
var (
	TrackFailed = define("track.failed", Warn, "tracked object failed",
		"A tracked script or process counts as failed now: instances lower their priority or go FAULT, as the configuration says.", "track", "reason")
	TrackSucceeded = define("track.succeeded", Info, "tracked object succeeded",
		"A tracked script or process counts as good.", "track", "reason")
	TrackValue = define("track.value", Info, "tracked file changed",
		"The number in a tracked file changed; priorities follow.", "track", "from", "to", "reason")
	TrackResult = define("track.result", Debug, "tracked script returned something new",
		"A single run ended differently from the run before; rise and fall decide whether it counts.", "track", "reason", "took", "output")
	TrackProblem = define("track.problem", Warn, "tracking is impaired",
		"A directory cannot be watched or the kernel's process events are not available: values are polled and may be late.", "track", "error")
)

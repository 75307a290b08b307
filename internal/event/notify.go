package event

// What telling the outside tells.
var (
	NotifyRan = define("notify.ran", Debug, "notify script ran",
		"A notify script ended with status 0.", "object", "state", "command", "took", "output")
	NotifyFailed = define("notify.failed", Warn, "notify script failed",
		"A notify script or the reader of a notify FIFO could not be run, exited with another status than 0, or was killed. It is not run again for the same change.",
		"object", "state", "command", "reason", "output")
	NotifySkipped = define("notify.skipped", Info, "notify script skipped",
		"A state was never told to the scripts because an earlier script ran so long that a newer state had replaced it.", "object", "state", "newer")
	NotifyLost = define("notify.lost", Warn, "notify line lost",
		"A line could not be written to a notify FIFO. Logged for the first and every 100th line in a row.", "fifo", "error", "lost")
	NotifyProblem = define("notify.problem", Warn, "cannot notify",
		"A notify FIFO cannot be opened, or what has been told cannot be recorded: a restarted daemon may then tell it again.", "what", "error")
	MailSent = define("mail.sent", Debug, "mail sent",
		"The relay took a mail.", "subject", "alerts")
	MailFailed = define("mail.failed", Warn, "mail not sent",
		"The relay could not be reached or refused a mail; it is not sent again.", "server", "subject", "error")
)

package assemble

import (
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/script"
)

// command is a program of the configuration as the one who runs it takes it. user and group are the ones of scripts that name none.
func command(m *config.Model, c config.Command, timeout time.Duration) script.Command {
	if c.IsZero() {
		return script.Command{}
	}
	out := script.FromLine(c.Line, c.Argv, c.User, c.Group)
	if out.User == "" && out.Group == "" {
		out.User, out.Group = m.Global.ScriptUser, m.Global.ScriptGroup
	}
	out.SupplementaryGroups, out.Secure, out.Timeout = m.Global.SetSupplementaryGroups, m.Global.EnableScriptSecurity, timeout
	return out
}

// StartupScript and ShutdownScript run before anything starts and after everything has stopped; empty for none.
func StartupScript(m *config.Model) script.Command {
	return command(m, m.Global.StartupScript, m.Global.StartupScriptTimeout)
}

// ShutdownScript is described at StartupScript.
func ShutdownScript(m *config.Model) script.Command {
	return command(m, m.Global.ShutdownScript, m.Global.ShutdownScriptTimeout)
}

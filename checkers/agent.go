package checkers

// said completes an agent's answer with what the agent said before and has not taken back. Only its own words bind it: after a failed
// connection the next answer counts as it is.
func (c *check) said(r Result) Result {
	if r.Unsaid == 0 {
		return r
	}
	v := &c.verdict
	failing := v.Up == (v.Streak > 0)
	if r.OK && failing && (c.reason == AgentDown && r.Unsaid&UnsaidUp != 0 || c.reason == AgentMaint && r.Unsaid&UnsaidReady != 0) {
		r.OK, r.Reason, r.Detail = false, c.reason, c.detail
	}
	if r.Unsaid&UnsaidWeight != 0 {
		r.Weight.Mode, r.Weight.Value = c.weight.Mode, c.weight.Value
	}
	if r.Unsaid&UnsaidReady != 0 {
		r.Weight.Drain = c.weight.Drain
	}
	return r
}

// weighs says whether the result's weight counts: that of a failed attempt does not, unless it is an agent who says both.
func (r *Result) weighs() bool { return r.OK || r.Reason == AgentDown || r.Reason == AgentMaint }

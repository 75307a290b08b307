package config

// drafts hands out the objects that servers and checks are read into. They are large and needed only until the virtual server around them is
// settled: after that they are used again, so that a file of thousands of virtual servers costs those of one.
type drafts struct {
	servers []*rsDraft
	checks  []*checkDraft
}

func (f *drafts) server() *rsDraft {
	if n := len(f.servers); n > 0 {
		r := f.servers[n-1]
		f.servers = f.servers[:n-1]
		return r
	}
	return new(rsDraft)
}

func (f *drafts) check() *checkDraft {
	if n := len(f.checks); n > 0 {
		c := f.checks[n-1]
		f.checks = f.checks[:n-1]
		return c
	}
	return new(checkDraft)
}

// reuse takes back what was copied into the Model.
func (f *drafts) reuse(servers []*rsDraft) {
	for _, r := range servers {
		for _, c := range r.checks {
			*c = checkDraft{}
			f.checks = append(f.checks, c)
		}
		*r = rsDraft{checks: r.checks[:0]}
		f.servers = append(f.servers, r)
	}
}

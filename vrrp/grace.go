package vrrp

import "time"

// Grace is how long the addresses of a dead router may wait for a new one, and whether it held any: until nobody would adopt its state any more,
// which is (adverts-1) intervals after its death. Its last advertisement was then at most `adverts` intervals ago, so no peer has taken over
// yet (RFC 9568 section 6.1).
func Grace(c Config, instances map[ID]Status) (time.Duration, bool) {
	var least time.Duration
	for _, in := range c.Instances {
		if instances[in.ID()].State != Master {
			continue
		}
		adverts := in.DownTimerAdverts
		if adverts <= 0 {
			adverts = 3
		}
		t := time.Duration(max(adverts-1, 1)) * in.Interval
		if least == 0 || t < least {
			least = t
		}
	}
	return least, least > 0
}

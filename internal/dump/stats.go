package dump

import (
	"bytes"
	"fmt"
)

// Stats prints keepalived.stats.
func Stats(s Source) []byte {
	var b bytes.Buffer
	for _, i := range s.Instances {
		c, e := i.Status.Counters, errorsOf(i.Status.Counters)
		fmt.Fprintf(&b, "VRRP Instance: %s\n", i.Config.Name)
		fmt.Fprintf(&b, "  Advertisements:\n    Received: %d\n    Sent: %d\n", c.AdvertsReceived, c.AdvertsSent)
		fmt.Fprintf(&b, "  Became master: %d\n  Released master: %d\n", c.BecameMaster, c.ReleasedMaster)
		fmt.Fprintf(&b, "  Packet Errors:\n    Length: %d\n    TTL: %d\n    Invalid Type: %d\n    Advertisement Interval: %d\n    Address List: %d\n",
			e.length, e.ttl, e.kind, e.interval, e.addresses)
		fmt.Fprintf(&b, "  Authentication Errors:\n    Invalid Type: %d\n    Type Mismatch: %d\n    Failure: %d\n", e.authType, e.authMismatch, e.authFailure)
		fmt.Fprintf(&b, "  Priority Zero:\n    Received: %d\n    Sent: %d\n", c.PriorityZeroRcvd, c.PriorityZeroSent)
	}
	return b.Bytes()
}

package ipvssync

import (
	"fmt"
	"slices"
)

// Schedulers are the names IPVS knows, as in the kernel's modules.
var Schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos"}

// Validate says what the kernel would accept and then break on, or refuse without a reason. The error wraps ErrRefused.
func (o Op) Validate() error {
	if err := o.Service.Key.Validate(); err != nil {
		return err
	}
	switch o.Kind {
	case AddService, UpdateService:
		return o.Service.validateSettings()
	case AddServer, UpdateServer:
		return o.Server.validate(o.Service.Key)
	}
	return nil
}

// Validate checks a key; the error wraps ErrRefused.
func (k Key) Validate() error {
	switch {
	case k.Family != IPv4 && k.Family != IPv6:
		return refuse(k, "has no address family")
	case k.Mark != 0 && (k.Addr.IsValid() || k.Port != 0 || k.Protocol != 0):
		return refuse(k, "has a firewall mark and an address")
	case k.Mark != 0:
		return nil
	case !k.Addr.IsValid():
		return refuse(k, "has neither address nor firewall mark")
	case k.Addr.Zone() != "" || k.Addr.Is4In6():
		return refuse(k, "has an address with a zone or an IPv4-mapped one")
	case FamilyOf(k.Addr) != k.Family:
		return refuse(k, "has an address of the other family")
	case k.Protocol != TCP && k.Protocol != UDP && k.Protocol != SCTP:
		return refuse(k, "has a protocol that IPVS does not balance")
	}
	return nil
}

func (s Service) validateSettings() error {
	switch {
	case !slices.Contains(Schedulers, s.Scheduler):
		return refuse(s.Key, fmt.Sprintf("has the unknown scheduler %q", s.Scheduler))
	case s.Flags&^FlagsMask != 0:
		return refuse(s.Key, "has flags that are not ours to set")
	case s.Mark == 0 && s.Port == 0 && s.Persistence == 0:
		return refuse(s.Key, "is for all ports and has no persistence")
	case s.Flags&OnePacket != 0 && s.Mark == 0 && s.Protocol != UDP:
		return refuse(s.Key, "has one-packet scheduling without UDP")
	case s.Engine != "" && s.Persistence == 0:
		return refuse(s.Key, "has a persistence engine without persistence")
	case s.Persistence > 31*24*3600:
		return refuse(s.Key, "has a persistence of more than 31 days")
	case int(s.Mask) > s.Family.Bits():
		return refuse(s.Key, "has a persistence mask longer than an address")
	}
	return nil
}

func (s Server) validate(k Key) error {
	a := s.Addr.Addr()
	switch {
	case !a.IsValid() || a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || a.IsMulticast():
		return refuse(k, fmt.Sprintf("has the impossible server address %s", s.Addr))
	case s.Weight < 0 || s.Weight > MaxWeight:
		return refuse(k, fmt.Sprintf("has server %s with weight %d, not 0..%d", s.Addr, s.Weight, MaxWeight))
	case FamilyOf(a) != k.Family && s.Forward != TUN:
		return refuse(k, fmt.Sprintf("has server %s of the other address family, which only TUN can reach", s.Addr))
	case s.Forward > FULLNAT || s.Forward == Bypass || s.Forward == Local:
		return refuse(k, fmt.Sprintf("has server %s with forwarding method %s", s.Addr, s.Forward))
	case s.Lower > s.Upper:
		return refuse(k, fmt.Sprintf("has server %s with a lower limit above the upper one", s.Addr))
	case s.Forward == TUN && s.Tunnel.Type > GRE:
		return refuse(k, fmt.Sprintf("has server %s with an unknown tunnel type", s.Addr))
	case s.Forward == TUN && s.Tunnel.Type == GUE && s.Tunnel.Port == 0:
		return refuse(k, fmt.Sprintf("has server %s with GUE and no UDP port", s.Addr))
	}
	return nil
}

func refuse(k Key, what string) error { return fmt.Errorf("service %s %s: %w", k, what, ErrRefused) }

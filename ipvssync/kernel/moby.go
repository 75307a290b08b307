package kernel

import (
	"github.com/moby/ipvs"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// needsCodec says that moby/ipvs cannot say this: it knows no tunnel types and no address family of a server, and would write
// a wrong address without an error.
func needsCodec(op ipvssync.Op) bool {
	switch op.Kind {
	case ipvssync.AddServer, ipvssync.UpdateServer, ipvssync.DeleteServer:
		return op.Server.Forward == ipvssync.TUN || ipvssync.FamilyOf(op.Server.Addr.Addr()) != op.Service.Family
	}
	return false
}

func mobyService(s ipvssync.Service) *ipvs.Service {
	m := &ipvs.Service{
		AddressFamily: kernelFamily(s.Family), FWMark: s.Mark, Protocol: uint16(s.Protocol), Port: s.Port,
		SchedName: s.Scheduler, Flags: kernelFlags(s), Timeout: s.Persistence, Netmask: kernelMask(s), PEName: s.Engine,
	}
	if s.Mark == 0 {
		m.Address = s.Addr.AsSlice()
	}
	return m
}

func mobyServer(d ipvssync.Server) *ipvs.Destination {
	return &ipvs.Destination{
		Address: d.Addr.Addr().AsSlice(), Port: d.Addr.Port(), AddressFamily: kernelFamily(ipvssync.FamilyOf(d.Addr.Addr())),
		Weight: d.Weight, ConnectionFlags: kernelForward(d.Forward), UpperThreshold: d.Upper, LowerThreshold: d.Lower,
	}
}

// mobyWrite does one operation through the library.
func mobyWrite(h *ipvs.Handle, op ipvssync.Op) error {
	s := mobyService(op.Service)
	switch op.Kind {
	case ipvssync.AddService:
		return h.NewService(s)
	case ipvssync.UpdateService:
		return h.UpdateService(s)
	case ipvssync.DeleteService:
		return h.DelService(s)
	case ipvssync.AddServer:
		return h.NewDestination(s, mobyServer(op.Server))
	case ipvssync.UpdateServer:
		return h.UpdateDestination(s, mobyServer(op.Server))
	}
	return h.DelDestination(s, mobyServer(op.Server))
}

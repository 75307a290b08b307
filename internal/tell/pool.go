package tell

import (
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Pool publishes one change of the virtual server with this id.
func Pool(bus *event.Bus, pool string, c ipvssync.Change) {
	addr := ""
	if c.Addr.IsValid() {
		addr = c.Addr.String()
	}
	switch c.Kind {
	case ipvssync.ServerUp:
		bus.Publish(event.PoolServerUp.With(pool, c.Server, addr, c.To))
	case ipvssync.ServerDown:
		bus.Publish(event.PoolServerDown.With(pool, c.Server, addr, c.From))
	case ipvssync.ServerAdded:
		bus.Publish(event.PoolServerAdded.With(pool, c.Server, addr, c.To))
	case ipvssync.ServerRemoved:
		bus.Publish(event.PoolServerRemoved.With(pool, c.Server, addr))
	case ipvssync.WeightChanged:
		bus.Publish(event.PoolWeight.With(pool, c.Server, addr, c.From, c.To))
	case ipvssync.QuorumGained:
		bus.Publish(event.PoolQuorumGained.With(pool, c.From, c.To))
	case ipvssync.QuorumLost:
		bus.Publish(event.PoolQuorumLost.With(pool, c.From, c.To))
	case ipvssync.SorryOn:
		bus.Publish(event.PoolSorryOn.With(pool, addr))
	case ipvssync.SorryOff:
		bus.Publish(event.PoolSorryOff.With(pool, addr))
	case ipvssync.DrainStarted:
		bus.Publish(event.PoolDrainStarted.With(pool, c.Server, addr))
	case ipvssync.DrainEnded:
		bus.Publish(event.PoolDrainEnded.With(pool, c.Server, addr))
	case ipvssync.Drained:
		bus.Publish(event.PoolDrained.With(pool, c.Server, addr, c.From))
	case ipvssync.PanicOn:
		bus.Publish(event.PoolPanicOn.With(pool, c.From, c.To))
	case ipvssync.PanicOff:
		bus.Publish(event.PoolPanicOff.With(pool, c.From, c.To))
	}
}

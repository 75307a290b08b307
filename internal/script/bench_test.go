package script

import (
	"context"
	"testing"
)

// BenchmarkRun is what one run of the smallest program costs, alone and with eight waiting at a time.
func BenchmarkRun(b *testing.B) {
	p := NewPool(8)
	defer p.Close()
	c := Command{Argv: []string{"/bin/true"}}
	b.Run("one by one", func(b *testing.B) {
		for b.Loop() {
			p.Run(context.Background(), "", c)
		}
	})
	b.Run("side by side", func(b *testing.B) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				p.Run(context.Background(), "", c)
			}
		})
	})
}

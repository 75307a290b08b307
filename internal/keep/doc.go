// Package keep is how small files outlive a process: replaced as a whole, readable by their owner only, and read back with suspicion.
//
// It promises that a reader sees the old file or the new one and nothing between, that a link or pipe which somebody put in the place is neither
// followed nor waited for, and that a file larger than it could ever be is not read. It never decides what a file means. Nothing is synced to a disk:
// the run directory is in memory, and after a power failure other things are lost as well.
package keep

// Package outside is what the balancer watches besides servers, and whom it tells: tracked scripts, files and processes; notify scripts, pipes and
// mails; the programs that start and stop.
//
// It promises that changes of its configuration happen in order and keep nobody waiting, that everybody hears of every change once (also of those
// that came while nobody could be told), and that no program outlives Close.
//
// A [World] belongs to one goroutine, the balancer's owner. It never decides what a value means for a priority (vrrp does) nor whether a server is up.
package outside

// Package notify tells the outside about changes: notify scripts, named pipes (FIFOs) and mail, in keepalived's formats.
//
// It promises: telling never blocks the one who tells; the scripts of one object (instance, sync group, virtual server, real server)
// run one at a time, in order, within a time limit, and the last one to run is the one for the latest state; what a slow script
// makes obsolete is skipped and said so, FIFO lines never are; the same state is not told twice, not even by a restarted daemon;
// Close tells STOP and waits for the scripts of it for a bounded time.
//
// It never decides what state an object is in, and never retries a script.
package notify

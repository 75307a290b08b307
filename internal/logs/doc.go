// Package logs turns events into log lines and gets them to the inherited stderr without ever making their sender wait.
//
// Lines go through a [Writer]: a bounded ring with one writing goroutine and one write(2) per line. A reader that is slow or gone costs
// log lines, which are counted and reported, and nothing else. This is the only package that knows hclog. It decides nothing about what is
// worth telling: that is the catalogue of package event.
package logs

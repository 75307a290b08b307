// Package reading is one configuration on its way from the files into force: read, assembled for every room, compared with the one before,
// told to the operators, and put away in little memory once the rooms have what they need of it.
//
// It never brings anything into force and never decides whether a file is good enough: what that depends on, only the balancer knows.
package reading

package notify

import (
	"fmt"
	"strconv"
)

// State is a word scripts and pipes are told.
type State string

// The states of instances and groups, and the words for what is no state.
const (
	Master        State = "MASTER"
	Backup        State = "BACKUP"
	Fault         State = "FAULT"
	Stop          State = "STOP"
	Deleted       State = "DELETED"
	lowerPriority State = "MASTER_RX_LOWER_PRI"
)

// vrrpLine is keepalived's FIFO line for an instance or group: INSTANCE "VI_1" MASTER 150.
func vrrpLine(kind, name string, s State, priority int) string {
	return fmt.Sprintf("%s \"%s\" %s %d\n", kind, name, s, priority)
}

// arguments are what the generic notify script gets after its own.
func arguments(kind, name string, s State, priority int) []string {
	return []string{kind, name, string(s), strconv.Itoa(priority)}
}

// virtualLine is VS [10.0.0.1]:tcp:80 UP. keepalived 2.4 appends a NUL byte, by mistake.
func virtualLine(vs string, isUp bool) string {
	return "VS " + vs + " " + string(upDown(isUp)) + "\n"
}

// serverLine is RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN.
func serverLine(rs, vs string, isUp bool) string {
	return "RS " + rs + " " + vs + " " + string(upDown(isUp)) + "\n"
}

// mailWords are keepalived's subjects per state.
var mailWords = map[State]string{Master: "Entering MASTER state", Backup: "Entering BACKUP state", Fault: "Entering FAULT state",
	Stop: "Stopping", Deleted: "Deleted"}

// vrrpSubject is [R1] VRRP Instance VI_1 - Entering MASTER state.
func vrrpSubject(router, kind, name string, s State) string {
	return fmt.Sprintf("[%s] VRRP %s %s - %s", router, map[string]string{instance: "Instance", group: "Group"}[kind], name, mailWords[s])
}

func serverSubject(router, rs, vs string, isUp bool) string {
	return fmt.Sprintf("[%s] Realserver %s of virtual server %s - %s", router, rs, vs, upDown(isUp))
}

func virtualSubject(router, vs string, isUp bool) string {
	return fmt.Sprintf("[%s] Virtualserver %s - %s", router, vs, upDown(isUp))
}

// The words for what an object is.
const (
	instance = "INSTANCE"
	group    = "GROUP"
)

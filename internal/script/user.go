package script

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// fallbackUser is the account keepalived uses for scripts when it exists and script_user is not given (section "Scripts" of its
// manual page).
const fallbackUser = "keepalived_script"

// DefaultUser is the user and group scripts run as when they name none: what script_user says, else the account
// keepalived_script where the machine has it, else "" for the daemon's own user.
func DefaultUser(configured, group string) (string, string) {
	if configured != "" {
		return configured, group
	}
	if _, err := user.Lookup(fallbackUser); err == nil {
		return fallbackUser, ""
	}
	return "", ""
}

// credential looks User and Group up, nil when the program runs as the daemon itself.
func (c Command) credential() (*syscall.Credential, error) {
	if c.User == "" && c.Group == "" {
		return nil, nil
	}
	cred := &syscall.Credential{Uid: uint32(os.Geteuid()), Gid: uint32(os.Getegid())}
	name := ""
	if c.User != "" {
		u, err := lookupUser(c.User)
		if err != nil {
			return nil, fmt.Errorf("user %q: %w: create the account or name another user", c.User, err)
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("user %q has no numeric ids", c.User)
		}
		cred.Uid, cred.Gid, name = uint32(uid), uint32(gid), u.Username
		if c.SupplementaryGroups {
			ids, err := u.GroupIds()
			if err != nil {
				return nil, fmt.Errorf("groups of user %q: %w", c.User, err)
			}
			for _, id := range ids {
				if n, err := strconv.ParseUint(id, 10, 32); err == nil {
					cred.Groups = append(cred.Groups, uint32(n))
				}
			}
		}
	}
	if c.Group != "" {
		gid, err := lookupGroup(c.Group)
		if err != nil {
			return nil, fmt.Errorf("group %q: %w: create the group or name another", c.Group, err)
		}
		cred.Gid = gid
	}
	if os.Geteuid() != 0 {
		if int(cred.Uid) == os.Geteuid() && int(cred.Gid) == os.Getegid() {
			return nil, nil
		}
		return nil, fmt.Errorf("cannot run a program as user %q: the daemon itself is not root", name)
	}
	return cred, nil
}

func lookupUser(name string) (*user.User, error) {
	u, err := user.Lookup(name)
	if err == nil {
		return u, nil
	}
	if _, bad := strconv.ParseUint(name, 10, 32); bad != nil {
		return nil, err
	}
	if u, err := user.LookupId(name); err == nil {
		return u, nil
	}
	return &user.User{Uid: name, Gid: name, Username: name}, nil
}

func lookupGroup(name string) (uint32, error) {
	id := name
	g, err := user.LookupGroup(name)
	if err == nil {
		id = g.Gid
	}
	n, bad := strconv.ParseUint(id, 10, 32)
	if bad != nil {
		return 0, err
	}
	return uint32(n), nil
}

// Owner is the user and group the command runs as, for files that are made for it.
func (c Command) Owner() (uid, gid int, err error) {
	cred, err := c.credential()
	if err != nil {
		return 0, 0, err
	}
	if cred == nil {
		return os.Geteuid(), os.Getegid(), nil
	}
	return int(cred.Uid), int(cred.Gid), nil
}

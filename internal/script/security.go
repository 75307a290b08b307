package script

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Insecure says why root must not run the file: some part of its path, as written or with symbolic links followed, can be changed by
// somebody who is not root. The error names the part, its owner and its mode. nil means that only root can change it.
//
// The rule is keepalived's enable_script_security; it is milder in one place: a directory that everybody may write but with the
// sticky bit set (/tmp) is accepted, because a part in it that root owns cannot be replaced by others.
func Insecure(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("script security: %q is not an absolute path; give the full path", path)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("script security: %w", err)
	}
	for _, p := range []string{filepath.Clean(path), real} {
		if err := insecurePath(p); err != nil {
			return err
		}
	}
	return nil
}

func insecurePath(path string) error {
	part := "/"
	for _, name := range append([]string{""}, strings.Split(strings.TrimPrefix(path, "/"), "/")...) {
		part = filepath.Join(part, name)
		st, err := os.Lstat(part)
		if err != nil {
			return fmt.Errorf("script security: %w", err)
		}
		if st.Mode()&fs.ModeSymlink != 0 { // the link's own mode means nothing; its directory has been looked at, its target will be
			continue
		}
		sys, ok := st.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("script security: the owner of %s cannot be told", part)
		}
		if who := writer(sys.Uid, sys.Gid, st.Mode()); who != "" {
			return fmt.Errorf("script security: root would run %s, but %s (owner %d, group %d, mode %v) can be changed by %s: chown it to root and remove the write permission, or run the script as another user (script_user)",
				path, part, sys.Uid, sys.Gid, st.Mode(), who)
		}
	}
	return nil
}

// writer names who besides root may change a file of that owner, group and mode, "" for nobody.
func writer(uid, gid uint32, mode fs.FileMode) string {
	shared := mode.IsDir() && mode&fs.ModeSticky != 0
	switch {
	case uid != 0 && mode&0o200 != 0:
		return "its owner"
	case gid != 0 && mode&0o020 != 0 && !shared:
		return "its group"
	case mode&0o002 != 0 && !shared:
		return "everybody"
	}
	return ""
}

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/config"
)

func init() { register(fmtCommand) }

func fmtCommand() *cobra.Command {
	var write bool
	c := &cobra.Command{
		Use:   "fmt FILE",
		Short: "Lay a configuration out anew, in its own syntax",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, _ := os.Getwd()
			text, ds := config.Format(os.DirFS("/"), args[0], config.Options{Dir: dir})
			if ds.HasErrors() {
				if err := printDiagnostics(cmd.ErrOrStderr(), args[0], ds, false, false); err != nil {
					return err
				}
				return exitError{code: exitFatal}
			}
			if !write {
				_, err := fmt.Fprint(cmd.OutOrStdout(), text)
				return err
			}
			return replaceFile(args[0], text)
		},
	}
	c.Flags().BoolVarP(&write, "write", "w", false, "replace the file instead of writing to the terminal")
	return c
}

// replaceFile writes a file beside the old one and renames it over it, with the old one's mode.
func replaceFile(name, text string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".holdfast-fmt-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Chmod(info.Mode().Perm())
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

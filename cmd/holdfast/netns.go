package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/config"
)

// envNamespace says that the process is in the network namespace it was asked to run in.
const envNamespace = "HOLDFAST_NETNS"

func namespacePath(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return "/run/netns/" + name
}

// inNamespace says that this process is in the network namespace of that name.
func inNamespace(name string) bool {
	there, err := os.Stat(namespacePath(name))
	if err != nil {
		return false
	}
	here, err := os.Stat("/proc/self/ns/net")
	return err == nil && os.SameFile(there, here)
}

// enterNamespace moves the whole process into a network namespace: one thread enters it and the program starts again there, because a
// namespace belongs to a thread and Go's threads are many.
func enterNamespace(name string) error {
	if name == "" || os.Getenv(envNamespace) == name {
		return nil
	}
	f, err := os.Open(namespacePath(name))
	if err != nil {
		return exitError{exitConfig, fmt.Errorf("enter the network namespace %s: %w", name, err)}
	}
	runtime.LockOSThread()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the network namespace %s: %w", name, err)
	}
	f.Close()
	if err := syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), envNamespace+"="+name)); err != nil {
		return fmt.Errorf("start again in the network namespace %s: %w", name, err)
	}
	return nil
}

// namespaceWithin bounds the reading of the configuration for its net_namespace.
const namespaceWithin = 10 * time.Second

// configuredNamespace is the net_namespace of the configuration, "" when it has none. Another process parses the file: what becomes the
// router stays small. Most files neither name a namespace nor include others, and then nothing is parsed. A file that cannot be read is left to
// the balancer, which says what is wrong with it.
func configuredNamespace(f daemonFlags) string {
	text, err := os.ReadFile(f.config)
	if err != nil || !bytes.Contains(text, []byte("net_namespace")) && !bytes.Contains(text, []byte("include")) {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), namespaceWithin)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/proc/self/exe", "namespace", "--config", f.config, "--config-id", f.configID).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func init() { register(namespaceCommand) }

// namespaceCommand prints the net_namespace of a configuration.
func namespaceCommand() *cobra.Command {
	var f daemonFlags
	cmd := &cobra.Command{
		Use: "namespace", Hidden: true, Args: cobra.NoArgs, Short: "Print the network namespace that a configuration names",
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, _ := parseFile(f.config, config.Options{ConfigID: f.configID})
			if m != nil {
				fmt.Fprintln(cmd.OutOrStdout(), m.NetNamespace)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&f.config, "config", "c", "", "configuration file")
	cmd.Flags().StringVarP(&f.configID, "config-id", "i", "", "name that @ conditionals are compared with")
	return cmd
}

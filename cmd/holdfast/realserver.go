package main

import (
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
)

func init() { register(realserverCommand) }

func realserverCommand() *cobra.Command {
	var id *string
	c := &cobra.Command{
		Use:   "realserver [FILE] ADDRESS",
		Short: "Print the commands that make a machine the real server of a configuration",
		Long: "realserver prints a shell script with the real server's side of what FILE says of ADDRESS: virtual addresses on lo and quiet ARP for\n" +
			"DR, the tunnel device for TUN, the gateway for NAT. It changes nothing here; run the script on the real server.",
		Example: "  holdfast realserver /etc/holdfast/holdfast.conf 192.0.2.21 | ssh root@192.0.2.21 sh",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := netip.ParseAddr(args[len(args)-1])
			if err != nil {
				return fmt.Errorf("the last word is the real server's address: %w", err)
			}
			name, err := configFile("", args[:len(args)-1])
			if err != nil {
				return err
			}
			m, ds := parseFile(name, config.Options{ConfigID: *id})
			if ds.RefuseStart() {
				return exitError{code: exitConfig, err: fmt.Errorf("%s cannot be used; 'holdfast check %s' says why", name, name)}
			}
			text, err := assemble.RealServerSide(m, addr)
			if err != nil {
				return exitError{code: exitFatal, err: fmt.Errorf("%s: %w", name, err)}
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
	id = configIDFlag(c)
	return c
}

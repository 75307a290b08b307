package assemble

import (
	"fmt"
	"strconv"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// vmac fills in the macvlan of an instance with use_vmac: keepalived's name for it (vrrp.VRID, vrrp6.VRID) and the MAC of RFC 9568 section
// 7.3 unless they are given. Where the same VRID is used on another interface too, the name gets a letter.
func vmac(v *vrrp.Instance, in *config.VRRPInstance, prefix string, taken map[string]bool) {
	if !in.UseVMAC {
		return
	}
	if in.VMACParent != "" && in.VMACParent != v.Interface && v.Blocked == "" {
		v.Blocked = "use_vmac on another interface than the instance's is not built: leave " + in.VMACParent + " out or make it the instance's interface"
	}
	if prefix == "" {
		prefix = "vrrp"
	}
	kind := 1
	if v.Family == vrrp.IPv6 {
		prefix, kind = prefix+"6", 2
	}
	v.VMAC = vrrp.VMAC{Name: in.VMACName, MAC: in.VMACAddr, XmitBase: in.VMACXmitBase || len(v.Peers) > 0}
	if v.VMAC.MAC == "" {
		v.VMAC.MAC = fmt.Sprintf("00:00:5e:00:%02x:%02x", kind, v.VRID)
	}
	if v.VMAC.Name == "" {
		v.VMAC.Name = prefix + "." + strconv.Itoa(int(v.VRID))
		for c := 'a'; taken[v.VMAC.Name] && c <= 'z'; c++ {
			v.VMAC.Name = prefix + "." + strconv.Itoa(int(v.VRID)) + string(c)
		}
	}
	taken[v.VMAC.Name] = true
}

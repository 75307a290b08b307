package dump

import (
	"encoding/json"

	"github.com/holdfast-ha/holdfast/vrrp"
)

type jsonInstance struct {
	Data  jsonData  `json:"data"`
	Stats jsonStats `json:"stats"`
}

type jsonData struct {
	Iname             string   `json:"iname"`
	DontTrackPrimary  int      `json:"dont_track_primary"`
	SkipCheckAdvAddr  int      `json:"skip_check_adv_addr"`
	StrictMode        int      `json:"strict_mode"`
	VmacIfname        string   `json:"vmac_ifname"`
	IfpIfname         string   `json:"ifp_ifname"`
	MasterPriority    int      `json:"master_priority"`
	LastTransition    float64  `json:"last_transition"`
	GarpDelay         float64  `json:"garp_delay"`
	GarpRefresh       float64  `json:"garp_refresh"`
	GarpRep           int      `json:"garp_rep"`
	GarpRefreshRep    int      `json:"garp_refresh_rep"`
	GarpLowerDelay    float64  `json:"garp_lower_prio_delay"`
	GarpLowerRep      int      `json:"garp_lower_prio_rep"`
	LowerPrioNoAdvert int      `json:"lower_prio_no_advert"`
	HigherPrioSend    int      `json:"higher_prio_send_advert"`
	VRID              int      `json:"vrid"`
	BasePriority      int      `json:"base_priority"`
	EffectivePriority int      `json:"effective_priority"`
	VIPSet            bool     `json:"vipset"`
	PromoteSecond     bool     `json:"promote_secondaries"`
	AdverInt          float64  `json:"adver_int"`
	MasterAdverInt    float64  `json:"master_adver_int"`
	Accept            int      `json:"accept"`
	NoPreempt         bool     `json:"nopreempt"`
	PreemptDelay      float64  `json:"preempt_delay"`
	State             int      `json:"state"`
	WantState         int      `json:"wantstate"`
	Version           int      `json:"version"`
	SMTPAlert         bool     `json:"smtp_alert"`
	NotifyDeleted     bool     `json:"notify_deleted"`
	VIPs              []string `json:"vips,omitempty"`
	EVIPs             []string `json:"evips,omitempty"`
	TrackIfp          []string `json:"track_ifp,omitempty"`
	TrackScript       []string `json:"track_script,omitempty"`
	TrackProcess      []string `json:"track_process,omitempty"`
	AuthType          int      `json:"auth_type"`
	AuthData          string   `json:"auth_data,omitempty"`
}

type jsonStats struct {
	AdvertRcvd       uint64 `json:"advert_rcvd"`
	AdvertSent       uint64 `json:"advert_sent"`
	BecomeMaster     uint64 `json:"become_master"`
	ReleaseMaster    uint64 `json:"release_master"`
	PacketLenErr     uint64 `json:"packet_len_err"`
	AdvertInterval   uint64 `json:"advert_interval_err"`
	IPTTLErr         uint64 `json:"ip_ttl_err"`
	InvalidTypeRcvd  uint64 `json:"invalid_type_rcvd"`
	AddrListErr      uint64 `json:"addr_list_err"`
	InvalidAuthtype  uint64 `json:"invalid_authtype"`
	AuthtypeMismatch uint64 `json:"authtype_mismatch"`
	AuthFailure      uint64 `json:"auth_failure"`
	PriZeroRcvd      uint64 `json:"pri_zero_rcvd"`
	PriZeroSent      uint64 `json:"pri_zero_sent"`
}

// JSON prints keepalived.json: version 1 is a bare array, version 2 an object.
func JSON(s Source, version int) []byte {
	all := []jsonInstance{}
	for _, i := range s.Instances {
		all = append(all, jsonOf(i))
	}
	var v any = all
	if version >= 2 {
		v = map[string]any{"vrrp": all}
	}
	b, err := json.Marshal(v)
	if err != nil { // plain values always marshal
		return nil
	}
	return append(b, '\n')
}

func jsonOf(i Instance) jsonInstance {
	c, st, n := i.Config, i.Status, i.Status.Counters
	e := errorsOf(n)
	d := jsonData{
		Iname: c.Name, DontTrackPrimary: bit(c.DontTrackPrimary), SkipCheckAdvAddr: bit(c.SkipCheckAdvAddr), IfpIfname: c.Interface,
		MasterPriority: int(st.MasterPriority), GarpDelay: c.Gratuitous.Delay.Seconds(), GarpRefresh: c.Gratuitous.Refresh.Seconds(),
		GarpRep: c.Gratuitous.Repeat, GarpRefreshRep: c.Gratuitous.RefreshRepeat, GarpLowerDelay: c.Gratuitous.LowerPrioDelay.Seconds(),
		GarpLowerRep: c.Gratuitous.LowerPrioRepeat, LowerPrioNoAdvert: bit(c.LowerPrioNoAdvert), HigherPrioSend: bit(c.HigherPrioSendAdvert),
		VRID: int(c.VRID), BasePriority: int(c.Priority), EffectivePriority: int(st.Priority), VIPSet: st.State == vrrp.Master,
		AdverInt: c.Interval.Seconds(), MasterAdverInt: c.Interval.Seconds(), Accept: bit(i.Accept), NoPreempt: c.NoPreempt,
		PreemptDelay: c.PreemptDelay.Seconds(), State: int(st.State), WantState: int(st.State), Version: int(c.Version), SMTPAlert: i.SMTPAlert,
	}
	if !st.Since.IsZero() {
		d.LastTransition = float64(st.Since.UnixMicro()) / 1e6
	}
	for _, a := range advertised(c, false) {
		d.VIPs = append(d.VIPs, addressText(a, c.Interface, st.State == vrrp.Master))
	}
	for _, a := range advertised(c, true) {
		d.EVIPs = append(d.EVIPs, addressText(a, c.Interface, st.State == vrrp.Master))
	}
	for _, t := range c.TrackInterfaces {
		d.TrackIfp = append(d.TrackIfp, t.Name)
	}
	for _, t := range c.Tracks {
		switch kind, name := cut(t.ID); kind {
		case "script":
			d.TrackScript = append(d.TrackScript, name)
		case "process":
			d.TrackProcess = append(d.TrackProcess, name)
		}
	}
	switch c.Auth.Type {
	case "PASS":
		d.AuthType, d.AuthData = 1, "****"
	case "AH":
		d.AuthType, d.AuthData = 2, "****"
	}
	return jsonInstance{d, jsonStats{
		AdvertRcvd: n.AdvertsReceived, AdvertSent: n.AdvertsSent, BecomeMaster: n.BecameMaster, ReleaseMaster: n.ReleasedMaster,
		PacketLenErr: e.length, AdvertInterval: e.interval, IPTTLErr: e.ttl, InvalidTypeRcvd: e.kind, AddrListErr: e.addresses,
		InvalidAuthtype: e.authType, AuthtypeMismatch: e.authMismatch, AuthFailure: e.authFailure, PriZeroRcvd: n.PriorityZeroRcvd, PriZeroSent: n.PriorityZeroSent,
	}}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

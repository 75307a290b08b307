package vrrp

import "fmt"

// Why a packet was dropped.
const (
	// ReasonTruncated: shorter than its own count of addresses says.
	ReasonTruncated Reason = "truncated"
	// ReasonLength: longer than any advertisement of its kind.
	ReasonLength Reason = "length"
	// ReasonVersion: neither 2 nor 3, or not the instance's.
	ReasonVersion Reason = "version"
	// ReasonType: not type 1, the only one there is.
	ReasonType Reason = "type"
	// ReasonVRID: VRID 0, or one that no instance on that interface has.
	ReasonVRID Reason = "vrid"
	// ReasonChecksum: the checksum is wrong.
	ReasonChecksum Reason = "checksum"
	// ReasonTTL: a multicast packet that was forwarded (TTL not 255), or one outside the bounds of the peer.
	ReasonTTL Reason = "ttl"
	// ReasonProtocol: an IP protocol that is neither VRRP nor AH, or AH around something that is not VRRPv2.
	ReasonProtocol Reason = "protocol"
	// ReasonAuthType: another kind of authentication than the instance's.
	ReasonAuthType Reason = "auth_type"
	// ReasonAuthFailure: the right kind with the wrong key.
	ReasonAuthFailure Reason = "auth_failure"
	// ReasonAuthMissing: no auth_hmac trailer, and mode enforce wants one.
	ReasonAuthMissing Reason = "auth_missing"
	// ReasonAuthMalformed: something of the length of an auth_hmac trailer that is none.
	ReasonAuthMalformed Reason = "auth_malformed"
	// ReasonAuthKey: signed with a key that this router does not have.
	ReasonAuthKey Reason = "auth_unknown_key"
	// ReasonAuthStale: signed at a time that is further from this router's than time_window.
	ReasonAuthStale Reason = "auth_stale"
	// ReasonReplay: an AH counter or an auth_hmac sequence that does not rise.
	ReasonReplay Reason = "replay"
	// ReasonInterval: a v2 advertisement with another interval than the instance's (RFC 3768 section 7.1).
	ReasonInterval Reason = "interval"
	// ReasonTransport: multicast to a unicast instance or the other way round.
	ReasonTransport Reason = "transport"
	// ReasonPeer: unicast from an address that is not in unicast_peer.
	ReasonPeer Reason = "unknown_peer"
	// ReasonOwn: sent from our own address, so a loop or a duplicate address.
	ReasonOwn Reason = "own_address"
	// ReasonOwner: this router owns the addresses and ignores advertisements (owner_ignore_adverts).
	ReasonOwner Reason = "owner"
)

// Reasons are all reasons there are, for tables, tests and metric labels.
var Reasons = []Reason{
	ReasonTruncated, ReasonLength, ReasonVersion, ReasonType, ReasonVRID, ReasonChecksum, ReasonTTL, ReasonProtocol, ReasonAuthType,
	ReasonAuthFailure, ReasonAuthMissing, ReasonAuthMalformed, ReasonAuthKey, ReasonAuthStale, ReasonReplay, ReasonInterval, ReasonTransport, ReasonPeer, ReasonOwn, ReasonOwner,
}

func refuse(p Packet, r Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: r, From: p.Src.WithZone(""), Detail: fmt.Sprintf(format, args...)}
}

package config

import (
	"strings"
	"testing"
)

func TestExplainWord(t *testing.T) {
	for word, want := range map[string][]string{
		"weight-nopreempt": {"weight-nopreempt: ", "What to do: Remove the weight"},
		"advert_int":       {"advert_int seconds, 0.01 to 255", "in vrrp_instance; acted on; default: 1"},
		"lvs_sched":        {"older spelling of lb_algo"},
		"weight":           {"in vrrp_script", "in real_server"},
		"nothing_of_ours":  nil,
	} {
		got := ExplainWord(word)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", word, w, got)
			}
		}
		if want == nil && got != "" {
			t.Errorf("%s: %s", word, got)
		}
	}
	got := strings.Join(CompleteWord("virtual_r"), "\n")
	if !strings.HasPrefix(got, "virtual_router_id\t") || !strings.Contains(got, "\nvirtual_routes\t") || strings.Contains(got, "virtual_server") {
		t.Error(got)
	}
}

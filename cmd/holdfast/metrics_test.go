package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/internal/metrics"
)

func TestMetricsWithoutADaemon(t *testing.T) {
	w := httptest.NewRecorder()
	metricsHandler(t.TempDir()).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || !strings.HasSuffix(w.Body.String(), "\nholdfast_up 0\n") || w.Header().Get("Content-Type") != metrics.ContentType {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	w = httptest.NewRecorder()
	metricsHandler(t.TempDir()).ServeHTTP(w, httptest.NewRequest("GET", "/etc/passwd", nil))
	if w.Code != 404 {
		t.Errorf("there is nothing else: %d", w.Code)
	}
}

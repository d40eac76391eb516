package server

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"dhibot/bot/campaign"
	"dhibot/bot/githubapi"
	"dhibot/bot/scan"
	"dhibot/rewrite"
	"dhibot/webhooks"
)

// metrics are everything that /metrics shows: the edge and the queue, the calls
// to GitHub, the outcomes of the engine, the Go runtime and the process.
type metrics struct {
	edge *webhooks.Metrics

	calls       *prometheus.CounterVec
	callTime    *prometheus.HistogramVec
	remaining   *prometheus.GaugeVec
	dockerfiles *prometheus.CounterVec
	scanned     *prometheus.CounterVec
	campaign    *prometheus.GaugeVec
	left        *prometheus.GaugeVec
}

func newMetrics() (*metrics, error) {
	registry := prometheus.NewRegistry()
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "dhibot_github_calls_total",
			Help: "Calls to GitHub by operation and outcome."}, []string{"operation", "outcome"}),
		callTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "dhibot_github_call_duration_seconds",
			Help: "Time of a call to GitHub, with its retries and pauses.", Buckets: []float64{.01, .05, .1, .25, .5, 1, 2, 5, 10, 30, 120}}, []string{"operation"}),
		remaining: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "dhibot_github_rate_remaining",
			Help: "Calls that GitHub's hourly limit leaves, by installation (0 is the App itself) and resource."}, []string{"installation", "resource"}),
		dockerfiles: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "dhibot_dockerfiles_total",
			Help: "Dockerfiles that the engine looked at, by outcome and reason code."}, []string{"outcome", "code"}),
		scanned: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "dhibot_scanned_repositories_total",
			Help: "Repositories that a pass came to, by how they were dealt with: unchanged, known, looked, passed or failed."}, []string{"result"}),
		campaign: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "dhibot_campaign_repositories",
			Help: "Repositories of an installation by how its campaign stands with them, as this process last saw it."}, []string{"installation", "state"}),
		left: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "dhibot_campaign_pull_requests_left",
			Help: "Pull requests that the campaign of an installation has still to open, as this process last saw it."}, []string{"installation"}),
	}
	for _, c := range []prometheus.Collector{m.calls, m.callTime, m.remaining, m.dockerfiles, m.scanned, m.campaign, m.left,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	var err error
	m.edge, err = webhooks.NewMetrics(registry)
	return m, err
}

// GitHubCall implements githubapi.Metrics. Operations and outcomes are fixed
// sets, so the number of series is bounded; installations are few.
func (m *metrics) GitHubCall(c githubapi.Call) {
	m.calls.WithLabelValues(c.Operation, c.Outcome).Inc()
	m.callTime.WithLabelValues(c.Operation).Observe(c.Took.Seconds())
	if c.Remaining >= 0 {
		m.remaining.WithLabelValues(strconv.FormatInt(c.Installation, 10), c.Resource).Set(float64(c.Remaining))
	}
}

// examined counts the outcome of a Dockerfile.
func (m *metrics) examined(r *rewrite.Result) {
	m.dockerfiles.WithLabelValues(string(r.Outcome), string(r.Code)).Inc()
}

// seen counts how a pass dealt with a repository.
func (m *metrics) seen(how scan.Seen) { m.scanned.WithLabelValues(string(how)).Inc() }

// decided shows how the campaign of an installation stands.
func (m *metrics) decided(installation int64, p campaign.Plan) {
	in := strconv.FormatInt(installation, 10)
	for _, state := range campaign.States() {
		m.campaign.WithLabelValues(in, string(state)).Set(float64(p.Counts[state]))
	}
	m.left.WithLabelValues(in).Set(float64(p.Left))
}

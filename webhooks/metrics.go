package webhooks

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"dhibot/bot/inbox"
)

// Metrics of deliveries and of the queue behind them.
type Metrics struct {
	registry    *prometheus.Registry
	deliveries  *prometheus.CounterVec
	latency     *prometheus.HistogramVec
	acknowledge *prometheus.HistogramVec
	jobs        *prometheus.CounterVec
	jobTime     *prometheus.HistogramVec
	jobWait     *prometheus.HistogramVec
}

// NewMetrics registers the metrics. It fails when the registry has others of
// the same names.
func NewMetrics(registry *prometheus.Registry) (*Metrics, error) {
	// From a millisecond to GitHub's limit of ten seconds.
	quick := []float64{.001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2, 5, 10}
	// Jobs wait for people and rate limits: up to a day.
	slow := []float64{.01, .05, .1, .5, 1, 2, 5, 15, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600}
	m := &Metrics{
		registry: registry,
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "dhibot_webhook_deliveries_total",
			Help: "Webhook deliveries by event and outcome (accepted, duplicate, ignored, refused, failed)."}, []string{"event", "outcome"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "dhibot_webhook_duration_seconds",
			Help: "Time from a delivery's first byte to its answer.", Buckets: quick}, []string{"outcome"}),
		acknowledge: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "dhibot_webhook_acknowledge_seconds",
			Help: "Time taken to react to a comment within its delivery.", Buckets: quick}, []string{"result"}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "dhibot_jobs_total",
			Help: "Stored deliveries worked on, by event and outcome (done, retry, later, parked, interrupted)."}, []string{"event", "outcome"}),
		jobTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "dhibot_job_duration_seconds",
			Help: "Time taken to work on a stored delivery.", Buckets: slow}, []string{"event"}),
		jobWait: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "dhibot_job_wait_seconds",
			Help: "Time from receiving a delivery to the start of work on it.", Buckets: slow}, []string{"priority"}),
	}
	for _, c := range []prometheus.Collector{m.deliveries, m.latency, m.acknowledge, m.jobs, m.jobTime, m.jobWait} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("webhooks: metrics: %w", err)
		}
	}
	return m, nil
}

// Observe counts a call of the inbox's handler; for inbox.WithObserver.
func (m *Metrics) Observe(o inbox.Observation) {
	name := eventLabel(o.Delivery.Event)
	m.jobs.WithLabelValues(name, o.Outcome).Inc()
	m.jobTime.WithLabelValues(name).Observe(seconds(o.Took))
	m.jobWait.WithLabelValues(o.Delivery.Priority.String()).Observe(seconds(o.Waited))
}

func (m *Metrics) delivered(name, outcome string, took time.Duration) {
	m.deliveries.WithLabelValues(eventLabel(name), outcome).Inc()
	m.latency.WithLabelValues(outcome).Observe(seconds(took))
}

func (m *Metrics) acknowledged(ok bool, took time.Duration) {
	result := "ok"
	if !ok {
		result = "error"
	}
	m.acknowledge.WithLabelValues(result).Observe(seconds(took))
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		// A database that is away must not take the other metrics with it.
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	})
}

// watch adds the state of the inbox, read when it is scraped.
func (m *Metrics) watch(in Inbox, now func() time.Time) error {
	if err := m.registry.Register(&inboxCollector{in: in, now: now}); err != nil {
		return fmt.Errorf("webhooks: metrics: %w", err)
	}
	return nil
}

type inboxCollector struct {
	in  Inbox
	now func() time.Time
}

func (c *inboxCollector) descriptions() (waiting, parked, oldest *prometheus.Desc) {
	return prometheus.NewDesc("dhibot_inbox_waiting", "Deliveries waiting or being worked on.", []string{"priority"}, nil),
		prometheus.NewDesc("dhibot_inbox_parked", "Deliveries given up and kept for people.", nil, nil),
		prometheus.NewDesc("dhibot_inbox_oldest_seconds", "Age of the oldest delivery that could be worked on now; 0 when there is none.", nil, nil)
}

// Describe implements prometheus.Collector.
func (c *inboxCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.all() {
		ch <- d
	}
}

func (c *inboxCollector) all() []*prometheus.Desc {
	waiting, parked, oldest := c.descriptions()
	return []*prometheus.Desc{waiting, parked, oldest}
}

// Collect implements prometheus.Collector. Without an answer from the database
// the queue's metrics are absent, rather than those of an empty queue.
func (c *inboxCollector) Collect(ch chan<- prometheus.Metric) {
	waiting, parked, oldest := c.descriptions()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s, err := c.in.Stats(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(waiting, err)
		return
	}
	for p, n := range s.Waiting {
		ch <- prometheus.MustNewConstMetric(waiting, prometheus.GaugeValue, float64(n), p.String())
	}
	ch <- prometheus.MustNewConstMetric(parked, prometheus.GaugeValue, float64(s.Parked))
	age := 0.0
	if !s.Oldest.IsZero() {
		age = seconds(c.now().Sub(s.Oldest))
	}
	ch <- prometheus.MustNewConstMetric(oldest, prometheus.GaugeValue, age)
}

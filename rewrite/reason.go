package rewrite

// ReasonCode names why a Dockerfile came out as it did; docs/reasons.md lists
// them. The words are stable: dashboards count them.
type ReasonCode string

package rewrite

// ReasonCode names why a Dockerfile came out as it did; docs/reasons.md lists
// them. The words are stable: dashboards count them.
type ReasonCode string

// Codes that the engine itself gives; those of parse errors come from package
// dockerfile, those of decisions from package strategy.
const (
	CodeIgnored  ReasonCode = "ignored"
	CodeAlready  ReasonCode = "already"
	CodeSyntax   ReasonCode = "syntax"
	CodeInternal ReasonCode = "internal"
)

package standin

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"dhibot/bot/standin/internal/gitdb"
)

// updateHook is what rulesets and permissions have to say in a push: git runs
// it once per reference. It is a shell script that reads verdicts prepared
// here; what depends on the pushed objects it asks git itself, which sees them
// while they are still in quarantine.
type updateHook struct {
	dir  string
	base gitdb.OID // what a new branch is compared with
}

// hookScript refuses a reference when a file named after it holds a reason.
// "creation", "deletion" and "always" are reasons by kind of update;
// "non_fast_forward" asks git.
const hookScript = `#!/bin/sh
ref=$1 old=$2 new=$3
[ -n "$STANDIN_RULES" ] || exit 0
zero=0000000000000000000000000000000000000000
key=$(printf %s "$ref" | sed 's,/,%,g')
refuse() {
	echo "error: GH013: Repository rule violations found for $ref." >&2
	echo "- $1" >&2
	exit 1
}
repo=$(pwd)
if [ -f "$STANDIN_RULES/no-workflows" ] && [ "$new" != $zero ]; then
	from=$old
	[ "$old" = $zero ] && from=$STANDIN_BASE
	[ -n "$from" ] || from=4b825dc642cb6eb9a060e54bf8d69288fbee4904
	file=$(git --git-dir="$repo" diff --name-only --diff-filter=d "$from" "$new" -- .github/workflows 2>/dev/null | head -n 1)
	if [ -n "$file" ]; then
		echo "refusing to allow a GitHub App to create or update workflow \` + "`" + `$file\` + "`" + ` without \` + "`" + `workflows\` + "`" + ` permission" >&2
		exit 1
	fi
fi
cd "$STANDIN_RULES" || exit 1
for f in *@*; do
	[ -f "$f" ] || continue
	pattern=${f#*@}
	case "$key" in
	$pattern) ;;
	*) continue ;;
	esac
	case "${f%%@*}" in
	*creation) [ "$old" = $zero ] && refuse "$(cat "$f")" ;;
	*deletion) [ "$new" = $zero ] && refuse "$(cat "$f")" ;;
	*update) [ "$old" != $zero ] && [ "$new" != $zero ] && refuse "$(cat "$f")" ;;
	*write) [ "$new" != $zero ] && refuse "$(cat "$f")" ;;
	*force) [ "$old" != $zero ] && [ "$new" != $zero ] && ! git --git-dir="$repo" merge-base --is-ancestor "$old" "$new" && refuse "$(cat "$f")" ;;
	esac
done
exit 0
`

// writeUpdateHook prepares hook and rules of a push.
func (r *Repository) writeUpdateHook(dir string, who actor) (*updateHook, error) {
	h := &updateHook{base: r.tip(r.defaultBranch)}
	noWorkflows := who.inst != nil && !who.token.grants("workflows:write")
	if len(r.rules) == 0 && !noWorkflows {
		return h, nil
	}
	rules, err := os.MkdirTemp(r.s.dir, "rules-")
	if err != nil {
		return nil, fmt.Errorf("rules of a push: %w", err)
	}
	h.dir = rules
	script := filepath.Join(dir, "hooks", "update")
	if err := os.MkdirAll(filepath.Dir(script), 0o755); err != nil {
		return h, err
	}
	if err := os.WriteFile(script, []byte(hookScript), 0o755); err != nil {
		return h, err
	}
	if noWorkflows {
		if err := os.WriteFile(filepath.Join(rules, "no-workflows"), nil, 0o644); err != nil {
			return h, err
		}
	}
	for n, b := range r.rules {
		kind, reason := "", ""
		switch b.rule.Type {
		case "creation":
			kind, reason = "creation", "Cannot create ref due to creations being restricted."
		case "deletion":
			kind, reason = "deletion", "Cannot delete this protected ref."
		case "update":
			kind, reason = "update", "Cannot update this protected ref."
		case "pull_request", "required_signatures":
			kind, reason = "write", map[string]string{
				"pull_request":        "Changes must be made through a pull request.",
				"required_signatures": "Commits must have verified signatures.",
			}[b.rule.Type]
		case "non_fast_forward":
			kind, reason = "force", "Cannot force-push to this branch"
		default:
			continue
		}
		pattern := strings.ReplaceAll("refs/heads/"+b.pattern, "/", "%")
		name := fmt.Sprintf("%03d%s@%s", n, kind, pattern)
		if err := os.WriteFile(filepath.Join(rules, name), []byte(reason), 0o644); err != nil {
			return h, err
		}
	}
	return h, nil
}

func (h *updateHook) env() []string {
	if h.dir == "" {
		return nil
	}
	return []string{"STANDIN_RULES=" + h.dir, "STANDIN_BASE=" + string(h.base)}
}

func (h *updateHook) close() {
	if h.dir != "" {
		_ = os.RemoveAll(h.dir)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

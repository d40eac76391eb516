// Package manifest is what the App asks GitHub for. app.yml, by which people
// register it, says the same with the reasons; a test holds them together.
package manifest

// Permissions are what the App may do, by GitHub's names: read or write.
func Permissions() map[string]string {
	return map[string]string{
		"metadata":      "read",
		"contents":      "write",
		"pull_requests": "write",
		"issues":        "write",
		"checks":        "write",
	}
}

// Events are the webhooks that the App subscribes to. Those about installations
// come unasked.
func Events() []string {
	return []string{"push", "pull_request", "issue_comment", "issues", "check_run", "repository"}
}

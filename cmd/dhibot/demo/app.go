package demo

// Permissions are those of app.yml; a test holds them together.
func Permissions() map[string]string {
	return map[string]string{
		"metadata":      "read",
		"contents":      "write",
		"pull_requests": "write",
		"issues":        "write",
		"checks":        "write",
	}
}

// Events are those of app.yml.
func Events() []string {
	return []string{"push", "pull_request", "issue_comment", "issues", "check_run", "repository"}
}

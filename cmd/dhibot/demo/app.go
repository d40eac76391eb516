package demo

// permissions are those of app.yml; a test holds them together.
func permissions() map[string]string {
	return map[string]string{
		"metadata":      "read",
		"contents":      "write",
		"pull_requests": "write",
		"issues":        "write",
		"checks":        "write",
	}
}

// events are those of app.yml.
func events() []string {
	return []string{"push", "pull_request", "issue_comment", "issues", "check_run", "repository"}
}

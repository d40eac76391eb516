package standin_test

import (
	"fmt"
	"strings"
	"testing"

	"dhibot/bot/standin"
)

// behaviour is one line of the conformance suite: what GitHub does, where that
// is written, and the call that shows it.
type behaviour struct {
	does   string // in words
	source string // page below docs.github.com, or an issue thread that shows it
	given  func(t *testing.T, w *world)
	who    string // see world.as; the App's installation by default
	call   string // "METHOD /path"
	body   string
	header []string
	status int
	says   string // part of the answer
	also   func(t *testing.T, w *world, a answer)
}

// TestConformance runs every line on a server of its own. All answers are
// checked against the OpenAPI description as well.
func TestConformance(t *testing.T) {
	t.Parallel()
	for family, lines := range map[string][]behaviour{
		"app": appBehaviours(), "repositories": repositoryBehaviours(), "git": gitBehaviours(), "refs": refBehaviours(), "contents": contentBehaviours(),
		"pulls": pullBehaviours(), "reviews": reviewBehaviours(), "talk": talkBehaviours(), "checks": checkBehaviours(), "general": generalBehaviours(), "search": searchBehaviours(),
	} {
		for _, b := range lines {
			t.Run(family+"/"+b.does, func(t *testing.T) {
				t.Parallel()
				if b.source == "" {
					t.Error("a behaviour needs its source")
				}
				w := newWorld(t)
				if b.given != nil {
					b.given(t, w)
				}
				a := w.call(t, b.who, b.call, b.body, b.header...)
				if a.Status != b.status || !strings.Contains(a.Body, b.says) {
					t.Errorf("%s\n%s: %d %.600s\nwant %d with %q", b.does, b.call, a.Status, a.Body, b.status, b.says)
				}
				if a.Status >= 400 && a.Status < 500 && (a.str("message") == "" || !strings.HasPrefix(a.str("documentation_url"), "https://docs.github.com/")) {
					t.Errorf("an error needs message and documentation_url: %s", a.Body)
				}
				if b.also != nil {
					b.also(t, w, a)
				}
			})
		}
	}
}

// is checks values of the answer by path.
func is(pairs ...any) func(*testing.T, *world, answer) {
	return func(t *testing.T, _ *world, a answer) {
		t.Helper()
		for i := 0; i+1 < len(pairs); i += 2 {
			path, _ := pairs[i].(string)
			want := pairs[i+1]
			if n, ok := want.(int); ok {
				want = float64(n)
			}
			if got := a.at(path); got != want {
				t.Errorf("%s is %v, want %v in %.600s", path, got, want, a.Body)
			}
		}
	}
}

func header(name, want string) func(*testing.T, *world, answer) {
	return func(t *testing.T, _ *world, a answer) {
		t.Helper()
		if got := a.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func appBehaviours() []behaviour {
	jwtWith := func(change map[string]any) func(*testing.T, *world) string {
		return func(t *testing.T, w *world) string {
			claims := map[string]any{"iat": now() - 30, "exp": now() + 120, "iss": w.app.ID()}
			for k, v := range change {
				if v == nil {
					delete(claims, k)
				} else {
					claims[k] = v
				}
			}
			return "Bearer " + jwt(t, w.app.Key(), claims)
		}
	}
	const jwtDoc = "apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app"
	bad := func(change map[string]any, status int, says string) behaviour {
		return behaviour{call: "GET /meta", status: 200, also: func(t *testing.T, w *world, _ answer) {
			a := send(t, jwtWith(change)(t, w), "GET", w.URL()+"/app", "")
			if a.Status != status || !strings.Contains(a.Body, says) {
				t.Errorf("%d %s, want %d with %q", a.Status, a.Body, status, says)
			}
		}, source: jwtDoc}
	}
	named := func(does string, b behaviour) behaviour { b.does = does; return b }
	const tokens = "rest/apps/apps#create-an-installation-access-token-for-an-app"
	return []behaviour{
		{does: "the App sees itself", source: "rest/apps/apps#get-the-authenticated-app", who: "app", call: "GET /app", status: 200, also: is("slug", "dhibot", "permissions.contents", "write", "permissions.metadata", "read", "installations_count", 1)},
		{does: "the App's endpoints refuse an installation token", source: "rest/apps/apps", call: "GET /app", status: 401, says: "A JSON web token could not be decoded"},
		{does: "the App's endpoints refuse nobody", source: "rest/apps/apps", who: "nobody", call: "GET /app", status: 401, says: "A JSON web token could not be decoded"},
		named("a JSON web token may not be valid for more than ten minutes", bad(map[string]any{"exp": now() + 700}, 401, "'Expiration time' claim ('exp') is too far in the future")),
		named("a JSON web token that ran out is refused", bad(map[string]any{"exp": now() - 5}, 401, "'Expiration time' claim ('exp') must be")),
		named("a JSON web token needs exp", bad(map[string]any{"exp": nil}, 401, "'Expiration time' claim ('exp') must be")),
		named("a JSON web token may not be issued in the future", bad(map[string]any{"iat": now() + 120}, 401, "'Issued at' claim ('iat') must be")),
		named("a JSON web token of an unknown App", bad(map[string]any{"iss": 999999}, 404, "Integration not found")),
		named("the issuer may be text", bad(map[string]any{"iss": "7001"}, 404, "Integration not found")),
		{does: "a JSON web token signed with another key", source: jwtDoc, call: "GET /meta", status: 200, also: func(t *testing.T, w *world, _ answer) {
			other, err := standin.GenerateKey()
			if err != nil {
				t.Fatal(err)
			}
			a := send(t, "Bearer "+jwt(t, other, map[string]any{"iat": now() - 30, "exp": now() + 60, "iss": w.app.ID()}), "GET", w.URL()+"/app", "")
			if a.Status != 401 || a.str("message") != "A JSON web token could not be decoded" {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}},
		{does: "a JSON web token does not open a repository", source: "apps/creating-github-apps/authenticating-with-a-github-app/about-authentication-with-a-github-app", who: "app", call: "GET {R}", status: 401, says: "Bad credentials"},
		{does: "installations are listed", source: "rest/apps/apps#list-installations-for-the-authenticated-app", who: "app", call: "GET /app/installations", status: 200, also: is("0.account.login", "acme", "0.repository_selection", "all", "0.suspended_at", nil)},
		{does: "one installation", source: "rest/apps/apps#get-an-installation-for-the-authenticated-app", who: "app", call: "GET /app/installations/{inst}", status: 200, also: is("app_slug", "dhibot", "target_type", "Organization")},
		{does: "an unknown installation", source: "rest/apps/apps", who: "app", call: "GET /app/installations/12345", status: 404, says: "Not Found"},
		{does: "the installation of a repository", source: "rest/apps/apps#get-a-repository-installation-for-the-authenticated-app", who: "app", call: "GET {R}/installation", status: 200, also: is("account.login", "acme")},
		{does: "the installation of an organisation", source: "rest/apps/apps#get-an-organization-installation-for-the-authenticated-app", who: "app", call: "GET /orgs/acme/installation", status: 200, also: is("account.login", "acme")},
		{does: "no installation on an account without the App", source: "rest/apps/apps#get-a-user-installation-for-the-authenticated-app", given: func(_ *testing.T, w *world) { w.AddUser("alice") }, who: "app", call: "GET /users/alice/installation", status: 404, says: "Not Found"},
		{does: "a token lives an hour", source: tokens, who: "app", call: "POST /app/installations/{inst}/access_tokens", status: 201, also: func(t *testing.T, _ *world, a answer) {
			if !strings.HasPrefix(a.str("token"), "ghs_") || a.str("repository_selection") != "all" || a.str("permissions.contents") != "write" {
				t.Error(a.Body)
			}
		}},
		{does: "a token narrowed to a repository and a permission", source: tokens, who: "app", call: "POST /app/installations/{inst}/access_tokens", body: `{"repositories":["shop"],"permissions":{"contents":"read"}}`, status: 201,
			also: is("repositories.0.full_name", "acme/shop", "permissions.contents", "read", "permissions.issues", nil, "repository_selection", "selected")},
		{does: "a token cannot have what was not granted", source: tokens, who: "app", call: "POST /app/installations/{inst}/access_tokens", body: `{"permissions":{"administration":"write"}}`, status: 422, says: "The permissions requested are not granted to this installation."},
		{does: "a token cannot have a level of its own invention", source: tokens, who: "app", call: "POST /app/installations/{inst}/access_tokens", body: `{"permissions":{"contents":"all"}}`, status: 422, says: "is not a possible value"},
		{does: "a token cannot reach another repository", source: tokens, who: "app", call: "POST /app/installations/{inst}/access_tokens", body: `{"repositories":["none"]}`, status: 422, says: "There is at least one repository that does not exist or is not accessible"},
		{does: "a suspended installation gets no token", source: "apps/maintaining-github-apps/suspending-a-github-app-installation", given: func(_ *testing.T, w *world) { w.inst.Suspend() }, who: "app", call: "POST /app/installations/{inst}/access_tokens", status: 403, says: "This installation has been suspended"},
		{does: "a suspended installation's tokens are refused", source: "apps/maintaining-github-apps/suspending-a-github-app-installation", given: func(_ *testing.T, w *world) { w.inst.Suspend() }, call: "GET {R}", status: 403, says: "This installation has been suspended"},
		{does: "an uninstalled App has no installation", source: "rest/apps/apps", given: func(_ *testing.T, w *world) { w.inst.Uninstall() }, who: "app", call: "POST /app/installations/{inst}/access_tokens", status: 404, says: "Not Found"},
		{does: "an uninstalled App's tokens are refused", source: "apps/using-github-apps/reviewing-and-modifying-installed-github-apps#uninstalling-a-github-app", given: func(_ *testing.T, w *world) { w.inst.Uninstall() }, call: "GET {R}", status: 401, says: "Bad credentials"},
		{does: "an expired token is refused", source: "apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app", call: "GET /meta", status: 200, also: func(t *testing.T, w *world, _ answer) {
			token := w.as(t, "bot")
			w.ExpireTokens()
			if a := send(t, token, "GET", w.URL()+"/repos/acme/shop", ""); a.Status != 401 || a.str("message") != "Bad credentials" {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}},
		{does: "a revoked token is refused", source: "rest/apps/installations#revoke-an-installation-access-token", call: "GET /meta", status: 200, also: func(t *testing.T, w *world, _ answer) {
			token := w.as(t, "bot")
			if a := send(t, token, "DELETE", w.URL()+"/installation/token", ""); a.Status != 204 {
				t.Fatal(a.Status)
			}
			if a := send(t, token, "GET", w.URL()+"/repos/acme/shop", ""); a.Status != 401 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}},
		{does: "the repositories of an installation", source: "rest/apps/installations#list-repositories-accessible-to-the-app-installation", call: "GET /installation/repositories", status: 200, also: is("total_count", 1, "repositories.0.full_name", "acme/shop")},
		{does: "an App uninstalls itself", source: "rest/apps/apps#delete-an-installation-for-the-authenticated-app", who: "app", call: "DELETE /app/installations/{inst}", status: 204},
		{does: "an unknown manifest code", source: "rest/apps/apps#create-a-github-app-from-a-manifest", who: "nobody", call: "POST /app-manifests/abc/conversions", status: 404, says: "Not Found"},
		{does: "a manifest code works once", source: "apps/sharing-github-apps/registering-a-github-app-from-a-manifest", call: "GET /meta", status: 200, also: func(t *testing.T, w *world, _ answer) {
			url := w.URL() + "/app-manifests/" + w.AddManifestCode(w.app) + "/conversions"
			if a := send(t, "", "POST", url, ""); a.Status != 201 || !strings.Contains(a.str("pem"), "RSA PRIVATE KEY") || a.str("webhook_secret") != "s3cret" {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			if a := send(t, "", "POST", url, ""); a.Status != 404 {
				t.Errorf("second: %d", a.Status)
			}
		}},
		{does: "the hook's address, its secret hidden", source: "rest/apps/webhooks#get-a-webhook-configuration-for-an-app", who: "app", call: "GET /app/hook/config", status: 200, also: is("content_type", "json", "secret", "********")},
		{does: "the hook's address can be changed", source: "rest/apps/webhooks#update-a-webhook-configuration-for-an-app", who: "app", call: "PATCH /app/hook/config", body: `{"url":"https://example.com/hook"}`, status: 200, also: is("url", "https://example.com/hook")},
		{does: "an unknown delivery", source: "rest/apps/webhooks#get-a-delivery-for-an-app-webhook", who: "app", call: "GET /app/hook/deliveries/4", status: 404, says: "Not Found"},
	}
}

func repositoryBehaviours() []behaviour {
	const repos = "rest/repos/repos#get-a-repository"
	secret := func(t *testing.T, w *world) {
		w.AddUser("elsewhere")
		if _, err := w.AddRepository("elsewhere", "secret", standin.Text(map[string]string{"a": "b"}), standin.Private()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.AddRepository("elsewhere", "open", standin.Text(map[string]string{"a": "b"})); err != nil {
			t.Fatal(err)
		}
	}
	const redirects = "rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects"
	renamed := func(t *testing.T, w *world) {
		if err := w.repo.Rename("alice", "store"); err != nil {
			t.Fatal(err)
		}
	}
	return []behaviour{
		{does: "a repository", source: repos, call: "GET {R}", status: 200, also: is("full_name", "acme/shop", "default_branch", "main", "private", false, "permissions.push", true, "archived", false)},
		{does: "names ignore case", source: repos, call: "GET /repos/ACME/Shop", status: 200, also: is("full_name", "acme/shop")},
		{does: "a repository by number", source: redirects, call: "GET /repositories/{id}", status: 200, also: is("full_name", "acme/shop")},
		{does: "what the installation cannot see is 404", source: "rest/using-the-rest-api/troubleshooting-the-rest-api#404-not-found-for-an-existing-resource", given: secret, call: "GET /repos/elsewhere/secret", status: 404, says: "Not Found"},
		{does: "a public repository elsewhere can be read", source: "rest/repos/repos#get-a-repository", given: secret, call: "GET /repos/elsewhere/open", status: 200, also: is("permissions.push", nil)},
		{does: "but not written", source: "rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible", given: secret, call: "POST /repos/elsewhere/open/issues", body: `{"title":"x"}`, status: 403, says: "Resource not accessible by integration"},
		{does: "a private repository is hidden from nobody in particular", source: repos, given: secret, who: "nobody", call: "GET /repos/elsewhere/secret", status: 404, says: "Not Found"},
		{does: "a token without the permission is 403", source: "rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible", who: "bot/contents:read", call: "POST {R}/git/blobs", body: `{"content":"x"}`, status: 403, says: "Resource not accessible by integration", also: header("X-Accepted-GitHub-Permissions", "contents=write")},
		{does: "a token for another repository does not write here", source: "rest/apps/apps#create-an-installation-access-token-for-an-app", call: "GET /meta", status: 200, also: func(t *testing.T, w *world, _ answer) {
			if _, err := w.AddRepository("acme", "other", standin.Text(map[string]string{"a": "b"})); err != nil {
				t.Fatal(err)
			}
			tok := send(t, w.as(t, "app"), "POST", fmt.Sprintf("%s/app/installations/%d/access_tokens", w.URL(), w.inst.ID()), `{"repositories":["other"]}`).str("token")
			if a := send(t, "token "+tok, "POST", w.URL()+"/repos/acme/shop/issues", `{"title":"x"}`); a.Status != 403 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}},
		{does: "a renamed repository answers 301 with its number", source: redirects, given: renamed, call: "GET {R}", status: 301, says: "Moved Permanently", also: header("Location", "/repositories/")},
		{does: "a renamed repository answers 307 to a write", source: redirects, given: renamed, call: "PATCH {R}", body: `{}`, status: 307, also: header("Location", "/repositories/")},
		{does: "deeper addresses move along", source: redirects, given: renamed, call: "GET {R}/issues?state=all", status: 301, also: header("Location", "/issues?state=all")},
		{does: "an archived repository is read-only", source: "repositories/archiving-a-github-repository/archiving-repositories", given: func(_ *testing.T, w *world) { w.repo.SetArchived("alice", true) }, call: "POST {R}/issues", body: `{"title":"x"}`, status: 403, says: "Repository was archived so is read-only."},
		{does: "an archived repository can be read", source: "repositories/archiving-a-github-repository/archiving-repositories", given: func(_ *testing.T, w *world) { w.repo.SetArchived("alice", true) }, call: "GET {R}/git/trees/main?recursive=1", status: 200},
		{does: "multi-select custom properties are arrays", source: "github.com/google/go-github/issues/3229", given: func(_ *testing.T, w *world) {
			w.repo.SetCustomProperties(map[string]any{"tier": "one", "teams": []string{"a", "b"}})
		}, call: "GET {R}", status: 200, also: is("custom_properties.teams.1", "b", "custom_properties.tier", "one")},
		{does: "branches", source: "rest/branches/branches#list-branches", call: "GET {R}/branches", status: 200, also: is("0.name", "main", "0.protected", false)},
		{does: "a branch with its commit", source: "rest/branches/branches#get-a-branch", call: "GET {R}/branches/main", status: 200, also: is("name", "main", "commit.commit.message", "Initial commit")},
		{does: "a branch with a slash", source: "rest/branches/branches#get-a-branch", given: func(t *testing.T, w *world) {
			if _, err := w.repo.Push("alice", "dhi/migrate", "x", standin.Text(map[string]string{"x": "y"})); err != nil {
				t.Fatal(err)
			}
		}, call: "GET {R}/branches/dhi/migrate", status: 200, also: is("name", "dhi/migrate")},
		{does: "no such branch", source: "rest/branches/branches#get-a-branch", call: "GET {R}/branches/none", status: 404, says: "Branch not found"},
		{does: "the rules of a branch", source: "rest/repos/rules#get-rules-for-a-branch", given: func(_ *testing.T, w *world) {
			w.repo.AddRule("dhi/*", standin.Rule{Type: "creation"})
			w.repo.AddRule("main", standin.Rule{Type: "merge_queue", Parameters: map[string]any{"merge_method": "MERGE"}})
		}, call: "GET {R}/rules/branches/dhi/migrate", status: 200, also: is("0.type", "creation", "1", nil)},
		{does: "maintain is shown as write", source: "rest/collaborators/collaborators#get-repository-permissions-for-a-user", given: func(t *testing.T, w *world) { must(t, w.repo.SetPermission("mia", "maintain")) }, call: "GET {R}/collaborators/mia/permission", status: 200, also: is("permission", "write", "role_name", "maintain")},
		{does: "triage is shown as read", source: "rest/collaborators/collaborators#get-repository-permissions-for-a-user", given: func(t *testing.T, w *world) { must(t, w.repo.SetPermission("tom", "triage")) }, call: "GET {R}/collaborators/tom/permission", status: 200, also: is("permission", "read", "role_name", "triage")},
		{does: "an organisation's owner is admin", source: "organizations/managing-peoples-access-to-your-organization-with-roles/roles-in-an-organization", given: func(_ *testing.T, w *world) { w.AddMember("acme", "boss", true) }, call: "GET {R}/collaborators/boss/permission", status: 200, also: is("permission", "admin")},
		{does: "an outsider reads a public repository", source: "rest/collaborators/collaborators#get-repository-permissions-for-a-user", given: func(_ *testing.T, w *world) { w.AddUser("eve") }, call: "GET {R}/collaborators/eve/permission", status: 200, also: is("permission", "read")},
		{does: "an outsider has none on a private one", source: "rest/collaborators/collaborators#get-repository-permissions-for-a-user", given: func(_ *testing.T, w *world) { w.AddUser("eve"); w.repo.SetPrivate("alice", true) }, call: "GET {R}/collaborators/eve/permission", status: 200, also: is("permission", "none")},
		{does: "an unknown person has no permission", source: "rest/collaborators/collaborators#get-repository-permissions-for-a-user", call: "GET {R}/collaborators/nobody-at-all/permission", status: 404, says: "Not Found"},
		{does: "collaborators", source: "rest/collaborators/collaborators#list-repository-collaborators", call: "GET {R}/collaborators", status: 200, also: is("0.login", "alice", "0.role_name", "write")},
		{does: "a collaborator is one", source: "rest/collaborators/collaborators#check-if-a-user-is-a-repository-collaborator", call: "GET {R}/collaborators/alice", status: 204},
		{does: "topics", source: "rest/repos/repos#get-all-repository-topics", call: "GET {R}/topics", status: 200, says: "names"},
		{does: "an admin may archive", source: "rest/repos/repos#update-a-repository", given: func(t *testing.T, w *world) { must(t, w.repo.SetPermission("ann", "admin")) }, who: "ann", call: "PATCH {R}", body: `{"archived":true}`, status: 200, also: is("archived", true)},
		{does: "the default branch must exist", source: "rest/repos/repos#update-a-repository", given: func(t *testing.T, w *world) { must(t, w.repo.SetPermission("ann", "admin")) }, who: "ann", call: "PATCH {R}", body: `{"default_branch":"none"}`, status: 422, says: "The branch none was not found."},
		{does: "a writer may not archive", source: "rest/repos/repos#update-a-repository", who: "alice", call: "PATCH {R}", body: `{"archived":true}`, status: 403},
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

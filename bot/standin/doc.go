// Package standin is a GitHub that runs without the internet: an http.Handler
// over real bare git repositories, for tests of GitHub Apps and for demos.
//
// Objects, diffs and merges are git's, clones and pushes work over smart HTTP,
// and a pull request's head follows its branch because there is only one place
// where it is written down. Answers are as strict as GitHub's: tokens expire,
// permissions are checked, second pull requests are refused. It needs the git
// program on PATH, 2.38 or newer.
//
// # A test in ten lines
//
//	gh, err := standin.New()                      // options: WithClock, WithLimits, WithSeed …
//	defer gh.Close()                              // stops everything, removes its files
//	_, err = gh.Listen("127.0.0.1:0")             // or httptest.NewServer(gh) and gh.SetBaseURL
//	gh.AddOrganization("acme")
//	repo, err := gh.AddRepository("acme", "shop", standin.Txtar(`
//	-- Dockerfile --
//	FROM node:23
//	`), standin.Collaborator("alice", "write"))
//	app, err := gh.AddApp(standin.AppConfig{Slug: "dhibot", Permissions: …, Events: …,
//		WebhookURL: bot.URL + "/api/github/webhooks", Secret: "s3cret"})
//	inst, err := app.Install("acme")              // all repositories, or named ones
//	n := repo.OpenIssue("alice", "Please", "")
//	id, err := repo.Comment("alice", n, "/dhi migrate")   // fires issue_comment
//	err = gh.Drain(ctx)                           // until every delivery was attempted
//
// Point API clients at [Server.APIURL] (the Enterprise form, …/api/v3/) or at
// [Server.URL] (the form of api.github.com); both serve the same. GraphQL is at
// /graphql and /api/graphql. App.ID, App.PrivateKeyPEM and Installation.ID are
// what ghinstallation takes; BaseURL there is the API address without the
// trailing slash. For a person, [Account.Token] is a token for clients and git.
//
// # Files
//
// [Text], [Txtar] and [FromFS] make [Files]; a [File] with Mode "100755" is
// executable, "120000" a symbolic link. AddRepository with nil Files makes an
// empty repository. [Repository.ReadFiles] reads a branch back, Push commits
// as a person, [Repository.CloneURL] is for git itself.
//
// # Time
//
// With WithClock the stand-in lives by a virtual clock: tokens expire and limits
// reset when the test moves it. ghinstallation dates its JSON web tokens with
// the real clock, so a test that moves the virtual one also gives
// WithJWTClock(time.Now), or uses [Server.ExpireTokens] instead of a clock.
//
// # What goes wrong
//
// [Server.AddFault] switches faults on: with a count, or with a probability
// from the source that WithSeed seeds, so that a failing run can be repeated;
// [Server.FaultHits] counts what struck. A running stand-in takes the same as
// JSON at POST /_standin/faults ({"kind":"secondary_limit","status":429,
// "count":3,"path":"/repos/*/pulls"}), DELETE takes them away.
//
// [Server.SwitchDeliveries] makes the webhook queue duplicate, delay, reorder,
// drop or hold. [Server.Redeliver] and the API redeliver with the same GUID,
// [Repository.AddHook] reports events a second time under other GUIDs,
// [App.Deliver] sends any event at all. [Repository.AddRule] adds rulesets,
// [Repository.SetQueued] puts a pull request into the merge queue,
// [Repository.SetCustomProperties] gives the multi-select properties that old
// clients cannot decode. [Installation.Suspend], Uninstall, SetPermissions,
// Exhaust, [Repository.Rename], Transfer, SetArchived and Delete are what owners
// do, with their events.
//
// Rate limits count as GitHub's do: the primary ones always, the secondary ones
// with WithLimits([StrictLimits]()), because a clock that stands still runs into
// eighty writes a minute at once.
//
// # Looking on
//
// [WithObserver] sees every API call and [WithDeliveryObserver] every delivery.
// Package contract, next to this one, checks both against GitHub's OpenAPI
// description:
//
//	spec, err := contract.Shared()
//	gh, err := standin.New(spec.Watch(t.Errorf)...)
//
// In a browser the base URL lists the repositories; pull requests and issues can
// be read and commented on as any user, private ones too: whoever runs a
// stand-in is its administrator. Nothing here is meant to face a network.
//
// # What it lacks
//
// Teams, milestones, releases, Actions, GraphQL mutations and introspection;
// drafts are made but never become ready, and a push requests no check suites.
// Signatures of commits are its own:
// "verified" means that this server made the commit. Searches know few
// qualifiers. Objects that were seeded are stored once for all repositories, so
// git (not the API) finds them from any of them, as within a network of forks.
// Limits that GitHub does not publish, such as what counts as creating content,
// follow its documentation as far as it goes.
//
// The tests named TestConformance list what it does, one line per behaviour with
// its source.
package standin

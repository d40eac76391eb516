package githubapi

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-github/v60/github"
)

// AppInfo is the App as GitHub knows it.
type AppInfo struct {
	ID   int64
	Slug string
	Name string
	// Owner is the account that owns the App.
	Owner User
}

// BotLogin is the login that the App's comments and pull requests carry.
func (i AppInfo) BotLogin() string { return i.Slug + "[bot]" }

// Self asks GitHub who we are: the check that id and key belong together.
func (a *App) Self(ctx context.Context) (AppInfo, error) {
	v, err := get[struct {
		ID    int64    `json:"id"`
		Slug  string   `json:"slug"`
		Name  string   `json:"name"`
		Owner *apiUser `json:"owner"`
	}](ctx, a.self, "get app", "app")
	if err != nil {
		return AppInfo{}, err
	}
	return AppInfo{ID: v.ID, Slug: v.Slug, Name: v.Name, Owner: v.Owner.user()}, nil
}

// InstallationInfo is an installation of the App.
type InstallationInfo struct {
	ID        int64
	Account   User
	Suspended bool
	// AllRepositories is false when it is installed on selected ones only.
	AllRepositories bool
	// Permissions are what was granted: contents -> write.
	Permissions map[string]string
	Events      []string
}

type apiInstallation struct {
	ID          int64             `json:"id"`
	Account     *apiUser          `json:"account"`
	SuspendedAt *time.Time        `json:"suspended_at"`
	Selection   string            `json:"repository_selection"`
	Permissions map[string]string `json:"permissions"`
	Events      []string          `json:"events"`
}

func (i apiInstallation) info() InstallationInfo {
	return InstallationInfo{
		ID: i.ID, Account: i.Account.user(), Suspended: i.SuspendedAt != nil, AllRepositories: i.Selection == "all",
		Permissions: i.Permissions, Events: i.Events,
	}
}

// InstallationOf finds the installation that covers a repository. ErrNotFound
// when the App is not installed there.
func (a *App) InstallationOf(ctx context.Context, owner, repo string) (int64, error) {
	path, err := Repo{Owner: owner, Name: repo}.path("installation")
	if err != nil {
		return 0, err
	}
	i, err := get[apiInstallation](ctx, a.self, "get installation of repository", path)
	return i.ID, err
}

// InstallationOn finds the installation on an account, an organisation or a
// user. ErrNotFound when the App is not installed there.
func (a *App) InstallationOn(ctx context.Context, login string) (InstallationInfo, error) {
	if !ownerPattern.MatchString(login) {
		return InstallationInfo{}, fmt.Errorf("%q is not an account's name", clip(login))
	}
	i, err := get[apiInstallation](ctx, a.self, "get installation of organisation", "orgs/"+login+"/installation")
	if errors.Is(err, ErrNotFound) {
		i, err = get[apiInstallation](ctx, a.self, "get installation of user", "users/"+login+"/installation")
	}
	return i.info(), err
}

// InstallationInfo reads one installation by its id. ErrNotFound when it is gone.
func (a *App) InstallationInfo(ctx context.Context, id int64) (InstallationInfo, error) {
	i, err := get[apiInstallation](ctx, a.self, "get installation", fmt.Sprintf("app/installations/%d", id))
	return i.info(), err
}

// Installations goes through all installations, 100 a call. It ends after the
// first error.
func (a *App) Installations(ctx context.Context) iter.Seq2[InstallationInfo, error] {
	return func(yield func(InstallationInfo, error) bool) {
		found, more, err := list[apiInstallation](ctx, a.self, "list installations", "app/installations")
		if err != nil {
			yield(InstallationInfo{}, err)
			return
		}
		for _, i := range found {
			if !yield(i.info(), nil) {
				return
			}
		}
		if more {
			yield(InstallationInfo{}, fmt.Errorf("listing installations: more than %d", len(found)))
		}
	}
}

// HookDelivery is one attempt of GitHub to deliver an event to us.
type HookDelivery struct {
	// ID names the attempt, GUID the event: a redelivery has a new ID and the
	// GUID of the first attempt.
	ID           int64
	GUID         string
	DeliveredAt  time.Time
	Redelivery   bool
	Status       string
	StatusCode   int
	Event        string
	Action       string
	Installation int64
	Repository   int64
}

// OK tells that we answered with success.
func (d HookDelivery) OK() bool { return d.StatusCode >= 200 && d.StatusCode < 300 }

type apiDelivery struct {
	ID           int64     `json:"id"`
	GUID         string    `json:"guid"`
	DeliveredAt  time.Time `json:"delivered_at"`
	Redelivery   bool      `json:"redelivery"`
	Status       string    `json:"status"`
	StatusCode   int       `json:"status_code"`
	Event        string    `json:"event"`
	Action       *string   `json:"action"`
	Installation *int64    `json:"installation_id"`
	Repository   *int64    `json:"repository_id"`
}

// Deliveries reads one page of the App's deliveries, youngest first. cursor ""
// starts; next "" ends. GitHub keeps them for three days.
func (a *App) Deliveries(ctx context.Context, cursor string) (page []HookDelivery, next string, err error) {
	path := "app/hook/deliveries?per_page=100"
	if cursor != "" {
		path += "&cursor=" + url.QueryEscape(cursor)
	}
	found, err := call(ctx, a.self, "list deliveries", reads, func(ctx context.Context, gh *github.Client) (v []apiDelivery, resp *github.Response, err error) {
		resp, err = send(ctx, gh, http.MethodGet, path, nil, &v)
		if err == nil {
			next = resp.Cursor
		}
		return v, resp, err
	})
	if err != nil {
		return nil, "", err
	}
	for _, d := range found {
		page = append(page, HookDelivery{
			ID: d.ID, GUID: d.GUID, DeliveredAt: d.DeliveredAt, Redelivery: d.Redelivery, Status: d.Status, StatusCode: d.StatusCode,
			Event: d.Event, Action: deref(d.Action), Installation: deref(d.Installation), Repository: deref(d.Repository),
		})
	}
	return page, next, nil
}

// Redeliver asks GitHub to deliver an attempt again.
func (a *App) Redeliver(ctx context.Context, id int64) error {
	_, err := call(ctx, a.self, "redeliver", touches, func(ctx context.Context, gh *github.Client) (none, *github.Response, error) {
		resp, err := send(ctx, gh, http.MethodPost, fmt.Sprintf("app/hook/deliveries/%d/attempts", id), nil, nil)
		if accepted := (*github.AcceptedError)(nil); errors.As(err, &accepted) {
			err = nil // GitHub answers 202, which go-github takes for a failure (trap T3)
		}
		return none{}, resp, err
	})
	return err
}

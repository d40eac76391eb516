package demo

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"dhibot/bot/manifest"
	"dhibot/bot/standin"
)

// StandinOptions are the choices for a stand-in without the App, against which
// other programs can be tested. Zero values are generated.
type StandinOptions struct {
	Listen string
	// Seed is a directory with OWNER/REPOSITORY/ trees, "" for the samples.
	Seed          string
	WebhookURL    string // "" delivers nothing
	WebhookSecret string
	AppID         int64
	Key           *rsa.PrivateKey
	KeyFile       string // where Key was read from
	Out           io.Writer
	Err           io.Writer // a line per delivery
}

// Serve runs the stand-in alone until ctx ends. What a program needs to connect
// is written to Out as NAME=value lines, as in an env file, and then a line
// that begins with "# ready".
func Serve(ctx context.Context, o StandinOptions) (err error) {
	hub, err := standin.New(standin.WithDeliveryObserver(func(d standin.Delivery) {
		// One call is one line: observers may run at the same time.
		fmt.Fprintf(o.Err, "%s %s %s: %s\n", d.Event, d.Action, d.GUID, deliveryResult(d))
	}))
	if err != nil {
		return fmt.Errorf("starting the GitHub stand-in: %w", err)
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	url, err := hub.Listen(o.Listen)
	if err != nil {
		return err
	}
	if o.Seed == "" {
		_, err = populate(hub)
	} else {
		err = seed(hub, o.Seed)
	}
	if err != nil {
		return err
	}
	if o.WebhookSecret == "" {
		o.WebhookSecret = rand.Text()
	}
	app, err := hub.AddApp(standin.AppConfig{ID: o.AppID, Slug: "dhibot", Name: "dhibot", Key: o.Key, Secret: o.WebhookSecret,
		Description: "Moves Dockerfiles to Docker Hardened Images", Permissions: manifest.Permissions(), Events: manifest.Events()})
	if err != nil {
		return fmt.Errorf("registering the App: %w", err)
	}
	if o.KeyFile == "" {
		dir, err := os.MkdirTemp("", "dhibot-standin-")
		if err != nil {
			return fmt.Errorf("making a place for the key: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		o.KeyFile = filepath.Join(dir, "app.private-key.pem")
		if err := os.WriteFile(o.KeyFile, app.PrivateKeyPEM(), 0o600); err != nil {
			return fmt.Errorf("writing the key: %w", err)
		}
	}
	app.SetWebhook(o.WebhookURL, o.WebhookSecret)
	human := hub.AddUser(person)
	fmt.Fprintf(o.Out, "STANDIN_URL=%s\nSTANDIN_USER=%s\nSTANDIN_TOKEN=%s\nSTANDIN_WEBHOOK_URL=%s\n"+
		"DHIBOT_GITHUB_API_URL=%s\nDHIBOT_APP_ID=%d\nDHIBOT_PRIVATE_KEY_FILE=%s\nDHIBOT_WEBHOOK_SECRET=%s\n",
		url, person, human.Token(), o.WebhookURL, hub.APIURL(), app.ID(), o.KeyFile, o.WebhookSecret)
	installed := map[string]bool{}
	for _, r := range hub.Repositories() {
		owner, _, _ := strings.Cut(r.FullName(), "/")
		if installed[owner] {
			continue
		}
		installed[owner] = true
		hub.AddMember(owner, person, true)
		i, err := app.Install(owner)
		if err != nil {
			return fmt.Errorf("installing the App on %s: %w", owner, err)
		}
		fmt.Fprintf(o.Out, "# installation %d on %s\n", i.ID(), owner)
	}
	fmt.Fprintf(o.Out, "# ready: %d repositories\n", len(hub.Repositories()))
	<-ctx.Done()
	return nil
}

func deliveryResult(d standin.Delivery) string {
	if d.Status == 0 {
		return d.Message
	}
	return fmt.Sprint(d.Status)
}

// seed makes a repository of every directory two levels below dir. A directory
// without files becomes an empty repository.
func seed(hub *standin.Server, dir string) error {
	owners, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the seed: %w", err)
	}
	found := 0
	for _, owner := range owners {
		if !owner.IsDir() || strings.HasPrefix(owner.Name(), ".") {
			continue
		}
		hub.AddOrganization(owner.Name())
		repositories, err := os.ReadDir(filepath.Join(dir, owner.Name()))
		if err != nil {
			return fmt.Errorf("reading the seed: %w", err)
		}
		for _, r := range repositories {
			if !r.IsDir() {
				continue
			}
			files, err := standin.FromFS(os.DirFS(filepath.Join(dir, owner.Name(), r.Name())))
			if err != nil {
				return fmt.Errorf("seeding %s/%s: %w", owner.Name(), r.Name(), err)
			}
			if _, err := hub.AddRepository(owner.Name(), r.Name(), files); err != nil {
				return fmt.Errorf("seeding %s/%s: %w", owner.Name(), r.Name(), err)
			}
			found++
		}
	}
	if found == 0 {
		return fmt.Errorf("seed %s: no OWNER/REPOSITORY directories in it", dir)
	}
	return nil
}

package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"dhibot/bot/registry"
)

// appFlags are who the App is and where GitHub is. All values are text here, so
// that everything that is wrong with them can be said in one message.
type appFlags struct {
	AppID          string `name:"app-id" env:"DHIBOT_APP_ID" help:"Number of the GitHub App." placeholder:"ID"`
	PrivateKey     string `env:"DHIBOT_PRIVATE_KEY" help:"Private key of the App, in PEM form. The environment or --private-key-file keeps it out of the process list." placeholder:"PEM"`
	PrivateKeyFile string `env:"DHIBOT_PRIVATE_KEY_FILE" help:"File with the private key. Earlier keys may follow the current one; by them old pull requests are still recognised." placeholder:"FILE"`
	APIURL         string `name:"github-api-url" env:"DHIBOT_GITHUB_API_URL" help:"GitHub's REST API (default: github.com's); https://HOST/api/v3 for an Enterprise Server." placeholder:"URL"`
}

// appSettings are the same, understood.
type appSettings struct {
	id     int64
	keys   []*rsa.PrivateKey
	apiURL string
}

func (f *appFlags) parse() (appSettings, error) {
	var s appSettings
	var wrong []error
	complain := func(setting, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf(setting+": "+format, args...))
	}
	switch id, err := strconv.ParseInt(f.AppID, 10, 64); {
	case f.AppID == "":
		complain("DHIBOT_APP_ID", "missing: the number of the GitHub App")
	case err != nil || id <= 0:
		complain("DHIBOT_APP_ID", "%q is not the number of an App", f.AppID)
	default:
		s.id = id
	}
	pemText, name := f.PrivateKey, "DHIBOT_PRIVATE_KEY"
	switch {
	case f.PrivateKey != "" && f.PrivateKeyFile != "":
		complain("DHIBOT_PRIVATE_KEY", "set together with DHIBOT_PRIVATE_KEY_FILE: one of them")
		pemText = ""
	case f.PrivateKeyFile != "":
		content, err := os.ReadFile(f.PrivateKeyFile)
		if err != nil {
			complain("DHIBOT_PRIVATE_KEY_FILE", "%w", err)
		}
		pemText, name = string(content), "DHIBOT_PRIVATE_KEY_FILE"
		if err == nil && pemText == "" {
			complain(name, "%s is empty", f.PrivateKeyFile)
		}
	case f.PrivateKey == "":
		complain("DHIBOT_PRIVATE_KEY", "missing: the private key of the App, or DHIBOT_PRIVATE_KEY_FILE")
	}
	if pemText != "" {
		keys, err := parseKeys(pemText)
		if err != nil {
			complain(name, "%w", err)
		}
		s.keys = keys
	}
	if f.APIURL != "" {
		if u, err := url.Parse(f.APIURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			complain("DHIBOT_GITHUB_API_URL", "%q is not an address such as https://HOST/api/v3", f.APIURL)
		}
		s.apiURL = f.APIURL
	}
	return s, errors.Join(wrong...)
}

// parseKeys reads RSA private keys in PEM form, PKCS#1 as GitHub hands them out
// or PKCS#8 as openssl writes them. Environments that cannot hold line breaks
// carry them as \n. No error quotes the text.
func parseKeys(text string) ([]*rsa.PrivateKey, error) {
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n")
	}
	var keys []*rsa.PrivateKey
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch block.Type {
		case "RSA PRIVATE KEY":
			key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("the private key cannot be read: %w", err)
			}
			keys = append(keys, key)
		case "PRIVATE KEY":
			any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("the private key cannot be read: %w", err)
			}
			key, ok := any.(*rsa.PrivateKey)
			if !ok {
				return nil, fmt.Errorf("the private key is a %T; GitHub Apps have RSA keys", any)
			}
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no private key in PEM form (-----BEGIN RSA PRIVATE KEY-----)")
	}
	return keys, nil
}

// databaseFlag is where deliveries are kept.
type databaseFlag struct {
	DatabaseURL string `env:"DHIBOT_DATABASE_URL" default:"sqlite:dhibot.db" help:"Where deliveries are kept: sqlite:FILE, or postgres://... when one machine is not enough." placeholder:"URL"`
}

func (f *databaseFlag) parse() error {
	scheme, rest, ok := strings.Cut(f.DatabaseURL, ":")
	switch {
	case ok && scheme == "sqlite" && rest != "":
		return nil
	case ok && (scheme == "postgres" || scheme == "postgresql"):
		// Not the address itself: it may hold a password.
		// A socket is named in the query: postgres:///DATABASE?host=/run/postgresql.
		if u, err := url.Parse(f.DatabaseURL); err != nil || u.Host == "" && u.Query().Get("host") == "" {
			return errors.New("DHIBOT_DATABASE_URL: not an address such as postgres://USER@HOST/DATABASE")
		}
		return nil
	}
	return errors.New("DHIBOT_DATABASE_URL: must begin with sqlite: or postgres://")
}

// registryFlag is whether registries are asked about images.
type registryFlag struct {
	RegistryCheck string `env:"DHIBOT_REGISTRY_CHECK" default:"auto" help:"Ask registries about images before a pull request moves to them: auto (those that the Docker configuration has a login for) or off." placeholder:"WHEN"`
}

// desk is what asks registries; nil when nothing is to be asked.
func (f *registryFlag) desk() (*registry.Desk, error) {
	switch f.RegistryCheck {
	case "auto":
		return registry.NewDesk(registry.New(), nil), nil
	case "off":
		return nil, nil
	}
	return nil, fmt.Errorf("DHIBOT_REGISTRY_CHECK: %q is neither auto nor off", f.RegistryCheck)
}

// logFlags are how the server logs.
type logFlags struct {
	LogLevel  string `env:"DHIBOT_LOG_LEVEL" default:"info" help:"trace, debug, info, warn or error." placeholder:"LEVEL"`
	LogFormat string `env:"DHIBOT_LOG_FORMAT" default:"json" help:"json or console." placeholder:"FORMAT"`
}

// logger makes the logger on w.
func (f *logFlags) logger(w io.Writer) (zerolog.Logger, error) {
	var wrong []error
	level, err := zerolog.ParseLevel(f.LogLevel)
	if err != nil || level < zerolog.TraceLevel || level > zerolog.ErrorLevel {
		wrong = append(wrong, fmt.Errorf("DHIBOT_LOG_LEVEL: unknown level %q: one of trace, debug, info, warn, error", f.LogLevel))
	}
	switch f.LogFormat {
	case "json":
	case "console":
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: !isTerminal(w)}
	default:
		wrong = append(wrong, fmt.Errorf("DHIBOT_LOG_FORMAT: unknown format %q: one of json, console", f.LogFormat))
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger(), errors.Join(wrong...)
}

// parseListen checks an address to listen on, such as :3000 or 127.0.0.1:3000.
func parseListen(setting, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: %q is not an address such as :3000 or 127.0.0.1:3000", setting, address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%s: %q is not a port", setting, port)
	}
	return nil
}

// parseSecrets reads the secrets of the webhook: several, separated by commas,
// while one is being replaced.
func parseSecrets(setting, text string) ([][]byte, error) {
	if text == "" {
		return nil, fmt.Errorf("%s: missing: the secret of the webhook", setting)
	}
	var secrets [][]byte
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			return nil, fmt.Errorf("%s: an empty secret would accept what anybody sends", setting)
		}
		secrets = append(secrets, []byte(part))
	}
	return secrets, nil
}

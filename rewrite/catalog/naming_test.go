package catalog

import "testing"

func TestNaming(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		naming Naming
		want   string
	}{
		{Naming{}, "dhi.io/golang"},
		{Naming{Registry: "registry.example.com"}, "registry.example.com/golang"},
		{Naming{Registry: "registry.example.com/dhi/"}, "registry.example.com/dhi/golang"},
		{Naming{Namespace: "acme"}, "acme/dhi-golang"},
		{Naming{Namespace: "<your-namespace>"}, "<your-namespace>/dhi-golang"},
		{Naming{Namespace: "acme", Registry: "docker.io"}, "acme/dhi-golang"},
		{Naming{Namespace: "acme", Registry: "registry.example.com:5000"}, "registry.example.com:5000/acme/dhi-golang"},
		{Naming{Namespace: "acme", Prefix: "hardened-"}, "acme/hardened-golang"},
		{Naming{Prefix: "x-"}, "dhi.io/x-golang"},
	} {
		got := tt.naming.Repository("golang")
		if got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.naming, got, tt.want)
		}
		if image, ok := tt.naming.Image(got); !ok || image != "golang" && tt.naming.Prefix == "" {
			t.Errorf("%+v: the image of %s is %q %t", tt.naming, got, image, ok)
		}
	}
	for repository, ok := range map[string]bool{
		"dhi.io/golang": true, "docker.io/acme/dhi-golang": true, "acme/dhi-golang": true,
		"acme/golang": false, "golang": false, "dhi.io/": false, "dhi.io/a/b": false, "acme/dhi-": false, "other/dhi-golang": false,
	} {
		if image, got := (Naming{Namespace: "acme"}).Image(repository); got != ok || ok && image != "golang" {
			t.Errorf("%s: %q %t, want %t", repository, image, got, ok)
		}
	}
}

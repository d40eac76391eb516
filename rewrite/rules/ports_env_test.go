package rules

import (
	"fmt"
	"testing"
)

func TestMovePorts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want, ports string }{
		{"ASPNETCORE_URLS", "http://+:80", "http://+:8080", "[80]"},
		{"ASPNETCORE_URLS", `"http://*:80;https://*:443"`, `"http://*:8080;https://*:8443"`, "[80 443]"},
		{"ASPNETCORE_URLS", "http://+:80/;http://+:5000", "http://+:8080/;http://+:5000", "[80]"},
		{"ASPNETCORE_URLS", "http://+", "http://+", "[]"},
		{"ASPNETCORE_URLS", "http://[::]:800", "http://[::]:8800", "[800]"},
		{"ASPNETCORE_URLS", "http://+:$PORT", "http://+:$PORT", "[]"},
		{"ASPNETCORE_URLS", "http://+:8080", "http://+:8080", "[]"},
		{"ASPNETCORE_HTTP_PORTS", "80;81", "8080;8081", "[80 81]"},
		{"ASPNETCORE_HTTP_PORTS", `"80"`, `"8080"`, "[80]"},
		{"PORT", "80", "8080", "[80]"},
		{"PORT", "3000", "3000", "[]"},
		{"PORT", "${P}", "${P}", "[]"},
		{"PORT", "99999999999999999999", "99999999999999999999", "[]"},
	} {
		got, ports := movePorts(tt.name, tt.value, unprivileged)
		if got != tt.want || fmt.Sprint(ports) != tt.ports {
			t.Errorf("%s=%s became %s %v, want %s %s", tt.name, tt.value, got, ports, tt.want, tt.ports)
		}
	}
}

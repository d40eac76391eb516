package project

import "testing"

func TestAllows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		d              Dialect
		text, version  string
		allowed, known bool
	}{
		{NPM, ">=18", "22.17.0", true, true},
		{NPM, ">= 18.0.0 < 21", "22.17.0", false, true},
		{NPM, "18.x", "22.17.0", false, true},
		{NPM, "18", "18.4.1", true, true},
		{NPM, "^18.12 || ^20 || ^22", "22.17.0", true, true},
		{NPM, "^18.12||^20", "22.17.0", false, true},
		{NPM, "~22.17", "22.17.9", true, true},
		{NPM, "~22.17", "22.18.0", false, true},
		{NPM, "18 - 20", "20.9.0", true, true},
		{NPM, "18 - 20", "22.1.0", false, true},
		{NPM, ">=16 <=20", "20.9.0", true, true},
		{NPM, ">20", "20.9.0", false, true},
		{NPM, "*", "22.0.0", true, true},
		{NPM, "lts/*", "22.0.0", false, false},
		{NPM, "", "22.0.0", true, true},
		{PEP440, ">=3.9,<3.12", "3.12.4", false, true},
		{PEP440, ">=3.9, <4", "3.12.4", true, true},
		{PEP440, "~=3.9", "3.12.4", true, true},
		{PEP440, "~=3.9.0", "3.12.4", false, true},
		{PEP440, "==3.9.*", "3.10.1", false, true},
		{PEP440, "^3.9", "3.14.0", true, true},
		{PEP440, "^3.9", "4.0.0", false, true},
		{PEP440, "3.9", "3.10.1", false, true},
		{PEP440, ">=3.9,!=3.10.*", "3.10.1", false, true},
		{PEP440, ">=3.9;x", "3.10.1", false, false},
		{Gem, "3.3.0", "3.3.10", false, true},
		{Gem, "~> 3.3.0", "3.3.10", true, true},
		{Gem, "~> 3.3", "3.4.1", true, true},
		{Gem, ">= 2.7", "3.4.1", true, true},
		{Gem, ">= 2.7, < 3.4", "3.4.1", false, true},
	} {
		allowed, known := Allows(tt.d, tt.text, tt.version)
		if known != tt.known || known && allowed != tt.allowed {
			t.Errorf("Allows(%d, %q, %s) = %v, %v, want %v, %v", tt.d, tt.text, tt.version, allowed, known, tt.allowed, tt.known)
		}
	}
}

package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"dhibot/rewrite/goldentest"

	invopop "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

const (
	schemaFile = "../../docs/dhi.schema.json"
	docsFile   = "../../docs/configuration.md"
)

// schema is the JSON schema of the settings, from the struct and the keys.
func schema() ([]byte, error) {
	r := invopop.Reflector{
		FieldNameTag:               "yaml",
		Anonymous:                  true,
		DoNotReference:             true,
		RequiredFromJSONSchemaTags: true,
		LookupComment: func(_ reflect.Type, field string) string {
			f, ok := reflect.TypeFor[Config]().FieldByName(field)
			if !ok {
				return "Settings of dhibot: " + Path
			}
			k, _ := find(f.Tag.Get("yaml"))
			return k.doc
		},
	}
	s := r.Reflect(Config{})
	s.Title = "dhibot settings"
	for _, k := range keys() {
		p, _ := s.Properties.Get(k.name)
		for _, c := range k.choices {
			p.Enum = append(p.Enum, c)
		}
		if k.bounds[1] > 0 {
			p.Minimum, p.Maximum = json.Number(strconv.Itoa(k.bounds[0])), json.Number(strconv.Itoa(k.bounds[1]))
		}
		if k.name == "first_wave" {
			// Either of two types, which reflection cannot know.
			one := uint64(1)
			s.Properties.Set(k.name, &invopop.Schema{Description: p.Description, OneOf: []*invopop.Schema{
				{Type: "string", Pattern: wavePattern},
				{Type: "array", Items: &invopop.Schema{Type: "string"}, MinItems: &one},
			}})
		}
		if p.Items != nil && k.name == "lock" {
			for _, name := range names() {
				if other, _ := find(name); !other.orgOnly {
					p.Items.Enum = append(p.Items.Enum, name)
				}
			}
		}
	}
	// An encoder, because the texts are for people: no \u003c.
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(s)
	return b.Bytes(), err
}

func TestGenerated(t *testing.T) {
	sch, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	goldentest.Check(t, schemaFile, string(sch))
	goldentest.Check(t, docsFile, Docs())
	if strings.Contains(Docs(), "(unreadable)") || strings.Contains(Docs(), "<nil>") {
		t.Error("a default could not be read")
	}
}

// TestSchemaAgrees holds that the schema and the reader say the same about
// files that only differ in what a schema can express.
func TestSchemaAgrees(t *testing.T) {
	t.Parallel()
	raw, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("dhi.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("dhi.json")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{
		"{}": true, "speed: fast": false, "mode: always": false, "mode: [open]": false, "ignore: x": false,
		"ignore: [x]": true, "ignore: [[x]]": false, "images: {a: b}": true, "images: [a]": false, "images: {a: [b]}": false,
		"lock: [mode]": true, "lock: [speed]": false, "lock: [lock]": false, "- mode": false,
		"org_per_hour: 1": true, "org_per_hour: 100": true, "org_per_hour: 0": false, "org_per_hour: 101": false, "org_per_hour: '5'": false, "org_open: 1.5": false,
		"first_wave: none": true, "first_wave: 100%": true, "first_wave: 0%": false, "first_wave: 101%": false, "first_wave: 10": false,
		"first_wave: [a]": true, "first_wave: []": false, "first_wave: [[a]]": false, "first_wave: {a: b}": false, "lock: [org_open]": false,
	}
	for _, k := range keys() {
		files[k.line()] = true
	}
	for file, good := range files {
		var value any
		if err := yaml.Load([]byte(file), &value); err != nil {
			t.Fatal(err)
		}
		asJSON, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(instance); (err == nil) != good {
			t.Errorf("schema: %s: %v", file, err)
		}
		if _, problems := resolve(file, ""); (len(problems) == 0) != good {
			t.Errorf("reader: %s: %v", file, problems)
		}
	}
}

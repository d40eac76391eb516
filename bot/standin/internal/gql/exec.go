package gql

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Schema is the types by name; "Query" is the root.
type Schema map[string]*Type

// Type is an object or an interface.
type Type struct {
	Fields map[string]Field
	// Possible are the concrete types of an interface or union.
	Possible []string
	// Enter is called before the fields of a value are resolved; what it
	// returns is called afterwards.
	Enter func(ctx context.Context, value any) (leave func())
}

// Field is a field of a type. Type is the name of the result's type, "" for a
// scalar; List for a list of them.
type Field struct {
	Type    string
	List    bool
	Args    []string // names of the arguments it takes
	Resolve func(ctx context.Context, value any, args Args) (any, error)
}

// Object is a resolved value of an interface, with its concrete type.
type Object struct {
	Type  string
	Value any
}

// Args are the evaluated arguments of a field.
type Args map[string]any

// String returns a string (or enum) argument, "" without one.
func (a Args) String(name string) string {
	switch v := a[name].(type) {
	case string:
		return v
	case Enum:
		return string(v)
	}
	return ""
}

// Int returns an integer argument.
func (a Args) Int(name string) (int, bool) {
	switch v := a[name].(type) {
	case int64:
		return int(v), true
	case float64:
		return int(v), v == math.Trunc(v)
	case json.Number:
		n, err := v.Int64()
		return int(n), err == nil
	}
	return 0, false
}

// Strings returns a list argument; one value is a list of one.
func (a Args) Strings(name string) []string {
	list, ok := a[name].([]any)
	if !ok {
		if a[name] == nil {
			return nil
		}
		list = []any{a[name]}
	}
	var out []string
	for _, v := range list {
		switch s := v.(type) {
		case string:
			out = append(out, s)
		case Enum:
			out = append(out, string(s))
		}
	}
	return out
}

// Error is one entry of errors[].
type Error struct {
	Type       string         `json:"type,omitempty"`
	Message    string         `json:"message"`
	Path       []any          `json:"path,omitempty"`
	Locations  []Position     `json:"locations,omitempty"`
	Extensions map[string]any `json:"extensions,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// Answer is what goes back; Data is nil when nothing was executed.
type Answer struct {
	Data   map[string]any
	Errors []*Error
	Nodes  int // how many nodes the connections asked for, for the price
}

// Run parses, validates and executes a query.
func (s Schema) Run(ctx context.Context, query, operation string, variables map[string]any, root any) Answer {
	doc, err := Parse(query)
	if err != nil {
		e := &Error{Message: err.Error()}
		if syn, ok := err.(*SyntaxError); ok { //nolint:errorlint // Parse returns it bare
			e.Locations = []Position{syn.At}
		}
		return Answer{Errors: []*Error{e}}
	}
	op := doc.Operations[0]
	for _, o := range doc.Operations {
		if operation != "" && o.Name == operation {
			op = o
		}
	}
	if operation != "" && op.Name != operation || operation == "" && len(doc.Operations) > 1 {
		return Answer{Errors: []*Error{{Message: "An operation name is required"}}}
	}
	if op.Kind != "query" {
		return Answer{Errors: []*Error{{Message: "Schema is not configured for " + op.Kind + "s", Locations: []Position{op.At}}}}
	}
	x := &execution{schema: s, doc: doc, vars: map[string]any{}}
	for _, v := range op.Variables {
		value, ok := variables[v.Name]
		switch {
		case ok:
			x.vars[v.Name] = value
		case v.HasValue:
			x.vars[v.Name] = x.eval(v.Default)
		case strings.HasSuffix(v.Type, "!"):
			x.errors = append(x.errors, &Error{Message: fmt.Sprintf("Variable $%s of type %s was provided invalid value", v.Name, v.Type), Locations: []Position{op.At},
				Extensions: map[string]any{"value": nil, "problems": []any{map[string]any{"path": []any{}, "explanation": "Expected value to not be null"}}}})
		}
		x.declared = append(x.declared, v.Name)
	}
	x.validate("Query", op.Select, []any{"query"}, 0)
	if len(x.errors) > 0 {
		return Answer{Errors: x.errors}
	}
	data := x.object(ctx, "Query", root, op.Select, nil)
	return Answer{Data: data, Errors: x.errors, Nodes: x.nodes}
}

type execution struct {
	schema   Schema
	doc      *Document
	vars     map[string]any
	declared []string
	errors   []*Error
	nodes    int
	looked   int // selections validated, to bound fragments that multiply
}

// maxSelections bounds what fragments may expand to.
const maxSelections = 50_000

// validate reports fields, fragments, arguments and variables that do not
// exist, before anything runs, as GitHub does.
func (x *execution) validate(typeName string, list []Selection, path []any, depth int) {
	t := x.schema[typeName]
	if depth > maxDepth || t == nil {
		x.errors = append(x.errors, &Error{Message: "Query is nested too deeply"})
		return
	}
	for _, s := range list {
		if x.looked++; x.looked > maxSelections {
			if x.looked == maxSelections+1 {
				x.errors = append(x.errors, &Error{Type: "MAX_NODE_LIMIT_EXCEEDED", Message: "Query has too many selections"})
			}
			return
		}
		at := []Position{s.At}
		switch {
		case s.Spread != "":
			f := x.doc.Fragments[s.Spread]
			if f == nil {
				x.errors = append(x.errors, &Error{Message: "Fragment " + s.Spread + " was used, but not defined", Path: append(slices.Clone(path), "... "+s.Spread), Locations: at})
				continue
			}
			x.fragment(typeName, f.On, f.Select, path, at, depth)
		case s.Field == "":
			on := s.On
			if on == "" {
				on = typeName
			}
			x.fragment(typeName, on, s.Select, append(slices.Clone(path), "... on "+on), at, depth)
		case s.Field == "__typename":
		default:
			here := append(slices.Clone(path), s.Key())
			f, ok := t.Fields[s.Field]
			if !ok {
				x.errors = append(x.errors, &Error{
					Message: fmt.Sprintf("Field '%s' doesn't exist on type '%s'", s.Field, typeName), Path: here, Locations: at,
					Extensions: map[string]any{"code": "undefinedField", "typeName": typeName, "fieldName": s.Field},
				})
				continue
			}
			for a, v := range s.Args {
				if !slices.Contains(f.Args, a) {
					x.errors = append(x.errors, &Error{
						Message: fmt.Sprintf("Field '%s' doesn't accept argument '%s'", s.Field, a), Path: append(here, a), Locations: at,
						Extensions: map[string]any{"code": "argumentNotAccepted", "name": s.Field, "typeName": "Field", "argumentName": a},
					})
				}
				x.checkVars(v, here, at)
			}
			switch {
			case f.Type == "" && s.Select != nil:
				x.errors = append(x.errors, &Error{Message: fmt.Sprintf("Selections can't be made on scalars (field '%s' returns a scalar but has selections)", s.Field), Path: here, Locations: at})
			case f.Type != "" && s.Select == nil:
				x.errors = append(x.errors, &Error{Message: fmt.Sprintf("Field must have selections (field '%s' returns %s but has no selections. Did you mean '%s { ... }'?)", s.Field, f.Type, s.Field), Path: here, Locations: at,
					Extensions: map[string]any{"code": "selectionMismatch"}})
			case f.Type != "":
				x.validate(f.Type, s.Select, here, depth+1)
			}
		}
	}
}

func (x *execution) fragment(typeName, on string, list []Selection, path []any, at []Position, depth int) {
	t := x.schema[on]
	if t == nil {
		x.errors = append(x.errors, &Error{Message: fmt.Sprintf("No such type %s, so it can't be a fragment condition", on), Path: path, Locations: at,
			Extensions: map[string]any{"code": "undefinedType", "typeName": on}})
		return
	}
	if on != typeName && !slices.Contains(x.schema[typeName].Possible, on) && !slices.Contains(t.Possible, typeName) {
		x.errors = append(x.errors, &Error{Message: fmt.Sprintf("Fragment on %s can't be spread inside %s", on, typeName), Path: path, Locations: at})
		return
	}
	x.validate(on, list, path, depth+1)
}

func (x *execution) checkVars(v Value, path []any, at []Position) {
	switch v := v.(type) {
	case Var:
		if !slices.Contains(x.declared, string(v)) {
			x.errors = append(x.errors, &Error{Message: "Variable $" + string(v) + " is used by anonymous query but not declared", Path: path, Locations: at,
				Extensions: map[string]any{"code": "variableNotDefined", "variableName": string(v)}})
		}
	case []Value:
		for _, e := range v {
			x.checkVars(e, path, at)
		}
	case map[string]Value:
		for _, e := range v {
			x.checkVars(e, path, at)
		}
	}
}

// eval turns a literal into a plain value.
func (x *execution) eval(v Value) any {
	switch v := v.(type) {
	case Var:
		return x.vars[string(v)]
	case []Value:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = x.eval(e)
		}
		return out
	case map[string]Value:
		out := map[string]any{}
		for k, e := range v {
			out[k] = x.eval(e)
		}
		return out
	}
	return v
}

// skipped applies @include and @skip.
func (x *execution) skipped(s Selection) bool {
	if d, ok := s.Directives["skip"]; ok && x.eval(d["if"]) == true {
		return true
	}
	d, ok := s.Directives["include"]
	return ok && x.eval(d["if"]) != true
}

// object resolves the selected fields of one value.
func (x *execution) object(ctx context.Context, typeName string, value any, list []Selection, path []any) map[string]any {
	t := x.schema[typeName]
	if t.Enter != nil {
		defer t.Enter(ctx, value)()
	}
	out := map[string]any{}
	x.fields(ctx, typeName, value, list, path, out)
	return out
}

func (x *execution) fields(ctx context.Context, typeName string, value any, list []Selection, path []any, out map[string]any) {
	t := x.schema[typeName]
	for _, s := range list {
		if x.skipped(s) || ctx.Err() != nil {
			continue
		}
		switch {
		case s.Spread != "":
			f := x.doc.Fragments[s.Spread]
			if x.applies(typeName, f.On) {
				x.fields(ctx, typeName, value, f.Select, path, out)
			}
		case s.Field == "":
			if s.On == "" || x.applies(typeName, s.On) {
				x.fields(ctx, typeName, value, s.Select, path, out)
			}
		case s.Field == "__typename":
			out[s.Key()] = typeName
		default:
			here := append(slices.Clone(path), s.Key())
			x.field(ctx, t.Fields[s.Field], value, s, here, out)
		}
	}
}

func (x *execution) applies(typeName, on string) bool {
	return on == typeName || slices.Contains(x.schema[on].Possible, typeName)
}

func (x *execution) field(ctx context.Context, f Field, value any, s Selection, path []any, out map[string]any) {
	args := Args{}
	for k, v := range s.Args {
		args[k] = x.eval(v)
	}
	got, err := f.Resolve(ctx, value, args)
	if err != nil {
		x.report(err, path, s.At)
	}
	result := x.complete(ctx, f, got, s, path)
	// The same field selected twice is merged, as in a fragment and outside.
	if have, ok := out[s.Key()].(map[string]any); ok {
		if more, ok := result.(map[string]any); ok {
			for k, v := range more {
				have[k] = v
			}
			return
		}
	}
	out[s.Key()] = result
}

func (x *execution) report(err error, path []any, at Position) {
	e, ok := err.(*Error) //nolint:errorlint // resolvers return it bare
	if !ok {
		e = &Error{Message: "Something went wrong while executing your query: " + err.Error()}
	}
	c := *e
	if c.Path == nil {
		c.Path = path
	} else {
		c.Path = append(slices.Clone(path), c.Path...)
	}
	c.Locations = []Position{at}
	x.errors = append(x.errors, &c)
}

func (x *execution) complete(ctx context.Context, f Field, got any, s Selection, path []any) any {
	if isNil(got) {
		return nil
	}
	if f.Type == "" {
		return got
	}
	if f.List {
		items, ok := got.([]any)
		if !ok {
			return nil
		}
		x.nodes += len(items)
		out := make([]any, len(items))
		for i, item := range items {
			at := append(slices.Clone(path), i)
			if e, ok := item.(*Error); ok { // an item of its own that failed
				x.report(e, at, s.At)
				continue
			}
			if !isNil(item) {
				out[i] = x.one(ctx, f.Type, item, s.Select, at)
			}
		}
		return out
	}
	return x.one(ctx, f.Type, got, s.Select, path)
}

func (x *execution) one(ctx context.Context, typeName string, value any, list []Selection, path []any) any {
	if o, ok := value.(Object); ok {
		typeName, value = o.Type, o.Value
	}
	return x.object(ctx, typeName, value, list, path)
}

func isNil(v any) bool {
	if v == nil {
		return true
	}
	o, ok := v.(Object)
	return ok && o.Value == nil
}

// Page is what a connection resolves to.
type Page struct {
	Items []any
	Total int
	From  int // of the first item among all
}

// Paginate cuts a list as first, after, last and before say. GitHub insists on
// first or last and allows at most 100.
func Paginate(field string, all []any, args Args) (*Page, error) {
	first, hasFirst := args.Int("first")
	last, hasLast := args.Int("last")
	if !hasFirst && !hasLast {
		return nil, &Error{Type: "MISSING_PAGINATION_BOUNDARIES", Message: fmt.Sprintf("You must provide a `first` or `last` value to properly paginate the `%s` connection.", field)}
	}
	for name, n := range map[string]int{"first": first, "last": last} {
		if n > 100 {
			return nil, &Error{Type: "EXCESSIVE_PAGINATION", Message: fmt.Sprintf("Requesting %d records on the `%s` connection exceeds the `%s` limit of 100 records.", n, field, name)}
		}
		if n < 0 {
			return nil, &Error{Type: "INVALID_PAGINATION_BOUNDARIES", Message: fmt.Sprintf("`%s` on the `%s` connection cannot be less than zero.", name, field)}
		}
	}
	from, to := 0, len(all)
	if c := args.String("after"); c != "" {
		n, err := parseCursor(c)
		if err != nil {
			return nil, &Error{Type: "INVALID_CURSOR_ARGUMENTS", Message: fmt.Sprintf("`%s` does not appear to be a valid cursor.", c)}
		}
		from = min(n, to)
	}
	if c := args.String("before"); c != "" {
		n, err := parseCursor(c)
		if err != nil {
			return nil, &Error{Type: "INVALID_CURSOR_ARGUMENTS", Message: fmt.Sprintf("`%s` does not appear to be a valid cursor.", c)}
		}
		to = max(from, min(n-1, to))
	}
	if hasFirst {
		to = min(to, from+first)
	}
	if hasLast {
		from = max(from, to-last)
	}
	return &Page{Items: all[from:to], Total: len(all), From: from}, nil
}

// Cursor names the item with this number, counted from 1.
func Cursor(n int) string { return "Y3Vyc29yOjE" + strconv.Itoa(n) }

func parseCursor(s string) (int, error) { return strconv.Atoi(strings.TrimPrefix(s, "Y3Vyc29yOjE")) }

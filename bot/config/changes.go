package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Change is a key that has another value.
type Change struct {
	Key      string
	Was, Now string // as text; "" for no value
}

// Changes are the keys in which two settings differ, in the order of the
// documentation.
func Changes(was, now Config) []Change {
	var list []Change
	a, b := reflect.ValueOf(was), reflect.ValueOf(now)
	for _, name := range names() {
		for i := range a.NumField() {
			tag, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("yaml"), ",")
			if tag != name {
				continue
			}
			if x, y := text(a.Field(i)), text(b.Field(i)); x != y {
				list = append(list, Change{Key: name, Was: x, Now: y})
			}
		}
	}
	return list
}

// text shows a value; what is listed is in the order in which it stands, what is
// mapped in the order of its keys.
func text(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
		var words []string
		for i := range v.Len() {
			words = append(words, fmt.Sprint(v.Index(i)))
		}
		return strings.Join(words, ", ")
	case reflect.Map:
		var words []string
		for _, k := range v.MapKeys() {
			words = append(words, fmt.Sprintf("%v: %v", k, v.MapIndex(k)))
		}
		slices.Sort(words)
		return strings.Join(words, ", ")
	}
	return fmt.Sprint(v.Interface())
}

package project

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
)

// bake reads docker-bake.hcl and docker-bake.json. Only literal values count.
func (s *search) bake(file, content string) {
	if strings.HasSuffix(file, ".json") {
		s.bakeJSON(file, content)
		return
	}
	targets := bakeTargets(content)
	for _, t := range targets {
		if strings.HasPrefix(t.name, "_") {
			continue // by convention only inherited from
		}
		t = t.inherit(targets, 0)
		b := Build{Kind: "bake", Name: t.name, Evidence: Evidence{file, t.line}, Context: t.values["context"], Dockerfile: t.values["dockerfile"], Target: t.values["target"], Args: t.args}
		for _, tag := range t.tags {
			if img := imageName(tag); img != "" {
				b.Images = append(b.Images, img)
			}
		}
		for i := range b.Args {
			b.Args[i].At.Path = file
		}
		s.add(b, path.Dir(file), true)
	}
}

type bakeTarget struct {
	name     string
	line     int
	values   map[string]string
	args     []Setting
	tags     []string
	inherits []string
}

// inherit fills in what the target takes from others.
func (t bakeTarget) inherit(all []bakeTarget, depth int) bakeTarget {
	if depth > 8 {
		return t
	}
	values := map[string]string{}
	for _, name := range t.inherits {
		for _, o := range all {
			if o.name != name {
				continue
			}
			o = o.inherit(all, depth+1)
			for k, v := range o.values {
				values[k] = v
			}
			t.args = append(slices.Clone(o.args), t.args...)
		}
	}
	for k, v := range t.values {
		values[k] = v
	}
	t.values = values
	return t
}

var (
	bakeHead   = regexp.MustCompile(`^\s*(target|group|variable|function)\s+"([^"]*)"\s*\{`)
	bakeString = regexp.MustCompile(`^\s*"?([A-Za-z_][\w-]*)"?\s*[=:]\s*"([^"]*)"`)
	bakeList   = regexp.MustCompile(`^\s*([A-Za-z_][\w-]*)\s*=\s*\[(.*)$`)
	bakeItem   = regexp.MustCompile(`"([^"]*)"`)
	bakeMap    = regexp.MustCompile(`^\s*(args|contexts|labels)\s*=\s*\{`)
)

// bakeTargets reads the target blocks line by line: HCL is written one
// attribute per line.
func bakeTargets(content string) []bakeTarget {
	var out []bakeTarget
	var cur *bakeTarget
	depth, inArgs := 0, false
	list := ""
	for i, line := range strings.Split(content, "\n") {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, "//") {
			continue
		}
		if depth == 0 {
			if m := bakeHead.FindStringSubmatch(line); m != nil && m[1] == "target" && len(out) < 500 {
				out = append(out, bakeTarget{name: m[2], line: i + 1, values: map[string]string{}})
				cur = &out[len(out)-1]
			} else {
				cur = nil
			}
		} else if cur != nil {
			switch m := bakeString.FindStringSubmatch(line); {
			case list != "":
				cur.list(list, line)
				if strings.Contains(line, "]") {
					list = ""
				}
			case bakeMap.MatchString(line):
				inArgs = strings.Contains(strings.SplitN(line, "=", 2)[0], "args")
			case m != nil && depth == 1:
				cur.values[m[1]] = m[2]
			case m != nil && inArgs:
				cur.args = append(cur.args, Setting{Name: m[1], Value: m[2], At: Evidence{Line: i + 1}})
			default:
				if l := bakeList.FindStringSubmatch(line); l != nil && depth == 1 {
					cur.list(l[1], l[2])
					if !strings.Contains(l[2], "]") {
						list = l[1]
					}
				}
			}
		}
		bare := stripStrings(line)
		depth = max(0, depth+strings.Count(bare, "{")-strings.Count(bare, "}"))
		if depth <= 1 {
			inArgs = false
		}
	}
	return out
}

// stripStrings drops quoted strings, whose braces do not count.
func stripStrings(line string) string {
	var b strings.Builder
	in := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && in:
			i++
		case line[i] == '"':
			in = !in
		case !in:
			b.WriteByte(line[i])
		}
	}
	return b.String()
}

func (t *bakeTarget) list(name, text string) {
	for _, m := range bakeItem.FindAllStringSubmatch(text, 50) {
		switch name {
		case "tags":
			t.tags = append(t.tags, m[1])
		case "inherits":
			t.inherits = append(t.inherits, m[1])
		}
	}
}

func (s *search) bakeJSON(file, content string) {
	var doc struct {
		Target map[string]struct {
			Context, Dockerfile, Target string
			Args                        map[string]string
			Tags                        []string
		}
	}
	if json.Unmarshal([]byte(content), &doc) != nil {
		return
	}
	lines := jsonLines(content)
	names := make([]string, 0, len(doc.Target))
	for n := range doc.Target {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		t := doc.Target[n]
		b := Build{Kind: "bake", Name: n, Evidence: Evidence{file, lineOf(content, `"`+n+`"`)}, Context: t.Context, Dockerfile: t.Dockerfile, Target: t.Target}
		for k, v := range t.Args {
			b.Args = append(b.Args, Setting{Name: k, Value: v, At: Evidence{file, lines[jsonKey("target", n, "args", k)]}})
		}
		slices.SortFunc(b.Args, func(a, c Setting) int { return strings.Compare(a.Name, c.Name) })
		for _, tag := range t.Tags {
			if img := imageName(tag); img != "" {
				b.Images = append(b.Images, img)
			}
		}
		s.add(b, path.Dir(file), true)
	}
}

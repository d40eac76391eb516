package project

import (
	"encoding/xml"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Java is a Maven or Gradle project of the build context.
type Java struct {
	// Tool is maven or gradle; Wrapper says that mvnw or gradlew is there.
	Tool    string
	Wrapper bool
	// File is pom.xml or build.gradle(.kts), from the root.
	File string
	// Version is the Java version that is compiled for, as written without
	// "1.": "8", "17", "21"; "" when it is not literal.
	Version   string
	VersionAt Evidence
	// Packaging is jar, war, pom or ""; SpringBoot says that the Spring Boot
	// plugin makes an executable archive.
	Packaging  string
	SpringBoot bool
	Quarkus    bool
	// Bundles says that a plugin makes an archive that holds the libraries.
	Bundles bool
	// Artifact is the name of the archive without directory when it is
	// certain, for example "app.jar" with finalName or
	// "shop-1.2.0.jar"; "" otherwise.
	Artifact string
	// Modules are the modules of a multi-module build.
	Modules []string
}

// Java reads pom.xml or build.gradle of a directory below the context; nil
// when there is none that can be read.
func (p *Project) Java(dir string) *Java {
	dir = path.Clean("/" + dir)[1:]
	at := p.at(dir)
	if c, ok := p.repo.text(path.Join(at, "pom.xml")); ok {
		j := readPom(c, path.Join(at, "pom.xml"))
		if j != nil {
			j.Wrapper = p.repo.exists(path.Join(at, "mvnw"))
		}
		return j
	}
	for _, name := range []string{"build.gradle.kts", "build.gradle"} {
		f := path.Join(at, name)
		if !p.repo.exists(f) {
			continue
		}
		if c, ok := p.repo.text(f); ok {
			j := readGradle(c, f)
			j.Wrapper = p.repo.exists(path.Join(at, "gradlew"))
			return j
		}
	}
	return nil
}

// readPom collects the leaf elements of a POM by their path.
func readPom(content, file string) *Java {
	d := xml.NewDecoder(strings.NewReader(content))
	d.Strict = false
	values := map[string]string{}
	lines := map[string]int{}
	props := map[string]string{}
	j := &Java{Tool: "maven", File: file, Packaging: "jar"}
	var stack []string
	var text strings.Builder
	for n := 0; n < 100000; n++ {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			if len(values) == 0 {
				return nil
			}
			break
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if len(stack) > 40 {
				return nil
			}
			stack = append(stack, t.Name.Local)
			text.Reset()
		case xml.CharData:
			if text.Len() < 1000 {
				text.Write(t)
			}
		case xml.EndElement:
			key := strings.Join(stack, "/")
			v := strings.TrimSpace(text.String())
			line, _ := d.InputPos()
			j.pomValue(key, v)
			if v != "" {
				if _, ok := values[key]; !ok {
					values[key], lines[key] = v, line
				}
				if name, ok := strings.CutPrefix(key, "project/properties/"); ok {
					props[name] = v
				}
			}
			if len(stack) > 0 {
				stack = stack[:len(stack)-1]
			}
			text.Reset()
		}
	}
	if len(lines) == 0 {
		return nil
	}
	expand := func(v string) string {
		for range 3 {
			i := strings.Index(v, "${")
			e := strings.IndexByte(v[max(i, 0):], '}')
			if i < 0 || e < 0 {
				return v
			}
			name := v[i+2 : i+e]
			r, ok := props[name]
			if !ok {
				r, ok = values["project/"+strings.TrimPrefix(name, "project.")]
			}
			if !ok {
				return ""
			}
			v = v[:i] + r + v[i+e+1:]
		}
		return ""
	}
	const compiler = "project/build/plugins/plugin/configuration/"
	for _, key := range []string{"project/properties/maven.compiler.release", "project/properties/java.version", "project/properties/maven.compiler.target",
		"project/properties/maven.compiler.source", compiler + "release", compiler + "target", compiler + "source"} {
		if v := expand(values[key]); javaVersion(v) != "" {
			j.Version, j.VersionAt = javaVersion(v), Evidence{file, lines[key]}
			break
		}
	}
	if v := values["project/packaging"]; v != "" {
		j.Packaging = v
	}
	ext := ".jar"
	if j.Packaging == "war" {
		ext = ".war"
	}
	name := expand(values["project/build/finalName"])
	if values["project/build/finalName"] == "" {
		version := values["project/version"]
		if version == "" {
			version = values["project/parent/version"]
		}
		if a, v := expand(values["project/artifactId"]), expand(version); a != "" && v != "" {
			name = a + "-" + v
		}
	}
	if name != "" && j.Packaging != "pom" && !strings.ContainsAny(name, "/$ ") {
		j.Artifact = name + ext
	}
	return j
}

func (j *Java) pomValue(key, v string) {
	switch {
	case strings.HasSuffix(key, "plugins/plugin/artifactId"):
		j.SpringBoot = j.SpringBoot || v == "spring-boot-maven-plugin"
		j.Quarkus = j.Quarkus || v == "quarkus-maven-plugin"
		j.Bundles = j.Bundles || v == "maven-shade-plugin"
	case key == "project/modules/module" && len(j.Modules) < 200:
		j.Modules = append(j.Modules, v)
	}
}

// javaVersion is the feature version of 1.8, 17, 21.0.2; "" for anything else.
func javaVersion(v string) string {
	v = strings.TrimPrefix(v, "1.")
	v, _, _ = strings.Cut(v, ".")
	if !digits(v) || len(v) > 2 {
		return ""
	}
	return v
}

var (
	gradleVersion  = regexp.MustCompile(`(?:JavaLanguageVersion\.of\(\s*|jvmToolchain\(\s*|JavaVersion\.VERSION_(?:1_)?|(?:source|target)Compatibility\s*=\s*['"]?(?:1\.)?|options\.release(?:\.set\(|\s*=)\s*)(\d+)`)
	gradleArchive  = regexp.MustCompile(`archiveFileName(?:\.set\(|\s*=\s*)\s*["']([^"'$]+)["']`)
	gradlePlugin   = regexp.MustCompile(`(?:id\s*\(?\s*["']([\w.-]+)["']|^\s*(war|application)\s*$)`)
	gradleIncludes = regexp.MustCompile(`include\s*\(?\s*((?:["'][^"']+["']\s*,?\s*)+)`)
)

// readGradle reads what a build script says literally.
func readGradle(c, file string) *Java {
	j := &Java{Tool: "gradle", File: file, Packaging: "jar"}
	for i, l := range strings.Split(c, "\n") {
		if t := strings.TrimSpace(l); strings.HasPrefix(t, "//") || strings.HasPrefix(t, "*") {
			continue
		}
		if m := gradleVersion.FindStringSubmatch(l); m != nil && j.Version == "" {
			j.Version, j.VersionAt = javaVersion(m[1]), Evidence{file, i + 1}
		}
		for _, m := range gradlePlugin.FindAllStringSubmatch(l, 10) {
			switch m[1] + m[2] {
			case "war":
				j.Packaging = "war"
			case "org.springframework.boot":
				j.SpringBoot = true
			case "io.quarkus":
				j.Quarkus = true
			case "com.github.johnrengelman.shadow", "com.gradleup.shadow", "io.ktor.plugin":
				j.Bundles = true
			}
		}
		if m := gradleArchive.FindStringSubmatch(l); m != nil && !strings.Contains(m[1], "/") {
			j.Artifact = m[1]
		}
	}
	return j
}

// GradleModules are the modules that settings.gradle of a directory includes.
func (p *Project) GradleModules(dir string) []string {
	var out []string
	for _, name := range []string{"settings.gradle.kts", "settings.gradle"} {
		f := path.Join(p.at(dir), name)
		if !p.repo.exists(f) {
			continue
		}
		c, _ := p.repo.text(f)
		for _, m := range gradleIncludes.FindAllStringSubmatch(c, 100) {
			for _, q := range quoted.FindAllStringSubmatch(m[1], 100) {
				out = append(out, strings.ReplaceAll(strings.TrimPrefix(q[1], ":"), ":", "/"))
			}
			for _, q := range strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(`"', `, r) }) {
				if n := strings.ReplaceAll(strings.TrimPrefix(q, ":"), ":", "/"); strings.HasPrefix(q, ":") && !slices.Contains(out, n) {
					out = append(out, n)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

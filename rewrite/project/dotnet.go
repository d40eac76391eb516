package project

import (
	"encoding/xml"
	"io"
	"path"
	"strings"
)

// Dotnet is a project file of .NET (*.csproj, *.fsproj, *.vbproj).
type Dotnet struct {
	File string // from the root of the repository
	// Sdk is the SDK of the project, for example Microsoft.NET.Sdk.Web.
	Sdk string
	// Web says that the program needs the ASP.NET Core runtime.
	Web bool
	// Frameworks are the target frameworks, for example net8.0.
	Frameworks   []string
	FrameworksAt Evidence
	// Assembly is the file name of the result without .dll.
	Assembly   string
	OutputType string
	// Invariant, SelfContained, SingleFile and AOT are the properties
	// InvariantGlobalization, SelfContained, PublishSingleFile and PublishAot.
	Invariant, SelfContained, SingleFile, AOT bool
	Packages                                  map[string]Evidence
}

// Version is the .NET version of the first target framework ("8.0"); "" when
// it is none of .NET 5 and later.
func (d *Dotnet) Version() string {
	if len(d.Frameworks) == 0 {
		return ""
	}
	v := strings.TrimPrefix(d.Frameworks[0], "net")
	v, _, _ = strings.Cut(v, "-")
	if v == d.Frameworks[0] || !strings.Contains(v, ".") || !digits(strings.ReplaceAll(v, ".", "")) || strings.HasPrefix(d.Frameworks[0], "netcoreapp") || strings.HasPrefix(d.Frameworks[0], "netstandard") {
		return ""
	}
	return v
}

// Dotnet reads a project file, path below the context; nil when it cannot be
// read.
func (p *Project) Dotnet(name string) *Dotnet {
	file := p.at(name)
	c, ok := p.repo.text(file)
	if !ok {
		return nil
	}
	return readDotnet(c, file)
}

// DotnetProjects are the project files of a directory below the context and of
// the directories directly in it, as paths below the context.
func (p *Project) DotnetProjects(dir string) []string {
	var out []string
	isProject := func(n string) bool {
		e := path.Ext(n)
		return e == ".csproj" || e == ".fsproj" || e == ".vbproj"
	}
	dir = path.Clean("/" + dir)[1:]
	for _, n := range p.repo.names(p.at(dir), func(string) bool { return true }) {
		if isProject(n) {
			out = append(out, path.Join(dir, n))
		}
		if strings.HasSuffix(n, "/") && len(out) < 100 {
			for _, m := range p.repo.names(path.Join(p.at(dir), n), isProject) {
				out = append(out, path.Join(dir, n, m))
			}
		}
	}
	return out
}

func readDotnet(content, file string) *Dotnet {
	dec := xml.NewDecoder(strings.NewReader(content))
	dec.Strict = false
	d := &Dotnet{File: file, Packages: map[string]Evidence{}}
	d.Assembly = strings.TrimSuffix(path.Base(file), path.Ext(file))
	var text strings.Builder
	seen := false
	for n := 0; n < 50000; n++ {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			break
		}
		line, _ := dec.InputPos()
		switch t := tok.(type) {
		case xml.StartElement:
			text.Reset()
			switch t.Name.Local {
			case "Project":
				seen = true
				d.Sdk = attr(t, "Sdk")
			case "Sdk":
				if d.Sdk == "" {
					d.Sdk = attr(t, "Name")
				}
			case "PackageReference":
				if n := attr(t, "Include"); n != "" {
					d.Packages[n] = Evidence{file, line}
				}
			case "FrameworkReference":
				d.Web = d.Web || attr(t, "Include") == "Microsoft.AspNetCore.App"
			}
		case xml.CharData:
			if text.Len() < 1000 {
				text.Write(t)
			}
		case xml.EndElement:
			d.property(t.Name.Local, strings.TrimSpace(text.String()), Evidence{file, line})
			text.Reset()
		}
	}
	if !seen {
		return nil
	}
	sdk, _, _ := strings.Cut(d.Sdk, "/")
	d.Web = d.Web || sdk == "Microsoft.NET.Sdk.Web" || sdk == "Microsoft.NET.Sdk.BlazorWebAssembly"
	return d
}

func attr(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (d *Dotnet) property(name, v string, at Evidence) {
	if strings.Contains(v, "$(") {
		return
	}
	yes := strings.EqualFold(v, "true")
	switch name {
	case "TargetFramework", "TargetFrameworks":
		if len(d.Frameworks) == 0 {
			for f := range strings.SplitSeq(v, ";") {
				if f = strings.TrimSpace(f); f != "" {
					d.Frameworks = append(d.Frameworks, f)
				}
			}
			d.FrameworksAt = at
		}
	case "AssemblyName":
		if v != "" {
			d.Assembly = v
		}
	case "OutputType":
		d.OutputType = v
	case "InvariantGlobalization":
		d.Invariant = yes
	case "SelfContained":
		d.SelfContained = yes
	case "PublishSingleFile":
		d.SingleFile = yes
	case "PublishAot":
		d.AOT = yes
	}
}

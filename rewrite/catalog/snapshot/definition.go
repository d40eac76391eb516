package snapshot

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"dhibot/rewrite/catalog"
)

// place reads image and distribution from the path of a definition.
func place(p string) (image string, distro catalog.Distro, version string, ok bool) {
	dir := path.Dir(p)
	image = path.Base(path.Dir(dir))
	family, version, found := strings.Cut(path.Base(dir), "-")
	distro = catalog.Distro(family)
	return image, distro, version, found && version != "" && (distro == catalog.Debian || distro == catalog.Alpine)
}

// definition is the part of a definition that becomes facts. Its schema is
// .spec.json of the catalog repository.
type definition struct {
	Image     string   `yaml:"image"`
	Variant   string   `yaml:"variant"`
	Flavor    string   `yaml:"flavor"`
	Tags      []string `yaml:"tags"`
	Platforms []string `yaml:"platforms"`
	Dates     struct {
		Release   string `yaml:"release"`
		EndOfLife string `yaml:"end-of-life"`
	} `yaml:"dates"`
	Contents struct {
		Packages []string `yaml:"packages"`
	} `yaml:"contents"`
	Accounts struct {
		RunAs string `yaml:"run-as"`
		Users []struct {
			Name string `yaml:"name"`
			UID  int    `yaml:"uid"`
			GID  int    `yaml:"gid"`
		} `yaml:"users"`
	} `yaml:"accounts"`
	OSRelease struct {
		ID        string `yaml:"id"`
		VersionID string `yaml:"version-id"`
	} `yaml:"os-release"`
	WorkDir     string            `yaml:"work-dir"`
	StopSignal  string            `yaml:"stop-signal"`
	Environment map[string]string `yaml:"environment"`
	Paths       []struct {
		Type string `yaml:"type"`
		Path string `yaml:"path"`
		UID  int    `yaml:"uid"`
		GID  int    `yaml:"gid"`
		Mode string `yaml:"mode"`
	} `yaml:"paths"`
	Entrypoint []string `yaml:"entrypoint"`
	Cmd        []string `yaml:"cmd"`
	Ports      []string `yaml:"ports"`
}

// parseDefinition turns one file into facts.
func parseDefinition(data []byte, image string, distro catalog.Distro, version string) (*catalog.Definition, error) {
	var y definition
	if err := yaml.Unmarshal(data, &y); err != nil {
		return nil, err
	}
	switch {
	case path.Base(y.Image) != image:
		return nil, fmt.Errorf("image %q is defined below the folder of %q", y.Image, image)
	case y.OSRelease.ID != "" && y.OSRelease.ID != string(distro):
		return nil, fmt.Errorf("os-release says %s, the folder says %s", y.OSRelease.ID, distro)
	case len(y.Tags) == 0:
		return nil, errors.New("it has no tags")
	case y.Variant == "":
		return nil, errors.New("it has no variant")
	}
	d := &catalog.Definition{
		Distro: distro, DistroVersion: version, Variant: y.Variant, Flavor: y.Flavor, Tags: y.Tags, Platforms: y.Platforms,
		Released: y.Dates.Release, EndOfLife: y.Dates.EndOfLife, RunAs: y.Accounts.RunAs, Users: []catalog.User{},
		WorkDir: y.WorkDir, Environment: y.Environment, Entrypoint: y.Entrypoint, Cmd: y.Cmd, Ports: y.Ports,
		StopSignal: y.StopSignal, Packages: packageNames(y.Contents.Packages),
	}
	for _, u := range y.Accounts.Users {
		d.Users = append(d.Users, catalog.User{Name: u.Name, UID: u.UID, GID: u.GID})
	}
	for _, dir := range y.Paths {
		if dir.Type == "directory" && dir.UID != 0 {
			d.Directories = append(d.Directories, catalog.Directory{Path: dir.Path, UID: dir.UID, GID: dir.GID, Mode: dir.Mode})
		}
	}
	return d, nil
}

// packageNames keeps the names of declared packages: no exclusions ("!acl"),
// no versions ("nodejs-24=24.19.0-0", "musl>1.2", "zlib@edge"), no duplicates.
func packageNames(declared []string) []string {
	var names []string
	for _, p := range declared {
		if strings.HasPrefix(p, "!") {
			continue
		}
		if i := strings.IndexAny(p, "=<>~@"); i >= 0 {
			p = p[:i]
		}
		names = append(names, strings.TrimSpace(p))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

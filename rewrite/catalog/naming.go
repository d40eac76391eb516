package catalog

import "strings"

// hardenedRegistry serves the images of the catalog.
const hardenedRegistry = "dhi.io"

// Naming turns an image of the catalog into the repository part of a
// reference. The zero value gives dhi.io/<image>. With Namespace "acme" it is
// acme/dhi-<image>, the form of mirrored repositories; Registry is put in front
// when it is set as well.
type Naming struct {
	Registry  string // default dhi.io, or Docker Hub when Namespace is set
	Namespace string
	Prefix    string // default "dhi-" when Namespace is set, else ""
}

// parts gives the host and path in front of an image's name, with a slash at
// the end, and the prefix of the name.
func (n Naming) parts() (base, prefix string) {
	registry := strings.Trim(n.Registry, "/")
	namespace := strings.Trim(n.Namespace, "/")
	prefix = n.Prefix
	if namespace == "" {
		if registry == "" {
			registry = hardenedRegistry
		}
		return registry + "/", prefix
	}
	if prefix == "" {
		prefix = "dhi-"
	}
	if registry == "" || registry == "docker.io" {
		return namespace + "/", prefix
	}
	return registry + "/" + namespace + "/", prefix
}

// Repository returns the repository part for an image of the catalog.
func (n Naming) Repository(image string) string {
	if n == (Naming{}) {
		return hardenedRegistry + "/" + image
	}
	base, prefix := n.parts()
	return base + prefix + image
}

// Image is the inverse of Repository; dhi.io is always understood. A name that
// merely has the right shape is accepted: ask the catalog whether it exists.
func (n Naming) Image(repository string) (image string, ok bool) {
	repository = trimHub(repository)
	if name, found := strings.CutPrefix(repository, hardenedRegistry+"/"); found {
		return name, validName(name)
	}
	base, prefix := n.parts()
	name, found := strings.CutPrefix(repository, trimHub(base)+prefix)
	if !found {
		return "", false
	}
	return name, validName(name)
}

func validName(name string) bool { return name != "" && !strings.Contains(name, "/") }

package catalog

// HasProgram tells whether the image surely has the program on its PATH, by
// its declared packages and the documented contents of the image family
// (node, npm, yarn, corepack in node -dev; pip in python; go; java, javac ...).
func (d *Definition) HasProgram(name string) bool { return d.HasPackage(name) }

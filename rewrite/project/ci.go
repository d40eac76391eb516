package project

import (
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"dhibot/rewrite/shell"
)

// workflow reads a GitHub Actions workflow.
func (s *search) workflow(file, content string) {
	docs, _ := yamlDocs(content)
	for _, doc := range docs {
		for _, job := range pairs(field(doc, "jobs")) {
			s.job(file, job, scalar(doc, "defaults", "run", "working-directory"))
		}
	}
}

func (s *search) job(file string, job pair, dir string) {
	if d := scalar(job.value, "defaults", "run", "working-directory"); d != "" {
		dir = d
	}
	first := len(s.builds)
	var logins []string
	combos := matrix(field(job.value, "strategy", "matrix"))
	for _, step := range items(field(job.value, "steps")) {
		action, _, _ := strings.Cut(scalar(step, "uses"), "@")
		with := field(step, "with")
		line := keyLine(step, "uses")
		switch action {
		case "docker/login-action":
			logins = append(logins, scalar(with, "registry"))
		case "docker/build-push-action", "redhat-actions/buildah-build", "depot/build-push-action", "mr-smithers-excellent/docker-build-push", "useblacksmith/build-push-action":
			for _, combo := range combos {
				s.action(file, job.key.Value, line, action, with, combo)
			}
		}
		run := field(step, "run")
		if run == nil || run.Kind != yaml.ScalarNode {
			continue
		}
		at := dir
		if d := scalar(step, "working-directory"); d != "" {
			at = d
		}
		text := run.Value
		for _, combo := range combos {
			logins = append(logins, s.shellText("workflow", job.key.Value, file, combo.expand(text), combo.expand(at), scalarLine(run))...)
		}
	}
	for i := first; i < len(s.builds); i++ {
		s.builds[i].Logins = unique(append(s.builds[i].Logins, logins...))
	}
}

func unique(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, l := range list {
		if !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	return out
}

// combo is one combination of a matrix.
type combo map[string]string

var matrixUse = regexp.MustCompile(`\$\{\{\s*matrix\.([\w.-]+)\s*\}\}`)

func (c combo) expand(s string) string {
	if len(c) == 0 || !strings.Contains(s, "matrix.") {
		return s
	}
	return matrixUse.ReplaceAllStringFunc(s, func(m string) string {
		if v, ok := c[matrixUse.FindStringSubmatch(m)[1]]; ok {
			return v
		}
		return m
	})
}

// matrix lists the combinations of a matrix that matter here: the entries of
// include, and every value of a dimension on its own. At least one, perhaps
// empty, combination comes back.
func matrix(n *yaml.Node) []combo {
	var out []combo
	for _, p := range pairs(n) {
		for _, v := range items(p.value) {
			c := combo{}
			switch {
			case v.Kind == yaml.MappingNode:
				prefix := p.key.Value + "."
				if p.key.Value == "include" {
					prefix = ""
				}
				for _, q := range pairs(v) {
					if q.value != nil && q.value.Kind == yaml.ScalarNode {
						c[prefix+q.key.Value] = q.value.Value
					}
				}
			case v.Kind == yaml.ScalarNode && p.key.Value != "exclude":
				c[p.key.Value] = v.Value
			}
			if len(c) > 0 && len(out) < 100 {
				out = append(out, c)
			}
		}
	}
	if len(out) == 0 {
		return []combo{nil}
	}
	return out
}

func (s *search) action(file, job string, line int, action string, with *yaml.Node, c combo) {
	get := func(key string) string { return c.expand(scalar(with, key)) }
	b := Build{Kind: "workflow", Name: job, Evidence: Evidence{file, line}, Target: get("target")}
	b.Context = get("context")
	b.Dockerfile = get("file")
	if b.Dockerfile == "" {
		b.Dockerfile = get("dockerfile")
	}
	if action == "redhat-actions/buildah-build" {
		b.Dockerfile, _, _ = strings.Cut(strings.TrimSpace(get("containerfiles")+get("dockerfiles")), "\n")
	}
	// ${{ github.workspace }} and the default git context are the root.
	b.Context = strings.TrimPrefix(strings.ReplaceAll(strings.ReplaceAll(b.Context, "${{ github.workspace }}", "."), "${{github.workspace}}", "."), "./")
	if b.Context == "" || strings.HasPrefix(b.Context, "{{") {
		b.Context = "."
	}
	for _, l := range strings.Split(get("build-args"), "\n") {
		if k, v, ok := strings.Cut(strings.TrimSpace(l), "="); ok {
			b.Args = append(b.Args, Setting{Name: k, Value: v, At: Evidence{file, keyLine(with, "build-args")}})
		}
	}
	for _, t := range strings.FieldsFunc(get("tags"), func(r rune) bool { return r == '\n' || r == ',' }) {
		if img := imageName(t); img != "" {
			b.Images = append(b.Images, img)
		}
	}
	b.Images = unique(b.Images)
	// file is relative to the working directory, not to the context.
	if b.Dockerfile == "" {
		s.add(b, ".", true)
		return
	}
	s.add(b, ".", false)
}

// ci reads any other YAML file of a build system: every text in it that calls
// docker build, and Skaffold's and Cloud Build's own fields.
func (s *search) ci(file, content string) {
	docs, _ := yamlDocs(content)
	for _, doc := range docs {
		if path.Base(file) == "skaffold.yaml" {
			s.skaffold(file, doc)
			continue
		}
		for _, step := range items(field(doc, "steps")) {
			s.cloudBuild(file, step)
		}
		first := len(s.builds)
		var logins []string
		visit(doc, 0, func(n *yaml.Node) {
			if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "build") || n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "login") {
				logins = append(logins, s.shellText("ci", "", file, n.Value, ".", scalarLine(n))...)
			}
		})
		for i := first; i < len(s.builds); i++ {
			s.builds[i].Logins = unique(append(s.builds[i].Logins, logins...))
		}
	}
}

// scalarLine is the line that the text of a scalar starts on.
func scalarLine(n *yaml.Node) int {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return n.Line + 1
	}
	return n.Line
}

func (s *search) skaffold(file string, doc *yaml.Node) {
	for _, a := range items(field(doc, "build", "artifacts")) {
		d := field(a, "docker")
		if d == nil {
			if d = field(a, "kaniko"); d == nil && (field(a, "jib") != nil || field(a, "buildpacks") != nil || field(a, "ko") != nil || field(a, "custom") != nil || field(a, "bazel") != nil) {
				continue
			}
		}
		b := Build{Kind: "skaffold", Name: scalar(a, "image"), Evidence: Evidence{file, a.Line}, Context: scalar(a, "context"), Dockerfile: scalar(d, "dockerfile"), Target: scalar(d, "target"),
			Args: assignments(field(d, "buildArgs"), file)}
		if img := imageName(b.Name); img != "" {
			b.Images = []string{img}
		}
		s.add(b, path.Dir(file), true)
	}
}

func (s *search) cloudBuild(file string, step *yaml.Node) {
	name := scalar(step, "name")
	if !strings.HasSuffix(name, "/docker") && !strings.Contains(name, "kaniko") {
		return
	}
	argv := []string{"docker"}
	if strings.Contains(name, "kaniko") {
		argv = []string{"executor"}
	}
	for _, a := range items(field(step, "args")) {
		argv = append(argv, a.Value)
	}
	sc, err := shell.Exec(argv)
	if err != nil || len(sc.Commands) == 0 {
		return
	}
	if b, ok := dockerBuild(sc.Commands[0]); ok {
		b.Kind, b.Evidence = "ci", Evidence{file, step.Line}
		s.add(b, ".", false)
	}
}

// shellText adds the builds of a shell text and returns the registries that it
// logs in to.
func (s *search) shellText(kind, name, file, text, dir string, line int) (logins []string) {
	if !strings.Contains(text, "build") && !strings.Contains(text, "login") && !strings.Contains(text, "executor") {
		return nil
	}
	// Expressions of the build system are no shell; they become variables.
	text = expression.ReplaceAllString(text, "$$EXPR")
	sc, err := shell.Parse(text, shell.Bash, shell.Plain())
	if err != nil {
		return nil
	}
	for _, c := range sc.Commands {
		if r, ok := dockerLogin(c); ok {
			logins = append(logins, r)
			continue
		}
		b, ok := dockerBuild(c)
		if !ok || c.DirUnknown {
			continue
		}
		b.Kind, b.Name, b.Evidence = kind, name, Evidence{file, line + c.Line}
		for i := range b.Args {
			b.Args[i].At = b.Evidence
		}
		s.add(b, path.Join(dir, c.Dir), false)
	}
	return logins
}

var expression = regexp.MustCompile(`\$\{\{[^}]*\}\}|\$\([A-Za-z_][\w.]*\)|\$\$\{?|\{\{[^}]*\}\}`)

func dockerLogin(c *shell.Command) (string, bool) {
	if c.Name != "docker" && c.Name != "podman" || len(c.Args) == 0 || c.Args[0].Text != "login" {
		return "", false
	}
	for i := 1; i < len(c.Args); i++ {
		switch t := c.Args[i].Text; {
		case t == "-u" || t == "-p" || t == "--username" || t == "--password":
			i++
		case strings.HasPrefix(t, "-"):
		default:
			return t, true
		}
	}
	return "", true
}

// buildValues are the options of docker build that take a value.
const buildValues = " -f --file --target --build-arg -t --tag --label --platform --cache-from --cache-to --secret --ssh --network --progress --output -o --build-context --iidfile --metadata-file --builder --add-host --memory -m --shm-size --ulimit --isolation --pull-policy --destination --dockerfile --context --format --jobs --attest --sbom --provenance "

// dockerBuild reads docker build, docker buildx build, podman build, buildah
// bud and kaniko's executor. Paths are relative to the directory it runs in.
func dockerBuild(c *shell.Command) (Build, bool) {
	args := c.Args
	kaniko := c.Name == "executor"
	switch c.Name {
	case "docker", "podman", "nerdctl", "buildah", "depot", "img":
		for len(args) > 0 && (args[0].Text == "buildx" || args[0].Text == "image" || args[0].Text == "builder") {
			args = args[1:]
		}
		if len(args) == 0 || args[0].Text != "build" && args[0].Text != "bud" {
			return Build{}, false
		}
		args = args[1:]
	case "executor":
	default:
		return Build{}, false
	}
	b := Build{}
	var operands []string
	for i := 0; i < len(args); i++ {
		name, value := args[i].Text, ""
		if !strings.HasPrefix(name, "-") {
			operands = append(operands, name)
			continue
		}
		if n, v, ok := strings.Cut(name, "="); ok {
			name, value = n, v
		} else if strings.Contains(buildValues, " "+name+" ") && i+1 < len(args) {
			i++
			value = args[i].Text
		}
		switch name {
		case "-f", "--file", "--dockerfile":
			b.Dockerfile = expandDefaults(value)
		case "--target":
			b.Target = expandDefaults(value)
		case "--build-arg":
			k, v, _ := strings.Cut(value, "=")
			b.Args = append(b.Args, Setting{Name: k, Value: v})
		case "-t", "--tag", "--destination":
			if img := imageName(value); img != "" {
				b.Images = append(b.Images, img)
			}
		case "--context":
			operands = append(operands, strings.TrimPrefix(value, "dir://"))
		}
	}
	if len(operands) == 0 {
		if kaniko {
			operands = []string{"."}
		} else {
			return Build{}, false
		}
	}
	b.Context = expandDefaults(operands[len(operands)-1])
	for _, v := range []string{"$CI_PROJECT_DIR", "${CI_PROJECT_DIR}", "$PWD", "${PWD}", "$GITHUB_WORKSPACE", "${GITHUB_WORKSPACE}", "$(pwd)", "/workspace", "$CODEBUILD_SRC_DIR"} {
		b.Context = trimRoot(b.Context, v)
		b.Dockerfile = trimRoot(b.Dockerfile, v)
	}
	if b.Context == "" {
		b.Context = "."
	}
	return b, true
}

func trimRoot(p, root string) string {
	if rest, ok := strings.CutPrefix(p, root); ok && (rest == "" || rest[0] == '/') {
		return strings.TrimPrefix(rest, "/")
	}
	return p
}

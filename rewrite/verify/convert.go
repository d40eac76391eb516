package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"dhibot/rewrite/dockerfile"
)

// linux is the platform that files are converted for; a fixed one, because the
// machine's own must not matter.
var linux = ocispecs.Platform{OS: "linux", Architecture: "amd64"}

// converts holds that BuildKit's converter, which a build runs first of all,
// accepts every stage of the result, or refuses the original too. What it cannot
// refuse and what follows from the original is not converted. When it refuses
// what changed, it is asked about all of the result.
func (c *check) converts(ctx context.Context) []Violation {
	if ins := c.after.grows(); ins != nil {
		return []Violation{internal(ins.Lines[0], "%s takes more from variables than can be proved", ins.Keyword)}
	}
	if err := ctx.Err(); err != nil {
		return []Violation{internal(0, "the proof was not finished: %v", err)}
	}
	if !c.refusable() || c.sameBuild() || c.after.accepted(ctx, c.changed()) == nil {
		return nil
	}
	err := c.after.accepted(ctx, c.after.file.Content) // with the lines of the result
	if err == nil || c.before.grows() == nil && c.before.accepted(ctx, c.before.file.Content) != nil {
		return nil
	}
	return []Violation{internal(lineOf(err), "BuildKit refuses the result: %v", err)}
}

// grows returns an instruction whose variables would make the converter take
// more memory than there is. Few variables cannot.
func (m *model) grows() *dockerfile.Instruction {
	if bytes.Count(m.file.Content, []byte{'$'}) < 16 {
		return nil
	}
	for _, s := range m.stages {
		if ins := m.file.Grows(s.Stage, s.base.config.Env); ins != nil {
			return ins
		}
	}
	return nil
}

// sameBuild tells that nothing but the images of FROM differ. The converter's
// verdict is then that on the original: it follows from the instructions, and
// of the images only the environment matters, where a variable is required
// (${NAME:?}). It takes four times as long as parsing, and most results on dev
// images are of this kind.
func (c *check) sameBuild() bool {
	after := c.after.file
	if bytes.ContainsRune(after.Content, '?') && bytes.Contains(after.Content, []byte("${")) {
		return false
	}
	if len(c.before.stages) != len(c.after.stages) || len(after.GlobalArgs) != len(c.in.File.GlobalArgs) {
		return false
	}
	same := func(a, b *dockerfile.Instruction) bool {
		return a.Keyword == b.Keyword && a.Text == b.Text && slices.EqualFunc(a.Flags, b.Flags, sameFlag) && slices.EqualFunc(a.Heredocs, b.Heredocs, sameHeredoc)
	}
	if !slices.EqualFunc(after.GlobalArgs, c.in.File.GlobalArgs, same) {
		return false
	}
	for i, s := range c.after.stages {
		old := c.before.stages[i]
		if s.Name != old.Name || s.Base.Platform != old.Base.Platform || (s.Base.Err == nil) != (old.Base.Err == nil) ||
			(s.parent == nil) != (old.parent == nil) || !slices.EqualFunc(s.Instructions, old.Instructions, same) {
			return false
		}
	}
	return true
}

func sameFlag(a, b dockerfile.Flag) bool { return a.Name == b.Name && a.Value == b.Value }

func sameHeredoc(a, b dockerfile.Heredoc) bool { return a.Name == b.Name && a.Content == b.Content }

// lineOf is the line that an error of BuildKit speaks of.
func lineOf(err error) int {
	var located *parser.LocationError
	if errors.As(err, &located) {
		for _, ranges := range located.Locations {
			if len(ranges) > 0 {
				return ranges[0].Start.Line
			}
		}
	}
	return 0
}

// allCaps are the capabilities of a daemon that can do everything. The converter
// panics on --mount=type=bind,rw without; it only reads them.
var allCaps = sync.OnceValue(func() apicaps.CapSet { return pb.Caps.CapSet(pb.Caps.All()) })

// accepted is the converter's verdict on all of the model's content, or on what
// changed in it.
func (m *model) accepted(ctx context.Context, content []byte) error {
	_, err := m.convert(ctx, content, judged(content))
	return err
}

// convert runs BuildKit's converter over all stages of a content. config is what
// it is told of an image: full or judged; nil tells it nothing.
func (m *model) convert(ctx context.Context, content []byte, config func(*image) any) (made *dockerspec.DockerOCIImage, err error) {
	defer func() {
		if p := recover(); p != nil {
			made, err = nil, fmt.Errorf("the converter gave up: %v", p)
		}
	}()
	caps := allCaps()
	var opt dockerfile2llb.ConvertOpt
	opt.BuildPlatforms, opt.TargetPlatform = []ocispecs.Platform{linux}, &linux
	opt.MetaResolver = newResolver(m, config, opt.MetaResolver) // nil would ask registries
	opt.LLBCaps = &caps
	// Style is not what is proved: without a listener for warnings check=error=true
	// in a file cannot turn one into a refusal.
	opt.Warn = nil
	opt.AllStages = true
	if !utf8.Valid(content) {
		// The converter reads a stray byte as U+FFFD too, but prints to standard
		// error for each.
		content = bytes.ToValidUTF8(content, []byte("\uFFFD"))
	}
	result, err := dockerfile2llb.Dockerfile2LLB(ctx, content, opt)
	if err != nil {
		return nil, err
	}
	return result.Image, nil
}

// resolver answers with the catalog's facts. The converter asks from several
// goroutines. O is the converter's type for the options of a question: to name
// it would import a package that reaches the network by another way than the
// converter.
type resolver[O any] struct {
	model  *model
	config func(*image) any
}

// asker is the interface that the converter wants.
type asker[O any] interface {
	ResolveImageConfig(ctx context.Context, ref string, opt O) (string, digest.Digest, []byte, error)
}

// newResolver takes the field that it is for, to learn its O.
func newResolver[O any](m *model, config func(*image) any, _ asker[O]) *resolver[O] {
	return &resolver[O]{model: m, config: config}
}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (r *resolver[O]) ResolveImageConfig(_ context.Context, ref string, _ O) (name string, d digest.Digest, config []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("looking %s up: %v", ref, p)
		}
	}()
	if r.config == nil {
		return ref, "", []byte("{}"), nil
	}
	// The converter asks for node:22 by its full name.
	short, _ := strings.CutPrefix(ref, "docker.io/library/")
	config, err = json.Marshal(r.config(r.model.image(short)))
	return ref, "", config, err
}

// Unknown stands in an ImageConfig for the value of a variable that an upstream
// image sets to something that depends on its exact version.
const Unknown = "unknown"

// env is the environment of an image.
func (i *image) env() []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(i.config.Env)) {
		value := i.config.Env[name]
		if value == "" && i.def == nil {
			value = Unknown
		}
		list = append(list, name+"="+value)
	}
	return list
}

// judged gives as much of an image's config as a verdict on a content can depend
// on: words with variables are expanded with the environment, and the targets of
// mounts are relative to the directory. Most contents have neither.
func judged(content []byte) func(*image) any {
	variables, mounts := bytes.Contains(content, []byte{'$'}), bytes.Contains(content, []byte("--mount"))
	if !variables && !mounts {
		return nil
	}
	type config struct {
		Env        []string `json:",omitempty"`
		WorkingDir string   `json:",omitempty"`
	}
	return func(i *image) any {
		c := config{WorkingDir: i.config.WorkDir}
		if variables {
			c.Env = i.env()
		}
		return struct {
			Config config `json:"config"`
		}{c}
	}
}

// full is the image's config in the form that registries serve; empty for an
// image without facts and for a named build context.
func full(i *image) any {
	var img dockerspec.DockerOCIImage
	img.Platform = linux
	// Without a layer the converter would take the image for scratch.
	img.History = []ocispecs.History{{}}
	c := i.config
	img.Config.User, img.Config.WorkingDir = c.User, c.WorkDir
	img.Config.Entrypoint, img.Config.Cmd = c.Entrypoint, c.Cmd
	img.Config.StopSignal = c.StopSignal
	img.Config.Env = i.env()
	img.Config.ExposedPorts = set(c.Ports)
	img.Config.Volumes = set(c.Volumes)
	return img
}

func set(list []string) map[string]struct{} {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]struct{}, len(list))
	for _, s := range list {
		m[s] = struct{}{}
	}
	return m
}

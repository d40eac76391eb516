package rewrite

// ReasonCode names why a Dockerfile came out as it did; docs/reasons.md lists
// them. The words are stable: dashboards count them.
type ReasonCode string

// Codes that the engine itself gives; those of parse errors come from package
// dockerfile, those of decisions from package strategy.
const (
	CodeIgnored  ReasonCode = "ignored"
	CodeAlready  ReasonCode = "already"
	CodeSyntax   ReasonCode = "syntax"
	CodeInternal ReasonCode = "internal"
)

// Reason explains a code: what it means, and what a person can do about it.
type Reason struct {
	Code    ReasonCode
	Meaning string
	Advice  string
}

// Reasons lists every code that a Result can carry, for documentation.
func Reasons() []Reason {
	return []Reason{
		{CodeIgnored, "A comment `# dhi: ignore` asks to leave the file alone.", "Remove the comment to have it migrated."},
		{CodeAlready, "The final stage is on a Docker Hardened Image already.", "Nothing."},
		{CodeSyntax, "BuildKit refuses the file as it stands; its words are given with the line.", "Mend the file."},
		{CodeInternal, "The migration was made and did not pass its own checks; the file was left as it is.", "Report it: this is a defect of the engine."},
		{"too-large", "The file is larger than 1 MiB.", "Split it, or check that it is a Dockerfile."},
		{"binary", "The file is not text.", "Check that it is a Dockerfile."},
		{"line-too-long", "A line is longer than the 65,535 bytes that BuildKit accepts.", "Break the line."},
		{"template", "The file is a template; a Dockerfile is made from it first.", "Migrate what it makes, or edit the template by hand."},
		{"no-from", "There is no build stage.", "Check that it is a Dockerfile."},
		{"invalid-stage-name", "BuildKit refuses the name of a stage.", "Rename the stage."},

		{"no-equivalent", "There is no Docker Hardened Image for this image.", "Choose another base image, or map it in the configuration (`images`) when it is a copy of a known one."},
		{"other-hardened", "The image is hardened by another vendor.", "Map it in the configuration (`images`) if it shall move."},
		{"version-not-offered", "There is a hardened image, but not of this version.", "Move to one of the named versions first, or allow the nearest one with `missing_version: nearest`."},
		{"variant-not-offered", "There is a hardened image, but not the variant that is needed (a runtime, a dev image, another distribution).", "See the reason; another base image may fit."},
		{"unresolved-reference", "The base image depends on a build argument without a default.", "Give the ARG a default, or migrate by hand."},
		{"variable-reference", "The base image is written with variables that cannot be kept while it changes.", "Write the reference out, or give stages their own ARG."},
		{"unreleased-version", "The tag names a development version (edge, testing, beta).", "Use a release."},
		{"digest-only", "The image is pinned by digest without a tag, so its version cannot be known.", "Add the tag in front of the digest."},
		{"windows", "A Windows image. Docker Hardened Images are for Linux.", "Nothing."},
		{"scratch", "The final stage is `scratch`, which holds nothing that could be hardened.", "Nothing; build stages may still have moved."},
		{"platform-not-offered", "The hardened image is not built for the platform that FROM names.", "Stay, or drop the platform."},

		{"runtime-packages", "The final image installs packages that the program may need while it runs. A runtime image cannot install any.", "Find out which are needed; replace them by libraries of the language, or stay on the dev image."},
		{"runtime-libraries", "A dependency loads system libraries or programs while it runs.", "Choose a dependency that brings its own, or stay on the dev image."},
		{"package-manager-start", "The container starts through npm, yarn, pnpm or npx.", "Start the program itself (`node server.js`)."},
		{"shell-start", "The start command needs a shell.", "Write it as a list; move logic into the program."},
		{"script-start", "The container starts a shell script.", "Move what the script does into the program, an init container or the build."},
		{"start-program-missing", "The container starts a program that the new image does not surely have.", "Copy the program from a build stage, or start another one."},
		{"start-unknown", "What the container starts cannot be told from the file.", "Write the start command out."},
		{"no-start-command", "The image has no start command, so what people run in it cannot be known.", "Add CMD or ENTRYPOINT if it is a service."},
		{"development-stage", "By its name the last stage or the file is for development or tests, where people need a shell.", "Nothing, unless it ships."},
		{"onbuild", "The image has ONBUILD triggers: images built on it run commands.", "Turn the triggers into instructions of those images."},
		{"writes-unknown", "What a RUN of the final image leaves behind cannot be told, so it cannot be copied.", "Split the RUN, or move it to a build stage and copy its result."},
		{"writes-system", "A RUN or COPY of the final image, or the program itself, writes into a system directory.", "Write to a directory of your own and copy that."},
		{"removes-files", "A RUN of the final image removes files that the new image may have as well.", "Do it in a build stage, or see whether it is still needed."},
		{"root-home", "The program keeps files below /root, which only root can read.", "Use another directory."},
		{"python-layout", "Python packages are placed where the interpreter of the new image does not look.", "Use a virtual environment."},
		{"image-layout", "The file uses a path of the old image that the new one does not have.", "Use the new path; see the catalog."},
		{"image-programs", "The file calls a program that only the old image ships.", "Replace it (see the image's own guide)."},
		{"workdir-unknown", "The working directory of the final image depends on a variable.", "Write it out."},
		{"workdir-changes", "Files are copied relative to several working directories.", "Use absolute destinations."},

		{"package-manager-missing", "The stage calls a package manager that the new image does not have.", "Install with the one it has."},
		{"pinned-packages", "Package versions are pinned to another release of the distribution.", "Loosen or renew the pins."},
		{"release-packages", "A package may have another name or version in the release of the new image.", "Check the name; then use a tag that names the release."},
		{"python-managed", "Packages are installed with pip into the Python of the distribution, and pip refuses that in the release of the new image.", "Install into a virtual environment."},
		{"go-modules", "The build relies on a Go from before modules, and newer ones refuse what it does.", "Add go.mod and go.sum; install programs with go install."},
		{"packages-unknown", "Packages are installed whose names cannot be read, and the distribution changes.", "Write the names out."},
		{"ubuntu-packages", "An Ubuntu package archive (PPA) is added, which does not work on Debian.", "Find the packages in Debian."},
		{"distribution-changes", "Only a dev image would be possible, and it would exchange Ubuntu for Debian: a risk without a gain.", "Split the file so that the final stage only runs the program."},
		{"account-missing", "A RUN names an account of the old image that the new one does not have.", "Use a number."},
		{"account-there", "A RUN makes an account that the new image has already, with other commands beside it or another number.", "Make it under another name or number, or leave it to the image."},
		{"directory-there", "A RUN moves, copies or links something to a name that is a directory of the new image.", "Use another directory."},
		{"build-stage-stays", "The final stage takes packages from a build stage that stays on the old image.", "See the reason given for that stage."},
		{"final-stays", "The final stage stays, so a build stage for it stays too.", "See the reason given for the final stage."},
	}
}

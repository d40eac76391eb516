// Package discover finds the Dockerfiles of a repository, in the listing of a
// git tree or in a directory, and says of every file that looks like one and is
// passed over why.
//
// A file is a Dockerfile by its name (see Classify), or because a compose or
// bake file builds it. Nothing is decided by content but that a Git LFS pointer
// is not a file.
package discover

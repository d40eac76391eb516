// Package project reads what the repository around a Dockerfile says: how
// `npm start` is defined, which Go version go.mod asks for, where nginx
// listens, which workflow builds the image.
//
// Everything here is best effort on hostile input. Files may be missing, huge,
// malformed or links that lead out of the tree: every read is bounded, and the
// only consequence of a problem is that less is known. Nothing returns an
// error that could fail a migration, and no answer is made up: a question that
// the files do not answer clearly has no answer.
package project

// Package scan looks through all repositories of an installation and opens pull
// requests a few at a time.
//
// Its work is put into the same inbox as GitHub's deliveries, at the lowest
// priority, under events of its own (see Own):
//
//	dhibot.pass      goes through all repositories of an installation
//	dhibot.look      looks at some of them again, after something happened
//	dhibot.campaign  decides which of them get a pull request now
//	dhibot.open      opens it, in the lane of the repository
//	dhibot.refresh   brings an open one up to date, when no event had that done
//	dhibot.report    says as a check run what would be done, in mode report
//
// The first three wait in the lane of the installation, so that for one
// installation only one of them runs at a time, on whatever machine.
//
// What is known of a repository is a record in package memory. Records, looks
// and blobs there are a cache: all of it can be read from GitHub again. What
// package campaign counts, pull requests and their dates, is GitHub's.
package scan

// Package memory is what scans of an organisation remember between passes,
// shared by all replicas: contents of files by their git object id, what was
// found in a tree, a ledger with one document per repository, and notes.
//
// It is a cache. All of it can be thrown away and is rebuilt from GitHub at the
// price of calls, so commits do not wait for the disk, what turns out to be
// damaged is left out, and a damaged SQLite file is moved aside and begun anew.
// What must not be lost is in package inbox or on GitHub.
//
// Everything belongs to an installation and is given to no other: two
// organisations that have the same file each pay for it once.
package memory

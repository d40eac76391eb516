// Package bot is what the App does: it reads events and commands, has the
// engine look at the Dockerfiles, lets package plan decide, and acts on GitHub.
//
// A delivery is handled by one call of Handle, and deliveries of one repository
// never at the same time; the inbox sees to that. A process can die at any
// point, and then the delivery comes again: so every action looks before it
// creates, and GitHub (the branch, the pull request, its marker, the reply) is
// the only memory.
package bot

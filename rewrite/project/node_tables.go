package project

import (
	"slices"
	"strings"
)

// nativeModules are packages of the npm registry with native code. compiles is
// for those that publish no prebuilt binaries (their install script runs
// node-gyp); the rest download one that fits glibc or musl. Source: the
// install scripts and READMEs of the packages.
var nativeModules = map[string]NativeModule{
	"bcrypt":                {},
	"sharp":                 {},
	"sqlite3":               {},
	"better-sqlite3":        {},
	"argon2":                {},
	"canvas":                {Libraries: []string{"libcairo2", "libpango-1.0-0", "libpangocairo-1.0-0", "libjpeg62-turbo", "libgif7", "librsvg2-2"}},
	"node-sass":             {Compiles: true},
	"grpc":                  {Compiles: true},
	"node-rdkafka":          {Compiles: true},
	"oracledb":              {Libraries: []string{"libaio1t64"}},
	"libpq":                 {Compiles: true, Libraries: []string{"libpq5"}},
	"pg-native":             {Compiles: true, Libraries: []string{"libpq5"}},
	"zeromq":                {},
	"usb":                   {},
	"serialport":            {},
	"@serialport/bindings":  {Compiles: true},
	"leveldown":             {},
	"rocksdb":               {},
	"ref-napi":              {},
	"ffi-napi":              {},
	"robotjs":               {Compiles: true, Libraries: []string{"libx11-6", "libxtst6"}},
	"node-pty":              {Compiles: true},
	"isolated-vm":           {Compiles: true},
	"deasync":               {},
	"farmhash":              {},
	"microtime":             {},
	"snappy":                {},
	"cpu-features":          {Compiles: true},
	"ssh2":                  {},
	"re2":                   {},
	"bufferutil":            {},
	"utf-8-validate":        {},
	"unix-dgram":            {Compiles: true},
	"ibm_db":                {Compiles: true},
	"odbc":                  {Libraries: []string{"libodbc2"}},
	"kerberos":              {Libraries: []string{"libgssapi-krb5-2"}},
	"gc-stats":              {Compiles: true},
	"heapdump":              {Compiles: true},
	"node-expat":            {Compiles: true},
	"node-libcurl":          {Libraries: []string{"libcurl4t64"}},
	"libxmljs":              {},
	"libxmljs2":             {},
	"gl":                    {Libraries: []string{"libgl1", "libxi6"}},
	"puppeteer":             {Libraries: []string{"chromium"}},
	"playwright":            {Libraries: []string{"chromium"}},
	"@prisma/client":        {Libraries: []string{"libssl3t64"}},
	"@tensorflow/tfjs-node": {},
	"hiredis":               {Compiles: true},
	"fibers":                {},
	"iconv":                 {Compiles: true},
	"sodium-native":         {},
	"secp256k1":             {},
	"keccak":                {},
	"tree-sitter":           {},
	"@discordjs/opus":       {},
	"wrtc":                  {},
	"mediasoup":             {},
	"couchbase":             {},
	"aerospike":             {},
	"dtrace-provider":       {},
}

// scriptsSince are native modules that have no native code from a major version
// on. Sources: https://www.prisma.io/docs/orm/more/upgrades/to-v7 and the notes of
// Prisma 7.0.0: its client loads no engine any more and takes a driver adapter, and
// there is no setting that brings the engine back.
var scriptsSince = map[string]int{"@prisma/client": 7}

// nodeBin is a program that a package puts into node_modules/.bin.
type nodeBin struct {
	pkg  string // the package that has it
	file string // the script below node_modules
	// default arguments are kept as written; forks says that the program starts
	// others by itself (a cluster manager, a file watcher), which a container
	// should not.
	refuse string
}

// nodeBins are programs whose script is known: the "bin" field of the
// package.json of the named package, checked for its current major versions.
// esm and cjs files both run with `node FILE`, because each of them starts
// with #!/usr/bin/env node.
var nodeBins = map[string]nodeBin{
	"next":               {pkg: "next", file: "next/dist/bin/next"},
	"nuxt":               {pkg: "nuxt", file: "nuxt/bin/nuxt.mjs"},
	"remix-serve":        {pkg: "@remix-run/serve", file: "@remix-run/serve/dist/cli.js"},
	"react-router-serve": {pkg: "@react-router/serve", file: "@react-router/serve/bin.cjs"},
	"serve":              {pkg: "serve", file: "serve/build/main.js"},
	"http-server":        {pkg: "http-server", file: "http-server/bin/http-server"},
	"ts-node":            {pkg: "ts-node", file: "ts-node/dist/bin.js"},
	"strapi":             {pkg: "@strapi/strapi", file: "@strapi/strapi/bin/strapi.js"},
	"directus":           {pkg: "directus", file: "directus/cli.js"},
	"probot":             {pkg: "probot", file: "probot/bin/probot.js"},
	"json-server":        {pkg: "json-server", file: "json-server/lib/bin.js"},
	"prisma":             {pkg: "prisma", refuse: "prisma starts its schema engine, a program that loads OpenSSL"},
	"vite":               {pkg: "vite", file: "vite/bin/vite.js"},
	"astro":              {pkg: "astro", file: "astro/astro.js"},
	"gatsby":             {pkg: "gatsby", file: "gatsby/cli.js"},
	"docusaurus":         {pkg: "@docusaurus/core", file: "@docusaurus/core/bin/docusaurus.mjs"},
	"medusa":             {pkg: "@medusajs/cli", file: "@medusajs/cli/cli.js"},
	"payload":            {pkg: "payload", file: "payload/bin.js"},
	"keystone":           {pkg: "@keystone-6/core", file: "@keystone-6/core/bin/cli.js"},
	"moleculer-runner":   {pkg: "moleculer", file: "moleculer/bin/moleculer-runner.js"},
	"fastify":            {pkg: "fastify-cli", file: "fastify-cli/cli.js"},
	"nodemon":            {pkg: "nodemon", refuse: "nodemon watches files and restarts; it is for development"},
	"pm2":                {pkg: "pm2", refuse: "pm2 manages processes of its own"},
	"pm2-runtime":        {pkg: "pm2", file: "pm2/bin/pm2-runtime"},
	"concurrently":       {pkg: "concurrently", refuse: "concurrently starts several programs through a shell"},
	"npm-run-all":        {pkg: "npm-run-all", refuse: "npm-run-all starts several scripts"},
	"run-s":              {pkg: "npm-run-all", refuse: "run-s starts several scripts"},
	"run-p":              {pkg: "npm-run-all", refuse: "run-p starts several scripts"},
	"tsx":                {pkg: "tsx", file: "tsx/dist/cli.mjs"},
	"react-scripts":      {pkg: "react-scripts", refuse: "react-scripts starts a development server"},
	"ng":                 {pkg: "@angular/cli", refuse: "ng starts a development server"},
	"vue-cli-service":    {pkg: "@vue/cli-service", refuse: "vue-cli-service starts a development server"},
	"forever":            {pkg: "forever", refuse: "forever manages processes of its own"},
	"turbo":              {pkg: "turbo", refuse: "turbo runs scripts of several packages"},
	"lerna":              {pkg: "lerna", refuse: "lerna runs scripts of several packages"},
	"nx":                 {pkg: "nx", refuse: "nx runs targets of several packages"},
	"dotenv":             {pkg: "dotenv-cli", refuse: "dotenv reads variables from a file"},
	"env-cmd":            {pkg: "env-cmd", refuse: "env-cmd reads variables from a file"},
	"doppler":            {refuse: "doppler is not a Node.js program"},
	"babel-node":         {pkg: "@babel/node", file: "@babel/node/bin/babel-node.js"},
	"sequelize":          {pkg: "sequelize-cli", file: "sequelize-cli/lib/sequelize"},
	"knex":               {pkg: "knex", file: "knex/bin/cli.js"},
	"typeorm":            {pkg: "typeorm", file: "typeorm/cli.js"},
}

// NodeBinsOf are the programs that a package of npm is known to put on the PATH
// and that start a server or another program of Node.js. name may carry a
// version.
func NodeBinsOf(name string) []string {
	if i := strings.LastIndexByte(name, '@'); i > 0 {
		name = name[:i]
	}
	var out []string
	for bin, b := range nodeBins {
		if b.pkg == name && b.file != "" && b.refuse == "" {
			out = append(out, bin)
		}
	}
	slices.Sort(out)
	return out
}

package strategy

import (
	"strings"

	"dhibot/rewrite/catalog"
)

// phpIni is where the official images keep PHP's settings ($PHP_INI_DIR).
const phpIni = "/usr/local/etc/php"

// phpExtensions is where they keep the compiled extensions.
const phpExtensions = "/usr/local/lib/php/extensions"

// phpPlaces are the directories of DHI's PHP.
type phpPlaces struct {
	extensions string // the compiled extensions, in a directory per API
	ini        string // php.ini
	scan       string // further settings, *.ini
	fpm        string // php-fpm.d
	// linked tells that $PHP_INI_DIR leads to ini. On Alpine it leads to
	// /etc/php-X.Y/php, and PHP is configured for /etc/php-X.Y.
	linked bool
}

// placesOfPHP reads the directories from a definition. Sources: ./configure in
// the catalog's image/php (everything below PHP_PREFIX) and package/apk/main/php.
func placesOfPHP(def *catalog.Definition) (phpPlaces, bool) {
	if def.Image != "php" {
		return phpPlaces{}, false
	}
	if p := def.Environment["PHP_PREFIX"]; p != "" {
		return phpPlaces{extensions: p + "/lib/php/extensions", ini: p + "/etc/php", scan: p + "/etc/php/conf.d", fpm: p + "/etc/php-fpm.d", linked: true}, true
	}
	for _, v := range []string{"8.2", "8.3", "8.4", "8.5"} {
		if def.HasPackage("php-" + v) {
			etc := "/etc/php-" + v
			return phpPlaces{extensions: "/usr/lib/php/extensions", ini: etc, scan: etc + "/conf.d", fpm: etc + "/php-fpm.d"}, true
		}
	}
	return phpPlaces{}, false
}

// phpExtension says what an extension needs.
type phpExtension int

const (
	phpUnknown phpExtension = iota
	phpBuiltIn              // part of DHI's PHP
	phpAlone                // compiled from PHP's own sources, needs the C library alone
	phpPecl                 // the same, from PECL
	phpLinked               // loads libraries of the system
)

// extensionOf tells what an extension needs in DHI's PHP 8.2 to 8.5.
//
// Built in: the options of ./configure in the catalog's image/php and
// package/apk/main/php, with what PHP enables by itself (`php -m` of a PHP that
// was configured with them), and opcache, which has an ini file of its own
// before 8.5. What the others need: config.m4 of php-src and of the extensions.
func extensionOf(name string, distro catalog.Distro) phpExtension {
	switch strings.ToLower(name) {
	case "ctype", "curl", "date", "dom", "fileinfo", "filter", "hash", "iconv", "intl", "json", "libxml", "mbstring", "mysqlnd", "opcache", "openssl", "pcre", "pdo",
		"pdo_sqlite", "phar", "posix", "random", "readline", "reflection", "session", "simplexml", "sodium", "spl", "sqlite3", "standard", "tokenizer", "xml", "xmlreader",
		"xmlwriter", "zlib":
		return phpBuiltIn
	case "bcmath", "calendar", "exif", "ftp", "mysqli", "pcntl", "pdo_mysql", "shmop", "sysvmsg", "sysvsem", "sysvshm":
		return phpAlone
	case "sockets", "gettext":
		if distro == catalog.Alpine {
			// sockets needs linux-headers there, gettext a library.
			return phpLinked
		}
		return phpAlone
	case "apcu", "ast", "ds", "igbinary", "msgpack", "pcov", "redis", "xdebug":
		return phpPecl
	case "bz2", "dba", "enchant", "ffi", "gd", "gmp", "ldap", "odbc", "pdo_dblib", "pdo_firebird", "pdo_odbc", "pdo_pgsql", "pgsql", "snmp", "soap", "tidy", "xsl", "zip",
		"imap", "pspell", "pdo_oci", "oci8", "imagick", "memcached", "amqp", "rdkafka", "yaml", "ssh2", "uuid", "mongodb", "sqlsrv", "pdo_sqlsrv", "swoole", "openswoole", "grpc", "event",
		"gearman", "solr", "vips", "maxminddb", "xlswriter", "decimal", "zstd", "lz4", "brotli":
		return phpLinked
	}
	return phpUnknown
}

// inPHPSource tells whether an extension is in the sources that come with DHI's
// dev images, in ext/ ($PHP_SRC_DIR).
func inPHPSource(name, version string) bool {
	switch name {
	case "imap", "pspell", "oci8", "pdo_oci": // removed in 8.4
		return version == "8.2" || version == "8.3"
	case "bcmath", "bz2", "calendar", "ctype", "curl", "dba", "dom", "enchant", "exif", "ffi", "fileinfo", "filter", "ftp", "gd", "gettext", "gmp", "iconv", "intl",
		"ldap", "mbstring", "mysqli", "odbc", "opcache", "pcntl", "pdo", "pdo_dblib", "pdo_firebird", "pdo_mysql", "pdo_odbc", "pdo_pgsql", "pdo_sqlite", "pgsql", "phar",
		"posix", "readline", "session", "shmop", "simplexml", "snmp", "soap", "sockets", "sodium", "sysvmsg", "sysvsem", "sysvshm", "tidy", "tokenizer", "xml", "xmlreader",
		"xmlwriter", "xsl", "zip", "zlib":
		return true
	}
	return false
}

// phpLibraries names what an extension loads while it runs, for people.
func phpLibraries(name string) string {
	switch name {
	case "gd":
		return "libpng and, as configured, libjpeg, libfreetype, libwebp"
	case "zip":
		return "libzip"
	case "pgsql", "pdo_pgsql":
		return "libpq"
	case "gmp":
		return "libgmp"
	case "bz2":
		return "libbz2"
	case "xsl":
		return "libxslt"
	case "ldap":
		return "libldap"
	case "soap":
		return "libxml2, whose headers it is compiled with"
	case "imagick":
		return "ImageMagick"
	case "memcached":
		return "libmemcached"
	case "yaml":
		return "libyaml"
	case "amqp":
		return "librabbitmq"
	case "sockets":
		return "headers of Linux to be compiled on Alpine"
	case "gettext":
		return "libintl on Alpine"
	}
	return ""
}

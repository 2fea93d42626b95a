#include "jurisdiction/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/text.h"
#include "jurisdiction/cell.h"
#include "base/credential.h"
#include "jurisdiction/policy.h"
#include "jurisdiction/words.h"

#define ZONES "/usr/share/zoneinfo"
#define COMMAND_LINE "command line"
#define LISTEN_EXPECTED "addresses such as 127.0.0.1:7311 or [::1]:7311, separated by spaces"

#define FIELD(name) offsetof(struct config, name)
#define RATE_MOST 60000000 /* a minute: one a microsecond */
#define KILO INT64_C(1024)
#define MEGA (KILO * KILO)
#define GIGA (KILO * MEGA)
#define TERA (KILO * GIGA)

static const struct setting rows[] = {
	{ "listen", SETTING_TEXT, FIELD(listen), 0, 512, "127.0.0.1:7311", NULL,
	  "where phones, gateways and the gridloop command connect without TLS: address:port, several separated by "
	  "spaces; empty: nowhere" },
	{ "listen_remote", SETTING_BOOL, FIELD(listen_remote), 0, 0, "no", NULL,
	  "yes: listen may name addresses other than loopback. Tokens then cross the network as they are: keep it a "
	  "trusted one, or better use listen_tls" },
	{ "listen_tls", SETTING_TEXT, FIELD(listen_tls), 0, 512, "", NULL,
	  "where they connect with TLS (1.2 or 1.3), any address; empty: nowhere" },
	{ "listen_unix", SETTING_TEXT, FIELD(listen_unix), 0, 107, "", NULL,
	  "a socket file of this machine where the same is served, and where root makes the first administrator; "
	  "empty: "
	  "none, or the one that the service manager hands over" },
	{ "tls_certificate", SETTING_TEXT, FIELD(tls_certificate), 0, 1024, "", NULL,
	  "PEM file: the daemon's certificate, then those between it and its authority; a relative path starts at "
	  "this file's own folder. Read anew on SIGHUP, as are the next two" },
	{ "tls_key", SETTING_TEXT, FIELD(tls_key), 0, 1024, "", NULL,
	  "PEM file: its private key, without a passphrase, readable by the daemon alone" },
	{ "tls_client_ca", SETTING_TEXT, FIELD(tls_client_ca), 0, 1024, "", NULL,
	  "PEM file: authorities whose client certificates are believed; who is registered in people.csv with the "
	  "SHA-256 of theirs logs in without a token. Empty: none is asked for" },
	{ "database", SETTING_TEXT, FIELD(database), 1, 1024, "/var/lib/gridloop/gridloop.db", NULL,
	  "the database file; its folder must exist, on a local disk" },
	{ "jurisdiction", SETTING_TEXT, FIELD(jurisdiction), 1, 1024, "jurisdiction", NULL,
	  "folder of what the street has decided; a relative path starts at this file's own folder" },
	{ "time_zone", SETTING_TEXT, FIELD(time_zone), 1, 64, "Asia/Shanghai", NULL,
	  "where days begin and end, a name from " ZONES },
	{ "clock", SETTING_WORD, FIELD(clock), 0, 0, "system", "system|replay",
	  "system, or replay: time moves only when a client says so (tests and replays of old data)" },
	{ "shard", SETTING_INT, FIELD(shard), 0, 1023, "0", NULL,
	  "number of this daemon among those that share case numbers, 0 when it is alone" },
	{ "log_level", SETTING_WORD, FIELD(log_level), 0, 0, "info", "error|warning|notice|info|debug",
	  "the least important lines that are still logged" },

	{ "frame_max", SETTING_SIZE, FIELD(frame_max), 4 * KILO, 32 * KILO, "32k", NULL, "bytes of one frame" },
	{ "connections_max", SETTING_INT, FIELD(connections_max), 1, 100000, "12000", NULL,
	  "connections at once; more wait in the kernel (the service's LimitNOFILE must allow them)" },
	{ "connections_per_address_max", SETTING_INT, FIELD(connections_per_address_max), 1, 100000, "256", NULL,
	  "of these, connections of one address beyond this machine (of one IPv6 network of 64 bits); the newest "
	  "beyond "
	  "it is closed. Many phones of one mobile network may share an address" },
	{ "handshakes_per_address_max", SETTING_INT, FIELD(handshakes_per_address_max), 1, 100000, "32", NULL,
	  "connections of one such address that have not logged in yet" },
	{ "handshakes_per_second_max", SETTING_INT, FIELD(handshakes_per_second_max), 1, 100000, "20", NULL,
	  "new connections of one such address in a second" },
	{ "connection_memory", SETTING_SIZE, FIELD(connection_memory), 64 * KILO, 64 * KILO *KILO, "256k", NULL,
	  "bytes of answers waiting for one slow connection before it is cut" },
	{ "idle_timeout", SETTING_SPAN, FIELD(idle_timeout_ms), CLOCK_SECOND_MS, CLOCK_DAY_MS, "10m", NULL,
	  "a connection without a byte for this long is closed; clients ping" },
	{ "login_timeout", SETTING_SPAN, FIELD(login_timeout_ms), 100, CLOCK_HOUR_MS, "10s", NULL,
	  "a connection has this long to log in" },
	{ "inflight_max", SETTING_INT, FIELD(inflight_max), 1, 1024, "64", NULL,
	  "requests of one connection under way; further ones wait unread" },

	{ "rate_reporter", SETTING_INT, FIELD(rate_reporter), 0, RATE_MOST, "120", NULL,
	  "requests a minute of somebody who only reports, after which they are asked to wait; 0: any number" },
	{ "rate_staff", SETTING_INT, FIELD(rate_staff), 0, RATE_MOST, "1200", NULL, "the same for staff" },
	{ "rate_gateway", SETTING_INT, FIELD(rate_gateway), 0, RATE_MOST, "12000", NULL,
	  "the same for a gateway, which speaks for many; what it writes to Redis waits there" },
	{ "rate_address", SETTING_INT, FIELD(rate_address), 0, RATE_MOST, "6000", NULL,
	  "the same for everybody behind one address together; this machine's own are not counted" },
	{ "login_failures", SETTING_INT, FIELD(login_failures), 0, 1000, "5", NULL,
	  "wrong logins of one identity from one address, after which it has to wait there, longer each time; 0: no "
	  "limit" },
	{ "login_failures_address", SETTING_INT, FIELD(login_failures_address), 0, 1000000, "100", NULL,
	  "the same for one address whoever is named; 0: no limit, for a daemon behind one that hides its callers" },
	{ "login_lock", SETTING_SPAN, FIELD(login_lock_ms), CLOCK_SECOND_MS, CLOCK_DAY_MS, "15m", NULL,
	  "the longest of these waits; after so long without another wrong login all is forgotten" },

	{ "queue_max", SETTING_INT, FIELD(queue_max), 64, 1000000, "4096", NULL,
	  "commands waiting for the writer; when it is full nothing more is read" },
	{ "batch_max", SETTING_INT, FIELD(batch_max), 1, 100000, "512", NULL, "commands in one transaction" },
	{ "readers", SETTING_INT, FIELD(readers), 1, 16, "2", NULL, "threads that answer queries" },
	{ "queries_max", SETTING_INT, FIELD(queries_max), 16, 100000, "1024", NULL, "queries waiting for the readers" },
	{ "checkpoint_frames", SETTING_INT, FIELD(checkpoint_frames), 100, 1000000, "4000", NULL,
	  "pages of 4 KiB in the write-ahead log from which it is folded into the database" },
	{ "disk_free_min", SETTING_SIZE, FIELD(disk_free_min), 0, TERA, "64m", NULL,
	  "with less than this free on the database's disk new reports are told to come again later; 0: until it is "
	  "full" },
	{ "disk_ballast", SETTING_SIZE, FIELD(disk_ballast), 0, 16 * GIGA, "32m", NULL,
	  "a file of this size beside the database, given up when a quarter of disk_free_min is left, so that what is "
	  "under way can be ended; 0: none" },

	{ "evidence", SETTING_TEXT, FIELD(evidence), 0, 1024, "", NULL,
	  "folder of photos and clips, on a local disk; empty: the folder evidence beside the database" },
	{ "evidence_image_max", SETTING_SIZE, FIELD(evidence_image_max), KILO, GIGA, "20m", NULL,
	  "bytes of one photo (JPEG, PNG, GIF, WebP, HEIC)" },
	{ "evidence_clip_max", SETTING_SIZE, FIELD(evidence_clip_max), KILO, 16 * GIGA, "100m", NULL,
	  "bytes of one clip (MP4, 3GP, QuickTime)" },
	{ "evidence_day_max", SETTING_SIZE, FIELD(evidence_day_max), KILO, TERA, "1g", NULL,
	  "bytes that one person may upload in a day" },
	{ "evidence_gateway_day_max", SETTING_SIZE, FIELD(evidence_gateway_day_max), KILO, 16 * TERA, "50g", NULL,
	  "the same for a gateway, which uploads for all its people" },
	{ "evidence_partials_max", SETTING_INT, FIELD(evidence_partials_max), 1, 4096, "64", NULL,
	  "unfinished uploads of one person" },
	{ "evidence_total_max", SETTING_SIZE, FIELD(evidence_total_max), MEGA, 1024 * TERA, "500g", NULL,
	  "bytes of all evidence; beyond it nothing more is taken" },
	{ "evidence_free_min", SETTING_SIZE, FIELD(evidence_free_min), 0, 1024 * TERA, "1g", NULL,
	  "bytes that uploads leave free on the disk" },
	{ "evidence_partial_keep", SETTING_SPAN, FIELD(evidence_partial_keep_ms), CLOCK_MINUTE_MS, 366 * CLOCK_DAY_MS,
	  "3d", NULL, "an unfinished upload that nobody goes on with is removed after this long" },
	{ "evidence_unnamed_keep", SETTING_SPAN, FIELD(evidence_unnamed_keep_ms), 2 * CLOCK_MINUTE_MS,
	  3660 * CLOCK_DAY_MS, "7d", NULL, "an upload that no case has named is removed after this long" },
	{ "evidence_queue_max", SETTING_INT, FIELD(evidence_queue_max), 16, 100000, "512", NULL,
	  "chunks waiting for the disk; further senders are told to go on in a moment" },

	{ "redis", SETTING_TEXT, FIELD(redis), 0, 200, "", NULL,
	  "Redis as unix:/path/of/socket or address:port; empty: none" },
	{ "redis_password", SETTING_TEXT, FIELD(redis_password), 0, 200, "", NULL,
	  "its password, or credential:NAME, handed over by the service manager; a password here makes this file "
	  "secret" },
	{ "redis_reports", SETTING_TEXT, FIELD(redis_reports), 1, 100, "gridloop:reports", NULL,
	  "stream that platforms write reports and actions to" },
	{ "redis_cameras", SETTING_TEXT, FIELD(redis_cameras), 1, 100, "gridloop:cameras", NULL,
	  "stream that camera analytics write alarms to" },
	{ "redis_cameras_gateway", SETTING_TEXT, FIELD(redis_cameras_gateway), 0, CELL_ID_MOST, "", NULL,
	  "identity with the role cameras that NVIDIA DeepStream's own messages speak for; empty: they are refused" },
	{ "redis_events", SETTING_TEXT, FIELD(redis_events), 1, 100, "gridloop:events", NULL,
	  "stream that the daemon writes what happens to" },
	{ "redis_dead", SETTING_TEXT, FIELD(redis_dead), 1, 100, "gridloop:dead", NULL,
	  "stream for entries that can never be carried out, with the reason" },
	{ "redis_group", SETTING_TEXT, FIELD(redis_group), 1, 100, "gridloop", NULL,
	  "consumer group of the daemons of one street" },
	{ "redis_consumer", SETTING_TEXT, FIELD(redis_consumer), 1, 100, "gridloopd", NULL,
	  "name of this daemon within the group" },
	{ "redis_claim_idle", SETTING_SPAN, FIELD(redis_claim_idle_ms), CLOCK_SECOND_MS, CLOCK_DAY_MS, "60s", NULL,
	  "entries that another consumer has left alone for this long are taken over" },
	{ .key = NULL },
};

const struct setting *config_settings(void)
{
	return rows;
}

void config_close(struct config *c)
{
	settings_close(rows, c);
	free(c->path);
	c->path = NULL;
	credential_free(c->redis_secret);
	c->redis_secret = NULL;
}

/* ---- where a mistake stands that shows only when values are looked at together ---- */

struct source {
	struct config *config;
	const char *const *assignments;
	size_t count;
	struct problems *problems;
	_Bool failed;
};

static _Bool names_key(const char *line, const char *key)
{
	size_t length = strlen(key);

	line += strspn(line, " \t\xef\xbb\xbf");
	return strncmp(line, key, length) == 0 && line[length + strspn(line + length, " \t")] == '=';
}

/* 0 when the file does not name the key: its default is in force. */
static int line_of(const char *path, const char *key)
{
	FILE *from = path ? fopen(path, "re") : NULL;
	char *line = NULL;
	size_t size = 0;
	int number = 0, found = 0;

	while (from && !found && getline(&line, &size, from) >= 0) {
		number++;
		if (names_key(line, key))
			found = number;
	}
	free(line);
	if (from)
		fclose(from);
	return found;
}

static _Bool is_assigned(const struct source *s, const char *key)
{
	for (size_t i = 0; i < s->count; i++)
		if (names_key(s->assignments[i], key))
			return 1;
	return 0;
}

static void wrong(struct source *s, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);

static void wrong(struct source *s, const char *key, const char *format, ...)
{
	_Bool assigned = is_assigned(s, key);
	const char *file = assigned || !s->config->path ? COMMAND_LINE : s->config->path;
	int line = assigned ? 0 : line_of(s->config->path, key);
	char *text = NULL;
	va_list args;

	va_start(args, format);
	must(vasprintf(&text, format, args) >= 0);
	va_end(args);
	problems_add(s->problems, file, line, "%s", text);
	free(text);
	s->failed = 1;
}

/* ---- addresses ---- */

enum reach { REACH_NONE, REACH_LOOPBACK, REACH_REMOTE };

/* "127.0.0.1:7311", "[::1]:7311", "localhost:7311" or ":7311" in two parts, of which the port is right. */
static _Bool split_address(const char *address, char host[CONFIG_ADDRESS_SIZE])
{
	const char *colon = strrchr(address, ':');
	int64_t port;

	if (!colon || strlen(address) >= CONFIG_ADDRESS_SIZE || !text_to_int(colon + 1, 0, 65535, &port))
		return 0;

	size_t length = (size_t)(colon - address);
	_Bool bracketed = length >= 2 && address[0] == '[' && address[length - 1] == ']';

	snprintf(host, CONFIG_ADDRESS_SIZE, "%.*s", (int)(length - 2 * bracketed), address + bracketed);
	/* Without brackets nobody can tell where an IPv6 address ends and its port begins. */
	return bracketed == (strchr(host, ':') != NULL);
}

/* Numbers only, for names resolve differently from day to day; localhost is the one that does not. */
static enum reach reach_of(const char *address)
{
	char host[CONFIG_ADDRESS_SIZE];
	struct in_addr four;
	struct in6_addr six;

	if (!split_address(address, host))
		return REACH_NONE;
	if (strcmp(host, "localhost") == 0)
		return REACH_LOOPBACK;
	if (host[0] == '\0')
		return REACH_REMOTE;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127 ? REACH_LOOPBACK : REACH_REMOTE;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six) ? REACH_LOOPBACK : REACH_REMOTE;
	return REACH_NONE;
}

/* The i-th word of a text; false past the end. */
static _Bool word_at(const char *text, size_t i, char out[CONFIG_ADDRESS_SIZE])
{
	size_t length;

	for (;; i--) {
		text += strspn(text, " \t");
		length = strcspn(text, " \t");
		if (i == 0 || length == 0)
			break;
		text += length;
	}
	snprintf(out, CONFIG_ADDRESS_SIZE, "%.*s", (int)length, text);
	/* What is longer than any address must not become one by being cut. */
	if (length >= CONFIG_ADDRESS_SIZE)
		memcpy(out + CONFIG_ADDRESS_SIZE - sizeof "...", "...", sizeof "...");
	return length > 0;
}

_Bool config_address(const char *addresses, size_t i, char out[CONFIG_ADDRESS_SIZE])
{
	return word_at(addresses, i, out);
}

/* How many there are. */
static size_t check_addresses(struct source *s, const char *key, const char *addresses, _Bool may_be_remote)
{
	char address[CONFIG_ADDRESS_SIZE];
	size_t count = 0;

	for (; config_address(addresses, count, address); count++) {
		enum reach reach = reach_of(address);

		if (reach == REACH_NONE)
			wrong(s, key, "found address \"%s\"; expected " LISTEN_EXPECTED, address);
		if (reach == REACH_REMOTE && !may_be_remote)
			wrong(s, key,
			      "found address \"%s\", which is not loopback; expected loopback, or listen_remote = yes, "
			      "or the address under listen_tls",
			      address);
	}
	if (count > CONFIG_ADDRESSES_MOST)
		wrong(s, key, "found %zu addresses; expected at most %d", count, CONFIG_ADDRESSES_MOST);
	return count;
}

static void check_listen(struct source *s)
{
	const struct config *c = s->config;
	size_t plain = check_addresses(s, "listen", c->listen, c->listen_remote);
	size_t tls = check_addresses(s, "listen_tls", c->listen_tls, 1);

	if (plain + tls == 0 && !*c->listen_unix)
		wrong(s, "listen", "found no address here nor in listen_tls or listen_unix; expected " LISTEN_EXPECTED);
	if (*c->listen_unix && *c->listen_unix != '/')
		wrong(s, "listen_unix",
		      "found listen_unix \"%s\"; expected a path from the root, such as "
		      "/run/gridloop/gridloopd.sock",
		      c->listen_unix);
	if (tls > 0 && !*c->tls_certificate)
		wrong(s, "listen_tls",
		      "found listen_tls without tls_certificate; expected the path of a PEM file there");
	if (tls > 0 && !*c->tls_key)
		wrong(s, "listen_tls", "found listen_tls without tls_key; expected the path of a PEM file there");
}

/* Like the client library, which would take a name too, but look it up while everybody waits. */
static _Bool is_redis_place(const char *where)
{
	static const char unix_prefix[] = "unix:";
	const size_t path_size = sizeof((struct sockaddr_un *)0)->sun_path;
	_Bool prefixed = strncmp(where, unix_prefix, strlen(unix_prefix)) == 0;

	if (prefixed)
		where += strlen(unix_prefix);
	if (*where == '/')
		return strlen(where) < path_size;
	return !prefixed && *where != ':' && strncmp(where, "localhost", 9) != 0 && reach_of(where) != REACH_NONE;
}

static void check_redis(struct source *s)
{
	const char *where = s->config->redis;

	if (*where && !is_redis_place(where))
		wrong(s, "redis",
		      "found redis \"%s\"; expected unix:/path/of/socket, an address such as 127.0.0.1:6379, or "
		      "nothing",
		      where);
}

/* ---- the others ---- */

static void check_time_zone(struct source *s)
{
	const char *zone = s->config->time_zone;
	char path[sizeof ZONES + 80];
	struct stat about;

	snprintf(path, sizeof path, "%s/%s", ZONES, zone);
	/* A path that climbs out of the folder would make libc read any file. */
	if (*zone == '/' || *zone == ':' || strstr(zone, "..") || stat(path, &about) != 0 || !S_ISREG(about.st_mode))
		wrong(s, "time_zone", "found time zone \"%s\"; expected a name from %s such as Asia/Shanghai", zone,
		      ZONES);
}

static void check_sizes(struct source *s)
{
	const struct config *c = s->config;

	if (c->batch_max > c->queue_max)
		wrong(s, "batch_max", "found batch_max larger than queue_max; expected at most as many");
	if (c->connection_memory < 2 * c->frame_max)
		wrong(s, "connection_memory",
		      "found connection_memory for less than two frames; expected at least 2 x frame_max");
	if (c->inflight_max > c->queue_max)
		wrong(s, "inflight_max", "found inflight_max larger than queue_max; expected at most as many");
}

/* What is linked into its place is younger than what a sweep may take away only because of this. */
static void check_evidence(struct source *s)
{
	const struct config *c = s->config;

	if (c->evidence_unnamed_keep_ms < 2 * c->evidence_partial_keep_ms)
		wrong(s, "evidence_unnamed_keep",
		      "found evidence_unnamed_keep below twice evidence_partial_keep; expected at least that");
}

/* Two streams under one name would read what the daemon itself writes. */
static void check_streams(struct source *s)
{
	const char *const keys[] = { "redis_reports", "redis_cameras", "redis_events", "redis_dead" };
	const char *const names[] = { s->config->redis_reports, s->config->redis_cameras, s->config->redis_events,
		                      s->config->redis_dead };

	for (size_t i = 1; i < sizeof keys / sizeof keys[0]; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(names[i], names[j]) == 0)
				wrong(s, keys[i], "found the same stream as %s; expected a name of its own", keys[j]);
}

static void (*const checks[])(struct source *s) = {
	check_listen, check_redis, check_time_zone, check_sizes, check_evidence, check_streams,
};

/* ---- loading ---- */

/* Relative paths of the file start at its own folder; one named on the command line starts where the command was given. */
static void resolve_paths(const struct source *s)
{
	struct config *c = s->config;
	const char *slash = c->path ? strrchr(c->path, '/') : NULL;
	const struct {
		const char *key;
		char **path;
	} paths[] = { { "jurisdiction", &c->jurisdiction },
		      { "tls_certificate", &c->tls_certificate },
		      { "tls_key", &c->tls_key },
		      { "tls_client_ca", &c->tls_client_ca } };

	for (size_t i = 0; slash && i < sizeof paths / sizeof paths[0]; i++) {
		char *old = *paths[i].path;

		if (*old == '/' || *old == '\0' || is_assigned(s, paths[i].key))
			continue;
		must(asprintf(paths[i].path, "%.*s/%s", (int)(slash - c->path), c->path, old) >= 0);
		free(old);
	}
}

static void find_evidence(struct config *c)
{
	const char *slash = strrchr(c->database, '/');

	if (c->evidence[0] != '\0')
		return;
	free(c->evidence);
	must(asprintf(&c->evidence, "%.*sevidence", slash ? (int)(slash - c->database) + 1 : 0, c->database) >= 0);
}

static _Bool read_all(struct source *s)
{
	struct config *c = s->config;
	_Bool good = !c->path || settings_read(rows, c, c->path, s->problems);

	for (size_t i = 0; i < s->count; i++)
		good &= settings_assign(rows, c, s->assignments[i], COMMAND_LINE, s->problems);
	return good;
}

_Bool config_load(struct config *c, const char *path, const char *const *assignments, size_t count, struct problems *p)
{
	struct source s = { .config = c, .assignments = assignments, .count = count, .problems = p };

	*c = (struct config){ .path = must_strdup(path) };
	settings_defaults(rows, c);

	_Bool good = read_all(&s);

	/* Also after other mistakes: what could not be read has its default, which passes. */
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
		checks[i](&s);
	if (!good || s.failed) {
		config_close(c);
		return 0;
	}
	resolve_paths(&s);
	find_evidence(c);
	return 1;
}

_Bool config_read_secrets(struct config *c, struct problems *p)
{
	char *cause = NULL;

	credential_free(c->redis_secret);
	c->redis_secret = credential_read(c->redis_password, &cause);
	if (c->redis_secret)
		return 1;
	problems_add(p, c->path ? c->path : COMMAND_LINE, line_of(c->path, "redis_password"), "redis_password: %s",
	             cause);
	free(cause);
	return 0;
}

_Bool config_fits(const struct config *c, const struct policy *policy, struct problems *p)
{
	const char *id = c->redis_cameras_gateway;
	const struct person *gateway = policy_person(policy, id);

	if (*id == '\0' || (gateway && gateway->roles & ROLE_CAMERAS))
		return 1;
	problems_add(p, c->path ? c->path : COMMAND_LINE, line_of(c->path, "redis_cameras_gateway"),
	             "found redis_cameras_gateway \"%s\"; expected a person of the jurisdiction with the role cameras",
	             id);
	return 0;
}

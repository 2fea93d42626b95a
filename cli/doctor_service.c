/* What a look at files alone cannot tell: the clock, the database's inside, Redis, the daemon itself. */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/credential.h"
#include "client.h"
#include "doctor.h"
#include "net/tls.h"
#include "redis_connect.h"
#include "show.h"

#define LOG_WARNING (INT64_C(64) << 20) /* the daemon empties its log at this size */
#define LOG_PROBLEM (INT64_C(1) << 30)
#define CLOCK_SLACK_MS CLOCK_MINUTE_MS
#define YEAR_FIRST 20260101 /* before the program was written, or so far on that it is a mistake */
#define YEAR_LAST 21000101

#define AREA_CLOCK "clock 时钟"
#define AREA_DATABASE "database 数据库"
#define AREA_CERTIFICATES "certificates 证书"
#define AREA_REDIS "redis"
#define AREA_DAEMON "daemon 服务"

/* ---- the clock ---- */

static void look_at_synchronisation(struct doctor *d)
{
	struct timex about = { 0 };
	int state = adjtimex(&about);

	if (state == -1)
		return;
	if (state == TIME_ERROR || about.status & STA_UNSYNC)
		doctor_find(d, HEALTH_WARNING, AREA_CLOCK,
		            "install or mend chrony or systemd-timesyncd: limits run by this clock",
		            "the kernel says that nothing keeps the clock right");
	else
		doctor_find(d, HEALTH_OK, AREA_CLOCK, NULL, "kept right, off by %ld ms at most", about.maxerror / 1000);
}

void doctor_clock(struct doctor *d)
{
	int32_t today = clock_day_to_ymd(clock_local_day(d->now_ms, NULL, NULL));
	char now[SHOW_SIZE], last[SHOW_SIZE];

	if (!doctor_system_clock(d)) {
		doctor_find(d, HEALTH_OK, AREA_CLOCK, NULL, "a replay clock: time moves when a client says so");
		return;
	}
	show_time(d->now_ms, now);
	doctor_find(d, today < YEAR_FIRST || today >= YEAR_LAST ? HEALTH_PROBLEM : HEALTH_OK, AREA_CLOCK,
	            "set the machine's clock, then start the daemon", "it is %s in %s", now, d->config.time_zone);
	if (d->database.last_ms > d->now_ms + CLOCK_SLACK_MS)
		doctor_find(d, HEALTH_PROBLEM, AREA_CLOCK,
		            "set the machine's clock: no timer runs until it has passed that time",
		            "it is %s, and the database has seen %s already", now,
		            show_time(d->database.last_ms, last));
	look_at_synchronisation(d);
}

/* ---- the database ---- */

static void look_at_log(struct doctor *d)
{
	int64_t bytes = d->database.in_log;
	char size[DOCTOR_SIZE_TEXT];

	if (bytes > LOG_WARNING)
		doctor_find(d, bytes > LOG_PROBLEM ? HEALTH_PROBLEM : HEALTH_WARNING, AREA_DATABASE,
		            "end what reads the database for long (verify, backup, a sqlite3 shell); else restart the "
		            "daemon",
		            "the write-ahead log has %s: something has kept it from being emptied",
		            doctor_size(bytes, size));
}

void doctor_database(struct doctor *d)
{
	const struct checkup *c = &d->database;
	char size[DOCTOR_SIZE_TEXT];

	if (access(d->config.database, F_OK) != 0) {
		doctor_find(d, HEALTH_WARNING, AREA_DATABASE,
		            "start the daemon, which makes it, or restore a backup: gridloop help restore",
		            "%s is not there", d->config.database);
		return;
	}
	if (c->unreadable || c->damage)
		doctor_find(d, HEALTH_PROBLEM, AREA_DATABASE,
		            "stop the daemon, move the database away, keep it, restore a backup: gridloop help restore",
		            "%s", c->unreadable ? c->unreadable : c->damage);
	else
		doctor_find(d, HEALTH_OK, AREA_DATABASE, NULL, "%s, schema version %" PRId64 ", %" PRId64 " cases, %s",
		            doctor_size(c->bytes, size), c->schema, c->received,
		            c->whole ? "no damage found" : "no damage in the part that there was time for");
	look_at_log(d);
}

/* ---- Redis ---- */

/* false: why says what came instead. */
static _Bool redis_says(redisContext *r, const char *answer, const char *command, const char *word, char *why,
                        size_t size)
{
	redisReply *reply = word ? redisCommand(r, "%s %s", command, word) : redisCommand(r, command);
	_Bool good = reply && reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, answer) == 0;

	if (!good)
		snprintf(why, size, "%s", reply && reply->str ? reply->str : r->errstr[0] ? r->errstr : "nothing");
	if (reply)
		freeReplyObject(reply);
	return good;
}

/* A password that only the service is handed cannot be tried from here; that Redis asks for one is an answer too. */
static _Bool redis_is_well(redisContext *r, const char *password, char *why, size_t size)
{
	char *cause = NULL, *secret = credential_read(password, &cause);
	_Bool unseen = !secret && credential_is_named(password);
	_Bool let_in = !secret || !secret[0] || redis_says(r, "OK", "AUTH", secret, why, size);

	credential_free(secret);
	free(cause);
	return let_in && (redis_says(r, "PONG", "PING", NULL, why, size) || (unseen && strncmp(why, "NOAUTH", 6) == 0));
}

void doctor_redis(struct doctor *d)
{
	static const char todo[] =
		"start Redis or mend the keys redis and redis_password; reports by TCP go on meanwhile";
	const struct config *c = &d->config;
	struct trouble trouble = { 0 };
	char why[200] = "";

	if (c->redis[0] == '\0') {
		doctor_find(d, HEALTH_OK, AREA_REDIS, NULL, "none is configured");
		return;
	}
	redisContext *r = redis_connect(c->redis, &trouble);

	if (!r)
		doctor_find(d, HEALTH_PROBLEM, AREA_REDIS, todo, "%s", trouble.sentence);
	else if (!redis_is_well(r, c->redis_password, why, sizeof why))
		doctor_find(d, HEALTH_PROBLEM, AREA_REDIS, todo, "%s answers \"%s\"", c->redis, why);
	else
		doctor_find(d, HEALTH_OK, AREA_REDIS, NULL, "%s answers", c->redis);
	if (r)
		redisFree(r);
}

/* ---- the daemon ---- */

void doctor_ask(struct doctor *d, const char *area, const char *address, _Bool tls)
{
	struct clock clock = clock_system();
	struct trouble why = { 0 };
	char server[DOCTOR_ADDRESS_SIZE];
	const struct login login = { .server = server, .tls = tls };
	int64_t before = clock.mono_ms(clock.ctx);

	/* Every address of this machine: its own loopback is one of them. */
	snprintf(server, sizeof server, "%s%s", address[0] == ':' ? "localhost" : "", address);
	if (client_answers(&login, &why))
		doctor_find(d, HEALTH_OK, area, NULL, "answers at %s%s in %" PRId64 " ms", address,
		            tls ? " by TLS" : "", clock.mono_ms(clock.ctx) - before);
	else
		doctor_find(d, HEALTH_PROBLEM, area, "journalctl -u gridloopd says more; systemctl restart gridloopd",
		            "nothing good answers at %s: %s", address, why.sentence);
}

void doctor_certificates(struct doctor *d)
{
	const struct config *c = &d->config;
	const struct tls_files files = { c->tls_certificate, c->tls_key, c->tls_client_ca };
	struct problems problems = { 0 };

	if (c->tls_certificate[0] == '\0')
		return;
	tls_server_release(tls_server_new(&files, d->now_ms, &problems));
	if (doctor_find_all(d, AREA_CERTIFICATES, "put a new certificate there, then: gridloop reload", &problems) == 0)
		doctor_find(d, HEALTH_OK, AREA_CERTIFICATES, NULL, "%s is in order for %d days and more",
		            c->tls_certificate, TLS_EXPIRY_WARNING_DAYS);
	problems_close(&problems);
}

void doctor_daemon(struct doctor *d)
{
	char address[CONFIG_ADDRESS_SIZE];

	if (d->database.holder > 0)
		doctor_find(d, HEALTH_OK, AREA_DAEMON, NULL, "process %d has the database", (int)d->database.holder);
	else
		doctor_find(d, HEALTH_PROBLEM, AREA_DAEMON,
		            "systemctl start gridloopd; journalctl -u gridloopd says why it ended",
		            "nobody has the database: the daemon does not run");
	for (size_t i = 0; d->database.holder > 0 && config_address(d->config.listen, i, address); i++)
		doctor_ask(d, AREA_DAEMON, address, 0);
	for (size_t i = 0; d->database.holder > 0 && config_address(d->config.listen_tls, i, address); i++)
		doctor_ask(d, AREA_DAEMON, address, 1);
}

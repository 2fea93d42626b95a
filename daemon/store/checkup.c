#include "store/checkup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "store/connection.h"
#include "store/credentials.h"
#include "store/lock.h"
#include "store/schema.h"
#include "workflow/roster.h"

#define STEPS_BETWEEN_LOOKS 10000

static int past_deadline(void *ctx)
{
	const int64_t *deadline = ctx;
	struct clock clock = clock_system();

	return clock.mono_ms(clock.ctx) > *deadline;
}

_Bool checkup_quick(struct connection *c, int64_t most_ms, _Bool *whole, char **cause)
{
	struct clock clock = clock_system();
	int64_t deadline = clock.mono_ms(clock.ctx) + most_ms;
	sqlite3_stmt *st = NULL;
	_Bool sound = 1;
	int result = sqlite3_prepare_v2(c->db, "PRAGMA quick_check(1)", -1, &st, NULL);

	sqlite3_progress_handler(c->db, STEPS_BETWEEN_LOOKS, past_deadline, &deadline);
	if (result == SQLITE_OK)
		result = sqlite3_step(st);
	if (result == SQLITE_ROW)
		sound = strcmp(column_text(st, 0), "ok") == 0;
	else if ((result & 0xff) != SQLITE_INTERRUPT)
		sound = 0;
	if (!sound)
		must(asprintf(cause, "the database is damaged: %s",
		              result == SQLITE_ROW ? column_text(st, 0) : sqlite3_errmsg(c->db)) >= 0);
	if (whole)
		*whole = result == SQLITE_ROW;
	(void)sqlite3_finalize(st);
	sqlite3_progress_handler(c->db, 0, NULL, NULL);
	return sound;
}

static int64_t size_of(const char *path, const char *ending)
{
	char *name = NULL;
	struct stat about;

	must(asprintf(&name, "%s%s", path, ending) >= 0);
	int64_t size = stat(name, &about) == 0 ? about.st_size : 0;

	free(name);
	return size;
}

static struct roster *roster_from(struct connection *c)
{
	struct roster *r = roster_new();
	sqlite3_stmt *st = NULL;
	struct credential row;
	int result = sqlite3_prepare_v2(
		c->db, "SELECT " CREDENTIAL_NAMES " FROM credential WHERE revoked_ms = 0 ORDER BY id", -1, &st, NULL);

	while (result == SQLITE_OK || result == SQLITE_ROW)
		if ((result = sqlite3_step(st)) == SQLITE_ROW && credentials_read(st, &row))
			roster_obey(r, &row);
	(void)sqlite3_finalize(st);
	if (result == SQLITE_DONE)
		return r;
	roster_free(r);
	return NULL;
}

static void look(struct connection *c, int64_t most_ms, struct checkup *out)
{
	_Bool ok = 1;

	out->schema = connection_number(c, "PRAGMA user_version", -1, &ok);
	if (!schema_check(c, &out->unreadable))
		return;
	out->received = connection_number(
		c, "SELECT (SELECT count(*) FROM open_case) + (SELECT count(*) FROM closed_case)", 0, &ok);
	out->last_ms = connection_number(c,
	                                 "SELECT max(coalesce((SELECT value FROM meta WHERE name = 'last_ms'), 0),"
	                                 " coalesce((SELECT at_ms FROM case_event ORDER BY id DESC LIMIT 1), 0))",
	                                 0, &ok);
	out->roster = roster_from(c);
	if (!ok)
		out->damage = connection_cause(c, "the database is damaged");
	else if (!checkup_quick(c, most_ms, &out->whole, &out->damage))
		out->whole = 0;
}

void checkup_database(const char *path, int64_t most_ms, struct checkup *out)
{
	struct connection c;

	*out = (struct checkup){ .schema = -1 };
	out->holder = store_lock_holder(path);
	out->bytes = size_of(path, "");
	out->in_log = size_of(path, "-wal");
	if (!connection_open(&c, path, NULL, CONNECTION_READ, NULL, 0, &out->unreadable))
		return;
	look(&c, most_ms, out);
	connection_close(&c);
}

void checkup_close(struct checkup *c)
{
	free(c->unreadable);
	free(c->damage);
	c->unreadable = c->damage = NULL;
	roster_free(c->roster);
	c->roster = NULL;
}

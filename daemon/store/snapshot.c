/* SQLite's backup API begins again whenever another connection has written meanwhile, so beside a busy daemon it would
 * never end. It does not when its source holds a read transaction: then every page is of that one moment, out of the log
 * where it is newer there. The price is that the log cannot be begun anew until the copy is done, so it grows by what is
 * written meanwhile; the daemon folds it back afterwards. Nothing here checkpoints. */
#include "store/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/chain.h"
#include "store/connection.h"
#include "store/schema.h"

#define STEP_PAGES 64
#define SYNC_EVERY_STEPS 16 /* 4 MiB: the daemon's own syncs must not wait behind more */

struct copy {
	const struct backup_options *options;
	const char *to;
	struct connection from, into;
	int64_t began_us, page_size;
};

static int64_t mono_us(void)
{
	struct clock clock = clock_system();

	return clock.mono_us(clock.ctx);
}

/* What is behind a refused write is said by the system better than by SQLite. */
static _Bool failed(const struct copy *c, int result, char **cause)
{
	int number = sqlite3_system_errno(c->into.db);
	const char *words = (result & 0xff) == SQLITE_FULL ? "the disk is full"
	                    : (result & 0xff) == SQLITE_IOERR && number == EFBIG
	                            ? "it would be larger than is allowed here"
	                    : (result & 0xff) == SQLITE_IOERR && number != 0 ? strerror(number)
	                                                                     : sqlite3_errstr(result);

	must(asprintf(cause, "cannot copy %s to %s: %s", c->options->database, c->to, words) >= 0);
	return 0;
}

/* ---- the copy ---- */

static _Bool open_both(struct copy *c, char **cause)
{
	_Bool ok = 1;

	if (!connection_open(&c->from, c->options->database, NULL, CONNECTION_READ, NULL, 0, cause) ||
	    !schema_check(&c->from, cause))
		return 0;
	/* BEGIN alone opens nothing: the moment is that of the first look. */
	if (connection_execute(&c->from, "BEGIN") == SQLITE_OK)
		c->page_size =
			connection_number(&c->from, "SELECT page_size FROM pragma_page_size, sqlite_schema", 0, &ok);
	if (!ok || c->page_size == 0) {
		*cause = connection_cause(&c->from, c->options->database);
		return 0;
	}
	return connection_open(&c->into, c->to, NULL, CONNECTION_COPY, NULL, 0, cause);
}

static void hold_back(const struct copy *c, int64_t done)
{
	int64_t rate = c->options->bytes_a_second;
	int64_t ahead_us = rate > 0 ? done * 1000000 / rate - (mono_us() - c->began_us) : 0;

	if (ahead_us > 0) {
		struct timespec pause = { .tv_sec = ahead_us / 1000000, .tv_nsec = ahead_us % 1000000 * 1000 };

		(void)nanosleep(&pause, NULL);
	}
}

static int write_out(struct copy *c)
{
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(c->into.db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file->pMethods)
		return SQLITE_OK;
	return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

static int copy_pages(struct copy *c, sqlite3_backup *b)
{
	int result = SQLITE_OK;

	for (int steps = 1; result == SQLITE_OK; steps++) {
		result = sqlite3_backup_step(b, STEP_PAGES);

		int64_t all = sqlite3_backup_pagecount(b) * c->page_size;
		int64_t done = all - sqlite3_backup_remaining(b) * c->page_size;

		if (result == SQLITE_OK && steps % SYNC_EVERY_STEPS == 0)
			result = write_out(c);
		if (result == SQLITE_OK)
			hold_back(c, done);
		if (c->options->progress)
			c->options->progress(c->options->ctx, done, all);
	}
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int copy_all(struct copy *c)
{
	sqlite3_backup *b = sqlite3_backup_init(c->into.db, "main", c->from.db, "main");

	if (!b)
		return sqlite3_errcode(c->into.db);
	c->began_us = mono_us();

	int result = copy_pages(c, b);
	int end = sqlite3_backup_finish(b);

	if (result == SQLITE_OK)
		result = end;
	/* The source keeps a log; a copy is one file. */
	return result == SQLITE_OK ? connection_execute(&c->into, "PRAGMA journal_mode = DELETE") : result;
}

_Bool snapshot_copy(const struct backup_options *o, const char *to, char **cause)
{
	struct copy c = { .options = o, .to = to };
	_Bool done = open_both(&c, cause);

	if (done) {
		int result = copy_all(&c);

		done = result == SQLITE_OK || failed(&c, result, cause);
	}
	connection_close(&c.into);
	connection_rollback(&c.from);
	connection_close(&c.from);
	return done;
}

/* ---- what is in it ---- */

_Bool snapshot_describe(const char *copy, struct backup_report *out, char **cause)
{
	struct connection c;
	_Bool ok = 1;

	if (!connection_open(&c, copy, NULL, CONNECTION_READ, NULL, 0, cause))
		return 0;
	out->schema = connection_number(&c, "PRAGMA user_version", 0, &ok);
	out->open = connection_number(&c, "SELECT count(*) FROM open_case", 0, &ok);
	out->archived = connection_number(&c, "SELECT count(*) FROM closed_case", 0, &ok);
	out->received = out->open + out->archived;
	out->newest_event = connection_number(&c, "SELECT max(id) FROM case_event", 0, &ok);
	out->newest_ms = connection_number(&c, "SELECT at_ms FROM case_event ORDER BY id DESC LIMIT 1", 0, &ok);
	out->events = connection_number(&c, "SELECT count(*) FROM case_event", 0, &ok);
	out->files_named = connection_number(&c, "SELECT count(DISTINCT sha256) FROM evidence", 0, &ok);
	ok = ok && chain_tell_heads(&c, out->heads, sizeof out->heads);
	if (!ok)
		*cause = connection_cause(&c, copy);
	connection_close(&c);
	return ok;
}

/* Gathered writes, over a VFS that counts and fails as told; SQLite above it is the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/gather_vfs.h"

#define FAR (INT64_C(64) << 20) /* in the log, where no frame is */
#define FRAME 4120

/* ---- a base that counts what is done to a file ---- */

struct counts {
	int reads, writes, syncs, bytes;
	int read_error, write_error, sync_error; /* SQLITE_OK: none */
	int error_from;                          /* the read or write that fails first; 0: every one */
};

struct counted_file {
	sqlite3_io_methods methods; /* the system's, with read, write and sync replaced */
	const sqlite3_io_methods *own;
	struct counts *counts;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *system;
} base;

static struct counts counted, pages; /* of the log, and of the database */

static struct counted_file *behind(sqlite3_file *file)
{
	return (struct counted_file *)(void *)((char *)file + base.system->szOsFile);
}

static int counted_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
	struct counts *n = behind(file)->counts;

	if (++n->reads >= n->error_from && n->read_error != SQLITE_OK)
		return n->read_error;
	return behind(file)->own->xRead(file, bytes, count, at);
}

/* A write that fails has first put half of its bytes there, as a disk does that fills up. */
static int counted_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
	struct counts *n = behind(file)->counts;

	n->bytes += count;
	if (++n->writes < n->error_from || n->write_error == SQLITE_OK)
		return behind(file)->own->xWrite(file, bytes, count, at);
	(void)behind(file)->own->xWrite(file, bytes, count / 2, at);
	return n->write_error;
}

static int counted_sync(sqlite3_file *file, int flags)
{
	struct counts *n = behind(file)->counts;

	n->syncs++;
	return n->sync_error == SQLITE_OK ? behind(file)->own->xSync(file, flags) : n->sync_error;
}

static int counted_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	int result = base.system->xOpen(base.system, name, file, flags, out_flags);
	struct counted_file *mine = behind(file);

	(void)vfs;
	if (result != SQLITE_OK || !(flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_DB)))
		return result;
	mine->own = file->pMethods;
	mine->methods = *file->pMethods;
	mine->methods.xRead = counted_read;
	mine->methods.xWrite = counted_write;
	mine->methods.xSync = counted_sync;
	mine->counts = (flags & SQLITE_OPEN_WAL) ? &counted : &pages;
	file->pMethods = &mine->methods;
	return SQLITE_OK;
}

static const char *counted_vfs(void)
{
	if (base.system == NULL) {
		base.system = sqlite3_vfs_find(NULL);
		base.vfs = *base.system;
		base.vfs.zName = "counted";
		base.vfs.szOsFile = base.system->szOsFile + (int)sizeof(struct counted_file);
		base.vfs.xOpen = counted_open;
		assert_int_equal(sqlite3_vfs_register(&base.vfs, 0), SQLITE_OK);
	}
	return "counted";
}

static void count_anew(void)
{
	counted = pages = (struct counts){ 0 };
}

/* ---- a database ---- */

struct desk {
	char folder[128], path[160];
	sqlite3 *writer, *reader;
};

static int run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static void must_run(sqlite3 *db, const char *sql)
{
	if (run(db, sql) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return value;
}

static sqlite3 *open_database(const char *path, const char *vfs)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, vfs),
	                 SQLITE_OK);
	must_run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
	return db;
}

static int desk_open(void **state)
{
	struct desk *d = calloc(1, sizeof *d);
	const char *folder = getenv("TMPDIR");

	snprintf(d->folder, sizeof d->folder, "%s/gridloop-gather-XXXXXX", folder ? folder : "/tmp");
	assert_non_null(mkdtemp(d->folder));
	snprintf(d->path, sizeof d->path, "%s/desk.db", d->folder);
	count_anew();
	d->writer = open_database(d->path, gather_vfs_over(counted_vfs()));
	must_run(d->writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, size INTEGER, body BLOB)");
	d->reader = open_database(d->path, NULL);
	count_anew();
	*state = d;
	return 0;
}

static int desk_close(void **state)
{
	static const char *const names[] = { "desk.db", "desk.db-wal", "desk.db-shm",
		                             "copy.db", "copy.db-wal", "copy.db-shm" };
	struct desk *d = *state;
	char path[300];

	count_anew();
	assert_int_equal(sqlite3_close(d->reader), SQLITE_OK);
	assert_int_equal(sqlite3_close(d->writer), SQLITE_OK);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", d->folder, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(d->folder), 0);
	free(d);
	return 0;
}

/* `rows` rows of a page each, in one transaction. */
static int commit_rows(sqlite3 *db, int rows)
{
	char sql[300];

	snprintf(sql, sizeof sql,
	         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
	         " INSERT INTO t (size, body) SELECT 4000, randomblob(4000) FROM n",
	         rows);
	return run(db, sql);
}

static sqlite3_file *log_of(sqlite3 *db)
{
	sqlite3_file *file = NULL;

	assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file), SQLITE_OK);
	assert_non_null(file->pMethods);
	return file;
}

static void assert_sound(sqlite3 *db, int rows)
{
	assert_int_equal(number(db, "SELECT count(*) FROM t"), rows);
	assert_int_equal(number(db, "SELECT count(*) FROM t WHERE length(body) <> size"), 0);
	assert_int_equal(number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

/* ---- SQLite above ---- */

static void a_commit_is_one_write(void **state)
{
	struct desk *d = *state;

	for (int i = 1; i <= 5; i++) {
		count_anew();
		assert_int_equal(commit_rows(d->writer, 20), SQLITE_OK);
		assert_int_equal(counted.writes, 1);
		assert_int_equal(counted.syncs, 1);
		assert_true(counted.bytes > 20 * FRAME);
		assert_int_equal(counted.bytes % FRAME, 0);
		assert_sound(d->reader, 20 * i);
	}
}

/* Spilled pages are read back, written again, rolled back and written over; the reader sees whole commits only. */
static void a_transaction_larger_than_the_cache(void **state)
{
	struct desk *d = *state;

	must_run(d->writer, "PRAGMA cache_size = 10");
	must_run(d->writer, "BEGIN");
	assert_int_equal(commit_rows(d->writer, 600), SQLITE_OK);
	assert_true(counted.writes > 0);
	assert_int_equal(counted.syncs, 0);
	assert_int_equal(number(d->writer, "SELECT count(*) FROM t WHERE length(body) = size"), 600);
	must_run(d->writer, "UPDATE t SET body = randomblob(3000), size = 3000 WHERE id % 3 = 0");
	assert_sound(d->reader, 0);
	must_run(d->writer, "COMMIT");
	assert_sound(d->reader, 600);

	must_run(d->writer, "BEGIN; DELETE FROM t WHERE id % 2 = 0");
	assert_int_equal(commit_rows(d->writer, 100), SQLITE_OK);
	must_run(d->writer, "ROLLBACK");
	assert_sound(d->reader, 600);
	assert_int_equal(commit_rows(d->writer, 3), SQLITE_OK);
	assert_sound(d->reader, 603);
	must_run(d->writer, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(commit_rows(d->writer, 1), SQLITE_OK);
	assert_sound(d->reader, 604);
}

static void a_full_disk_stays_full_and_leaves_nothing(void **state)
{
	struct desk *d = *state;

	assert_int_equal(commit_rows(d->writer, 5), SQLITE_OK);
	counted.write_error = SQLITE_FULL;
	assert_int_equal(commit_rows(d->writer, 30), SQLITE_FULL);
	assert_int_equal(counted.syncs, 1); /* the first commit's: what was not written is not synced */
	assert_true(sqlite3_get_autocommit(d->writer));
	assert_sound(d->reader, 5);
	count_anew();
	assert_int_equal(commit_rows(d->writer, 2), SQLITE_OK);
	assert_int_equal(counted.writes, 1); /* nothing of the failed one is written late */
	assert_sound(d->reader, 7);
}

/* The spilled pages cannot be read back: whatever SQLite makes of that, half a transaction is never there. */
static void a_disk_that_fills_while_pages_are_read_back(void **state)
{
	struct desk *d = *state;

	assert_int_equal(commit_rows(d->writer, 5), SQLITE_OK);
	must_run(d->writer, "PRAGMA cache_size = 10; BEGIN");
	assert_int_equal(commit_rows(d->writer, 100), SQLITE_OK);
	counted.write_error = SQLITE_FULL;
	assert_int_equal(run(d->writer, "UPDATE t SET body = randomblob(1), size = 1"), SQLITE_FULL);
	count_anew();
	(void)run(d->writer, "COMMIT");
	assert_true(sqlite3_get_autocommit(d->writer));
	assert_sound(d->reader, number(d->reader, "SELECT count(*) FROM t") == 5 ? 5 : 105);
	assert_int_equal(commit_rows(d->writer, 2), SQLITE_OK);
	assert_int_equal(number(d->reader, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

static void a_failed_sync_fails_the_commit(void **state)
{
	struct desk *d = *state;

	counted.sync_error = SQLITE_IOERR_FSYNC;
	assert_int_equal(commit_rows(d->writer, 5), SQLITE_IOERR);
	assert_int_equal(sqlite3_extended_errcode(d->writer), SQLITE_IOERR_FSYNC);
	count_anew();
	counted.write_error = SQLITE_IOERR_WRITE;
	assert_int_equal(commit_rows(d->writer, 5), SQLITE_IOERR);
	assert_int_equal(sqlite3_extended_errcode(d->writer), SQLITE_IOERR_WRITE);
	assert_sound(d->reader, 0);
}

static void copy_file(const struct desk *d, const char *from, const char *to)
{
	char name[300], bytes[65536];
	size_t count;
	FILE *in, *out;

	snprintf(name, sizeof name, "%s/%s", d->folder, from);
	in = fopen(name, "rb");
	snprintf(name, sizeof name, "%s/%s", d->folder, to);
	out = fopen(name, "wb");
	assert_non_null(in);
	assert_non_null(out);
	while ((count = fread(bytes, 1, sizeof bytes, in)) > 0)
		assert_int_equal(fwrite(bytes, 1, count, out), count);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* The files as they lie while the writer lives and a transaction is open are what a killed process leaves. */
static void what_was_committed_outlives_the_process(void **state)
{
	struct desk *d = *state;
	char path[300];
	sqlite3 *db;

	for (int i = 0; i < 10; i++)
		assert_int_equal(commit_rows(d->writer, 7), SQLITE_OK);
	must_run(d->writer, "PRAGMA cache_size = 10; BEGIN");
	assert_int_equal(commit_rows(d->writer, 40), SQLITE_OK);
	copy_file(d, "desk.db", "copy.db");
	copy_file(d, "desk.db-wal", "copy.db-wal");
	must_run(d->writer, "ROLLBACK");
	snprintf(path, sizeof path, "%s/copy.db", d->folder);
	db = open_database(path, NULL);
	assert_sound(db, 70);
	sqlite3_close(db);
}

/* ---- a checkpoint ---- */

static int bring_home(sqlite3 *db)
{
	return sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* The database file without its log: what a checkpoint that was counted must have made of it. */
static void assert_home(const struct desk *d, int rows)
{
	char path[300];
	sqlite3 *db;

	copy_file(d, "desk.db", "copy.db");
	snprintf(path, sizeof path, "%s/copy.db", d->folder);
	db = open_database(path, NULL);
	assert_sound(db, rows);
	sqlite3_close(db);
}

static void a_checkpoint_writes_neighbours_at_once(void **state)
{
	struct desk *d = *state;

	for (int i = 0; i < 10; i++)
		assert_int_equal(commit_rows(d->writer, 20), SQLITE_OK);
	assert_int_equal(pages.writes, 0);
	assert_int_equal(bring_home(d->writer), SQLITE_OK);
	assert_true(pages.bytes >= 200 * 4096);
	assert_int_equal(pages.bytes % 4096, 0);
	assert_true(pages.writes <= pages.bytes / (GATHER_MOST / 4096 * 4096) + 3); /* page 1 lies apart */
	assert_int_equal(pages.syncs, 1);
	assert_sound(d->reader, 200);
	assert_home(d, 200);
}

/* It is not counted, so its pages stay in the log; and what it had kept must not be written when others have been there. */
static void a_checkpoint_that_fails_leaves_nothing_for_later(void **state)
{
	struct desk *d = *state;

	assert_int_equal(commit_rows(d->writer, 100), SQLITE_OK);
	for (int from = 1; from <= 4; from++) {
		count_anew();
		pages.write_error = SQLITE_FULL;
		pages.error_from = from;
		assert_int_equal(bring_home(d->writer), SQLITE_FULL);
		assert_int_equal(pages.syncs, 0);
		count_anew();
		assert_sound(d->writer, 100 + from - 1);
		assert_int_equal(commit_rows(d->writer, 1), SQLITE_OK);
		assert_int_equal(pages.writes, 0);
		assert_sound(d->reader, 100 + from);
	}
	assert_int_equal(bring_home(d->writer), SQLITE_OK);
	assert_home(d, 104);
}

/* What was read before that cannot be written either; then somebody else changes the same pages and brings them home. */
static void a_checkpoint_that_cannot_read_the_log(void **state)
{
	struct desk *d = *state;

	assert_int_equal(commit_rows(d->writer, 20), SQLITE_OK);
	count_anew();
	counted.read_error = SQLITE_IOERR_READ;
	counted.error_from = 10;
	pages.write_error = SQLITE_FULL;
	assert_int_equal(bring_home(d->writer) & 0xff, SQLITE_IOERR);
	assert_int_equal(pages.syncs, 0);
	count_anew();
	must_run(d->reader, "UPDATE t SET body = randomblob(3000), size = 3000");
	assert_int_equal(bring_home(d->reader), SQLITE_OK);
	assert_home(d, 20);
	assert_int_equal(commit_rows(d->writer, 1), SQLITE_OK);
	assert_int_equal(pages.writes, 0);
	assert_int_equal(bring_home(d->writer), SQLITE_OK);
	assert_home(d, 21);
	assert_int_equal(number(d->writer, "SELECT count(*) FROM t WHERE size = 3000"), 20);
}

static void a_sync_that_fails_fails_the_checkpoint(void **state)
{
	struct desk *d = *state;

	assert_int_equal(commit_rows(d->writer, 20), SQLITE_OK);
	pages.sync_error = SQLITE_IOERR_FSYNC;
	assert_int_equal(bring_home(d->writer) & 0xff, SQLITE_IOERR);
	count_anew();
	assert_int_equal(bring_home(d->writer), SQLITE_OK);
	assert_true(pages.writes > 0); /* all of it once more */
	assert_home(d, 20);
}

/* The padding behind a commit is published though written after the sync, so it may not wait. */
static void a_padded_log_is_not_gathered(void **state)
{
	struct desk *d = *state;
	char uri[400];
	sqlite3 *db;

	snprintf(uri, sizeof uri, "file:%s?psow=0", d->path);
	db = open_database(uri, gather_vfs_over("counted"));
	count_anew();
	assert_int_equal(commit_rows(db, 20), SQLITE_OK);
	assert_true(counted.writes > 40);
	assert_sound(d->reader, 20);
	sqlite3_close(db);
}

/* ---- the file by itself ---- */

static void assert_written(int writes, int bytes)
{
	assert_int_equal(counted.writes, writes);
	assert_int_equal(counted.bytes, bytes);
}

static void put(sqlite3_file *f, const char *text, sqlite3_int64 at)
{
	assert_int_equal(f->pMethods->xWrite(f, text, (int)strlen(text), at), SQLITE_OK);
}

static void kept_bytes_are_seen(void **state)
{
	struct desk *d = *state;
	sqlite3_file *f = log_of(d->writer);
	char text[7] = "";
	sqlite3_int64 size;

	put(f, "abc", FAR);
	put(f, "def", FAR + 3);
	assert_written(0, 0);
	assert_int_equal(f->pMethods->xRead(f, text, 6, FAR), SQLITE_OK);
	assert_string_equal(text, "abcdef");
	assert_written(1, 6);

	put(f, "ghi", FAR + 6);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_int_equal(size, FAR + 9);
	assert_written(2, 9);

	put(f, "xy", FAR + 1); /* not contiguous with what follows */
	put(f, "z", FAR + 20);
	assert_written(3, 11);
	assert_int_equal(f->pMethods->xTruncate(f, FAR + 5), SQLITE_OK);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_int_equal(size, FAR + 5);
	assert_written(3, 11); /* cut off before it was written */
	assert_int_equal(f->pMethods->xRead(f, text, 5, FAR), SQLITE_OK);
	assert_memory_equal(text, "axyde", 5);

	put(f, "end", FAR + 5);
	assert_int_equal(f->pMethods->xTruncate(f, FAR + 7), SQLITE_OK);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	assert_int_equal(size, FAR + 7);
	put(f, "!", FAR + 7);
	(void)f->pMethods->xFileControl(f, SQLITE_FCNTL_LOCKSTATE, &(int){ 0 });
	assert_written(5, 15);
}

static void a_full_buffer_is_written(void **state)
{
	struct desk *d = *state;
	sqlite3_file *f = log_of(d->writer);
	char *bytes = calloc(1, GATHER_MOST);

	memset(bytes, 'x', GATHER_MOST);
	assert_int_equal(f->pMethods->xWrite(f, bytes, GATHER_MOST, FAR), SQLITE_OK);
	assert_written(0, 0);
	put(f, "a", FAR + GATHER_MOST);
	assert_written(1, GATHER_MOST);
	assert_int_equal(f->pMethods->xWrite(f, bytes, GATHER_MOST, FAR + GATHER_MOST + 1), SQLITE_OK);
	assert_written(2, GATHER_MOST + 1);
	assert_int_equal(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_written(3, 2 * GATHER_MOST + 1);
	assert_int_equal(f->pMethods->xRead(f, bytes, 3, FAR + GATHER_MOST - 1), SQLITE_OK);
	assert_memory_equal(bytes, "xax", 3);
	free(bytes);
}

static void errors_come_from_the_call_that_writes(void **state)
{
	struct desk *d = *state;
	sqlite3_file *f = log_of(d->writer);
	char text[4] = "";
	sqlite3_int64 size;

	counted.write_error = SQLITE_FULL;
	put(f, "abc", FAR);
	assert_int_equal(f->pMethods->xRead(f, text, 3, FAR), SQLITE_FULL);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_FULL);
	counted.write_error = SQLITE_OK;
	assert_int_equal(f->pMethods->xRead(f, text, 3, FAR), SQLITE_OK); /* kept until it went */
	assert_string_equal(text, "abc");

	put(f, "def", FAR + 3);
	counted.write_error = SQLITE_FULL;
	assert_int_equal(f->pMethods->xWrite(f, "x", 1, FAR + 90), SQLITE_FULL);
	count_anew();
	assert_int_equal(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_written(0, 0); /* told once, dropped */
}

static void a_name_for_every_base(void **state)
{
	(void)state;
	assert_ptr_equal(gather_vfs_over(NULL), gather_vfs_over(sqlite3_vfs_find(NULL)->zName));
	assert_string_not_equal(gather_vfs_over(NULL), gather_vfs_over(counted_vfs()));
	assert_ptr_equal(gather_vfs_over("counted"), gather_vfs_over("counted"));
	assert_string_equal(gather_vfs_over("no such"), "no such");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, desk_open, desk_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_commit_is_one_write),
		TEST(a_transaction_larger_than_the_cache),
		TEST(a_full_disk_stays_full_and_leaves_nothing),
		TEST(a_disk_that_fills_while_pages_are_read_back),
		TEST(a_failed_sync_fails_the_commit),
		TEST(what_was_committed_outlives_the_process),
		TEST(a_checkpoint_writes_neighbours_at_once),
		TEST(a_checkpoint_that_fails_leaves_nothing_for_later),
		TEST(a_checkpoint_that_cannot_read_the_log),
		TEST(a_sync_that_fails_fails_the_checkpoint),
		TEST(a_padded_log_is_not_gathered),
		TEST(kept_bytes_are_seen),
		TEST(a_full_buffer_is_written),
		TEST(errors_come_from_the_call_that_writes),
		cmocka_unit_test(a_name_for_every_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

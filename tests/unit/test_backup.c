/* A backup holds one moment whatever is written meanwhile, and a restore takes nothing that is not whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/backup.h"
#include "store/lock.h"
#include "store/tar.h"
#include "store_kit.h"

#define MANY 700 /* cases: more pages than one step copies */

struct place {
	struct kit kit;
	char to[256], into[256], evidence[256], restored_evidence[256];
};

static int start(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	kit_start(&p->kit);
	kit_street(&p->kit);
	snprintf(p->to, sizeof p->to, "%s/backup", p->kit.folder);
	snprintf(p->into, sizeof p->into, "%s/restored.db", p->kit.folder);
	snprintf(p->evidence, sizeof p->evidence, "%s/evidence", p->kit.folder);
	snprintf(p->restored_evidence, sizeof p->restored_evidence, "%s/restored-evidence", p->kit.folder);
	(void)signal(SIGXFSZ, SIG_IGN);
	*state = p;
	return 0;
}

static int end(void **state)
{
	struct place *p = *state;
	char command[400];

	snprintf(command, sizeof command, "cd '%s' && rm -rf backup* restored* evidence", p->kit.folder);
	assert_int_equal(system(command), 0);
	kit_end(&p->kit);
	free(p);
	return 0;
}

#define WITH_PLACE(f) cmocka_unit_test_setup_teardown(f, start, end)

/* ---- tools ---- */

static void assert_gone(const char *path, const char *ending)
{
	char name[300];

	snprintf(name, sizeof name, "%s%s", path, ending);
	if (access(name, F_OK) == 0)
		fail_msg("%s was left behind", name);
}

static void make(const struct place *p, const char *evidence, struct backup_report *report)
{
	struct backup_options o = { .database = p->kit.path, .evidence = evidence, .to = p->to };
	char *cause = NULL;

	if (!backup_make(&o, report, &cause))
		fail_msg("%s", cause);
	assert_gone(p->to, ".part");
}

static _Bool bring_back(const struct place *p, const char *from, struct backup_report *report, char **cause)
{
	struct restore_options o = { .name = "the backup", .to = p->into, .evidence = p->restored_evidence };
	_Bool done;

	*cause = NULL;
	o.fd = open(from, O_RDONLY | O_CLOEXEC);
	assert_true(o.fd >= 0);
	done = restore_run(&o, report, cause);
	close(o.fd);
	return done;
}

static void refused(const struct place *p, const char *from, const char *word)
{
	struct backup_report report;
	char *cause = NULL;

	if (bring_back(p, from, &report, &cause))
		fail_msg("restored what it had to refuse as \"%s\"", word);
	if (!strstr(cause, word))
		fail_msg("\"%s\" does not say \"%s\"", cause, word);
	free(cause);
	assert_gone(p->into, ".part");
	assert_gone(p->restored_evidence, ".part");
}

static char *bytes_of(const char *path, size_t *size)
{
	struct stat about;
	FILE *from = fopen(path, "rb");

	assert_non_null(from);
	assert_int_equal(fstat(fileno(from), &about), 0);
	char *bytes = malloc((size_t)about.st_size + 1);

	*size = fread(bytes, 1, (size_t)about.st_size, from);
	assert_int_equal(*size, about.st_size);
	fclose(from);
	return bytes;
}

static void put_bytes(const char *path, const char *bytes, size_t size)
{
	FILE *to = fopen(path, "wb");

	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, size, to), size);
	assert_int_equal(fclose(to), 0);
}

static void many_cases(struct kit *k)
{
	static char text[400];
	struct kit_report r = { .reporter = "resident-01", .description = text, .keyed = 1 };

	memset(text, 'x', sizeof text - 1);
	for (int i = 0; i < MANY; i++)
		(void)kit_new_case(k, &r);
}

/* What the street's photo is made of. */
#define PHOTO "photo"

static void photo_path(const char *folder, const char *hex, char out[400])
{
	snprintf(out, 400, "%s/%.2s/%.2s/%s", folder, hex, hex + 2, hex);
}

/* Puts a file where its digest says, and the digest into every row of evidence. */
static void give_photo(struct place *p, char hex[DIGEST_TEXT_SIZE])
{
	struct digester *d = digester_new();
	uint8_t digest[DIGEST_SIZE];
	char path[400], command[600], sql[400];

	digest_begin(d);
	digest_add(d, PHOTO, strlen(PHOTO));
	digest_end(d, digest);
	digester_free(d);
	digest_text(digest, hex);
	snprintf(command, sizeof command, "mkdir -p '%s/%.2s/%.2s'", p->evidence, hex, hex + 2);
	assert_int_equal(system(command), 0);
	photo_path(p->evidence, hex, path);
	put_bytes(path, PHOTO, strlen(PHOTO));
	store_close(p->kit.store);
	p->kit.store = NULL;
	snprintf(sql, sizeof sql,
	         "UPDATE case_evidence SET sha256 = x'%s'; UPDATE evidence SET sha256 = x'%s', size = %zu", hex, hex,
	         strlen(PHOTO));
	kit_tamper(&p->kit, sql);
	kit_reopen(&p->kit);
}

/* ---- backup ---- */

static void a_backup_is_the_database(void **state)
{
	struct place *p = *state;
	struct backup_report report;
	struct verify_report proof;
	char *cause = NULL;

	make(p, NULL, &report);
	assert_int_equal(report.received, 10);
	assert_int_equal(report.open, 4);
	assert_int_equal(report.archived, 6);
	assert_int_equal(report.schema, STORE_SCHEMA_VERSION);
	assert_int_equal(report.newest_event, casebook_counters(p->kit.book)->event - 1);
	assert_int_equal(report.events, report.newest_event);
	assert_true(report.newest_ms > KIT_START_MS);
	assert_true(verify_holds(&report.proof));
	assert_true(verify_database(p->to, NULL, NULL, &proof, &cause));
	assert_true(verify_holds(&proof));
	assert_gone(p->to, "-wal");
	assert_gone(p->to, "-shm");
}

static void the_digest_is_that_of_the_file(void **state)
{
	struct place *p = *state;
	struct backup_report report;
	struct digester *d = digester_new();
	uint8_t digest[DIGEST_SIZE];
	char hex[DIGEST_TEXT_SIZE], *bytes;
	size_t size;

	make(p, NULL, &report);
	bytes = bytes_of(p->to, &size);
	assert_int_equal(size, report.bytes);
	digest_begin(d);
	digest_add(d, bytes, size);
	digest_end(d, digest);
	digest_text(digest, hex);
	assert_string_equal(hex, report.digest);
	digester_free(d);
	free(bytes);
}

struct meanwhile {
	struct kit *kit;
	int calls;
};

static void write_meanwhile(void *ctx, int64_t done, int64_t all)
{
	struct meanwhile *m = ctx;
	struct kit_report r = { .reporter = "resident-02", .description = "reported while it was copied", .keyed = 1 };

	assert_true(done <= all);
	m->calls++;
	(void)kit_new_case(m->kit, &r);
	assert_int_equal(store_checkpoint(m->kit->store, 1), STORE_OK);
}

static void writing_meanwhile_neither_disturbs_nor_prolongs_it(void **state)
{
	struct place *p = *state;
	struct meanwhile m = { .kit = &p->kit };
	struct backup_options o = { .database = p->kit.path, .to = p->to, .progress = write_meanwhile, .ctx = &m };
	struct backup_report report;
	char *cause = NULL;

	many_cases(&p->kit);
	if (!backup_make(&o, &report, &cause))
		fail_msg("%s", cause);
	assert_int_equal(report.received, 10 + MANY);
	assert_true(m.calls > 1);
	assert_true(m.calls <= report.bytes / (64 * 4096) + 1);
	assert_int_equal(kit_number(&p->kit, "SELECT count(*) FROM open_case"), 4 + MANY + m.calls);
}

static void it_holds_to_its_rate(void **state)
{
	struct place *p = *state;
	struct backup_options o = { .database = p->kit.path, .to = p->to, .bytes_a_second = 4 << 20 };
	struct clock clock = clock_system();
	struct backup_report report;
	char *cause = NULL;

	many_cases(&p->kit);
	int64_t before = clock.mono_ms(clock.ctx);

	assert_true(backup_make(&o, &report, &cause));
	assert_true(clock.mono_ms(clock.ctx) - before >= (report.bytes - 64 * 4096) * 1000 / (4 << 20));
}

static void what_may_not_be_written_over(void **state)
{
	struct place *p = *state;
	const char *targets[] = { p->kit.path, p->kit.folder };
	const char *words[] = { "the database itself", "no plain file" };
	struct backup_report report;

	for (size_t i = 0; i < 2; i++) {
		struct backup_options o = { .database = p->kit.path, .to = targets[i] };
		char *cause = NULL;

		assert_false(backup_make(&o, &report, &cause));
		if (!strstr(cause, words[i]))
			fail_msg("\"%s\" does not say \"%s\"", cause, words[i]);
		free(cause);
	}
}

static void a_full_disk_leaves_the_backup_of_before(void **state)
{
	struct place *p = *state;
	struct backup_options o = { .database = p->kit.path, .to = p->to };
	struct rlimit all, little = { .rlim_cur = 64 * 1024 };
	struct backup_report report;
	char *cause = NULL, *before, *after;
	size_t size_before, size_after;

	make(p, NULL, &report);
	before = bytes_of(p->to, &size_before);
	many_cases(&p->kit);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	little.rlim_max = all.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	_Bool done = backup_make(&o, &report, &cause);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_false(done);
	if (!strstr(cause, "larger than is allowed") && !strstr(cause, "full"))
		fail_msg("\"%s\" does not say why", cause);
	free(cause);
	assert_gone(p->to, ".part");
	after = bytes_of(p->to, &size_after);
	assert_int_equal(size_before, size_after);
	assert_memory_equal(before, after, size_before);
	free(before);
	free(after);
}

static void two_at_once_do_not_mix(void **state)
{
	struct place *p = *state;
	struct backup_options o = { .database = p->kit.path, .to = p->to };
	struct backup_report report;
	char name[300], *cause = NULL;
	int fd;

	snprintf(name, sizeof name, "%s.part", p->to);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(backup_make(&o, &report, &cause));
	assert_non_null(strstr(cause, "being made by another"));
	free(cause);
	assert_int_equal(access(name, F_OK), 0);
	/* Its maker was killed: what it left is used again. */
	close(fd);
	make(p, NULL, &report);
}

static void a_damaged_database_is_told(void **state)
{
	struct place *p = *state;
	struct backup_options o = { .database = p->kit.path, .to = p->to };
	struct backup_report report;
	char *cause = NULL;

	store_close(p->kit.store);
	p->kit.store = NULL;
	kit_tamper(&p->kit, "UPDATE open_case SET level = 2");
	assert_false(backup_make(&o, &report, &cause));
	assert_non_null(strstr(cause, "events replay to the row"));
	free(cause);
	o.unproved = 1;
	cause = NULL;
	assert_true(backup_make(&o, &report, &cause));
	refused(p, p->to, "events replay to the row");
}

/* ---- restore ---- */

static void what_was_backed_up_comes_back(void **state)
{
	struct place *p = *state;
	struct backup_report made, restored;
	struct verify_report proof;
	char hex[DIGEST_TEXT_SIZE], path[400], *cause = NULL;

	give_photo(p, hex);
	for (int with = 0; with < 2; with++) {
		make(p, with ? p->evidence : NULL, &made);
		assert_int_equal(made.files, with);
		assert_int_equal(made.files_missing, 0);
		if (!bring_back(p, p->to, &restored, &cause))
			fail_msg("%s", cause);
		assert_int_equal(restored.received, made.received);
		assert_int_equal(restored.newest_event, made.newest_event);
		assert_int_equal(restored.files, with);
		assert_true(verify_database(p->into, NULL, NULL, &proof, &cause));
		assert_true(verify_holds(&proof));
		photo_path(p->restored_evidence, hex, path);
		assert_int_equal(access(path, R_OK) == 0, with);
		assert_int_equal(unlink(p->into), 0);
	}
}

static void a_missing_photo_is_told_and_the_rest_restored(void **state)
{
	struct place *p = *state;
	struct backup_report made, restored;
	char hex[DIGEST_TEXT_SIZE], path[400], *cause = NULL;

	give_photo(p, hex);
	photo_path(p->evidence, hex, path);
	put_bytes(path, "other", 5);
	make(p, p->evidence, &made);
	assert_int_equal(made.files, 0);
	assert_int_equal(made.files_missing, 1);
	assert_non_null(strstr(made.first_missing, "other bytes"));
	assert_int_equal(unlink(path), 0);
	make(p, p->evidence, &made);
	assert_non_null(strstr(made.first_missing, "not there"));
	if (!bring_back(p, p->to, &restored, &cause))
		fail_msg("%s", cause);
	assert_int_equal(restored.files_missing, 1);
}

static void an_upload_that_nobody_named_may_be_gone(void **state)
{
	struct place *p = *state;
	struct backup_report made, restored;
	struct verify_report proof;
	char hex[DIGEST_TEXT_SIZE], *cause = NULL;

	give_photo(p, hex);
	store_close(p->kit.store);
	p->kit.store = NULL;
	kit_tamper(&p->kit, "INSERT INTO evidence SELECT zeroblob(32), 'somebody', 5, 'image/jpeg', 1, 0, 0");
	kit_reopen(&p->kit);
	make(p, p->evidence, &made);
	assert_int_equal(made.files_missing, 0);
	if (!bring_back(p, p->to, &restored, &cause))
		fail_msg("%s", cause);
	assert_int_equal(restored.files_missing, 0);
	assert_int_equal(restored.files_named, 1);
	assert_true(verify_database(p->into, NULL, NULL, &proof, &cause));
	assert_true(verify_evidence(p->into, p->restored_evidence, NULL, NULL, &proof, &cause));
	assert_true(verify_holds(&proof));
}

static void nothing_is_written_over(void **state)
{
	struct place *p = *state;
	struct backup_report made;
	char wal[300], *cause = NULL;
	int lock;

	make(p, NULL, &made);
	put_bytes(p->into, "precious", 8);
	refused(p, p->to, "exists");
	assert_int_equal(unlink(p->into), 0);
	/* SQLite would take it for the restored database's log. */
	snprintf(wal, sizeof wal, "%s-wal", p->into);
	put_bytes(wal, "precious", 8);
	refused(p, p->to, "exists");
	assert_int_equal(unlink(wal), 0);
	lock = store_lock(p->into, &cause);
	assert_int_equal(store_lock_holder(p->into), getpid());
	refused(p, p->to, "in use by another process");
	close(lock);
	assert_int_equal(store_lock_holder(p->into), 0);
}

static void evidence_is_not_written_over(void **state)
{
	struct place *p = *state;
	struct backup_report made;
	char hex[DIGEST_TEXT_SIZE], name[400];

	give_photo(p, hex);
	make(p, p->evidence, &made);
	assert_int_equal(mkdir(p->restored_evidence, 0700), 0);
	snprintf(name, sizeof name, "%s/precious", p->restored_evidence);
	put_bytes(name, "precious", 8);
	refused(p, p->to, "must not be written over");
	assert_int_equal(access(name, F_OK), 0);
}

static void a_cut_backup_is_refused(void **state)
{
	struct place *p = *state;
	struct backup_report made;
	char hex[DIGEST_TEXT_SIZE], cut[300];

	give_photo(p, hex);
	snprintf(cut, sizeof cut, "%s-cut", p->to);
	for (int with = 0; with < 2; with++) {
		size_t size;

		make(p, with ? p->evidence : NULL, &made);
		char *bytes = bytes_of(p->to, &size);
		const size_t lengths[] = { 0,           1,           15,         16,      99,       100,
			                   511,         512,         1024,       4096,    size / 3, size / 2,
			                   size - 4096, size - 1536, size - 512, size - 1 };

		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
			put_bytes(cut, bytes, lengths[i]);
			refused(p, cut, "the backup");
		}
		free(bytes);
	}
}

static void each_damaged_byte_of_a_tar_is_seen(void **state)
{
	struct place *p = *state;
	struct backup_report made;
	char hex[DIGEST_TEXT_SIZE], damaged[300];
	size_t size, tried = 0;

	give_photo(p, hex);
	make(p, p->evidence, &made);
	snprintf(damaged, sizeof damaged, "%s-damaged", p->to);
	char *bytes = bytes_of(p->to, &size);

	for (size_t at = 0; at < size; at += at < TAR_BLOCK ? 37 : at + 4096 < size ? 1999 : 53) {
		bytes[at] ^= 0x10;
		put_bytes(damaged, bytes, size);
		struct backup_report report;
		char *cause = NULL;

		if (bring_back(p, damaged, &report, &cause))
			fail_msg("byte %zu of %zu may be any", at, size);
		free(cause);
		bytes[at] ^= 0x10;
		tried++;
	}
	assert_true(tried > 50);
	free(bytes);
}

static void another_programs_file_is_refused(void **state)
{
	struct place *p = *state;
	struct backup_report made;
	uint8_t block[3 * TAR_BLOCK] = { 0 };
	struct tar_entry e = { .name = "../../etc/passwd" };
	char other[300];
	size_t size;

	snprintf(other, sizeof other, "%s-other", p->to);
	put_bytes(other, "gzip or what you like", 21);
	refused(p, other, "no backup of gridloop");
	tar_header(&e, block);
	put_bytes(other, (const char *)block, sizeof block);
	refused(p, other, "has no place");
	store_close(p->kit.store);
	p->kit.store = NULL;
	kit_tamper(&p->kit, "PRAGMA application_id = 7");
	char *bytes = bytes_of(p->kit.path, &size);

	put_bytes(other, bytes, size);
	free(bytes);
	refused(p, other, "another application");
	kit_tamper(&p->kit, "PRAGMA application_id = 1735551332");
	kit_reopen(&p->kit);
	make(p, NULL, &made);
}

static void a_newer_schema_is_refused(void **state)
{
	struct place *p = *state;
	struct backup_options o = { .database = p->kit.path, .to = p->to, .unproved = 1 };
	struct backup_report made;
	struct store_options again = { .path = p->kit.path, .checkpoint_frames = 1000 };
	char newer[300], *cause = NULL, *bytes;
	size_t size;

	snprintf(newer, sizeof newer, "%s-newer", p->to);
	make(p, NULL, &made);
	store_close(p->kit.store);
	p->kit.store = NULL;
	kit_tamper(&p->kit, "PRAGMA user_version = 99");
	bytes = bytes_of(p->kit.path, &size);
	put_bytes(newer, bytes, size);
	refused(p, newer, "use the newer program");
	assert_false(backup_make(&o, &made, &cause));
	assert_non_null(strstr(cause, "use the newer program"));
	free(cause);
	/* Nor does the daemon run on it, and it leaves every byte as it was. */
	cause = NULL;
	assert_null(store_open(&again, &cause));
	assert_non_null(strstr(cause, "use the newer program"));
	free(cause);
	char *after = bytes_of(p->kit.path, &(size_t){ 0 });

	assert_memory_equal(bytes, after, size);
	free(after), free(bytes);
	snprintf(newer, sizeof newer, "PRAGMA user_version = %d", STORE_SCHEMA_VERSION);
	kit_tamper(&p->kit, newer);
	kit_reopen(&p->kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PLACE(a_backup_is_the_database),
		WITH_PLACE(the_digest_is_that_of_the_file),
		WITH_PLACE(writing_meanwhile_neither_disturbs_nor_prolongs_it),
		WITH_PLACE(it_holds_to_its_rate),
		WITH_PLACE(what_may_not_be_written_over),
		WITH_PLACE(a_full_disk_leaves_the_backup_of_before),
		WITH_PLACE(two_at_once_do_not_mix),
		WITH_PLACE(a_damaged_database_is_told),
		WITH_PLACE(what_was_backed_up_comes_back),
		WITH_PLACE(a_missing_photo_is_told_and_the_rest_restored),
		WITH_PLACE(an_upload_that_nobody_named_may_be_gone),
		WITH_PLACE(nothing_is_written_over),
		WITH_PLACE(evidence_is_not_written_over),
		WITH_PLACE(a_cut_backup_is_refused),
		WITH_PLACE(each_damaged_byte_of_a_tar_is_seen),
		WITH_PLACE(another_programs_file_is_refused),
		WITH_PLACE(a_newer_schema_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "store_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/log.h"
#include "store/row.h"
#include "workflow/case_number.h"
#include "workflow/place.h"

void kit_start(struct kit *k)
{
	const char *base = getenv("TMPDIR");

	memset(k, 0, sizeof *k);
	snprintf(k->folder, sizeof k->folder, "%s/gridloop-store-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(k->folder));
	snprintf(k->path, sizeof k->path, "%s/street.db", k->folder);
	k->now_ms = KIT_START_MS;
	facts_init(&k->facts);
	log_set_level(LOG_LEVEL_ERROR - 1);
	kit_reopen(k);
}

void kit_recover(struct kit *k)
{
	char *cause = NULL;

	casebook_free(k->book);
	k->book = casebook_new(0);
	if (!store_recover(k->store, k->book, &cause))
		fail_msg("%s", cause);
}

void kit_reopen(struct kit *k)
{
	struct store_options o = { .path = k->path, .vfs = k->vfs, .checkpoint_frames = 1000 };
	char *cause = NULL;

	store_close(k->store);
	k->store = store_open(&o, &cause);
	if (!k->store)
		fail_msg("%s", cause);
	kit_recover(k);
}

/* The facts own no command, so the one of the report before goes here. */
void kit_nothing(struct kit *k)
{
	command_free((struct command *)k->facts.report);
	facts_clear(&k->facts);
}

void kit_end(struct kit *k)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	char name[200];

	store_close(k->store);
	casebook_free(k->book);
	kit_nothing(k);
	facts_close(&k->facts);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		snprintf(name, sizeof name, "%s%s", k->path, endings[i]);
		unlink(name);
	}
	rmdir(k->folder);
}

int64_t kit_report(struct kit *k, const struct kit_report *r)
{
	const struct counters *n = casebook_counters(k->book);
	const char *text = r->description ? r->description : "rubbish at the gate";
	struct command *c = command_new(COMMAND_SUBMIT, strlen(text) + 1);
	struct fact *e;
	struct case_file *draft = &k->facts.drafts[0];
	int64_t id = case_id_make(0, 20779, n->day == 0 ? 1 : n->sequence);

	kit_nothing(k);
	c->channel = r->channel ? r->channel : "tcp";
	c->description = command_text(c, text, strlen(text));
	c->seen_at_ms = k->now_ms - 1000;
	k->facts.report = c;
	e = facts_event(&k->facts);
	*e = (struct fact){ .id = n->event,
		            .case_id = id,
		            .at_ms = k->now_ms,
		            .act = ACT_SUBMIT,
		            .to = STATE_REPORTED,
		            .actor = r->actor      ? r->actor
		                     : r->reporter ? r->reporter
		                                   : "nobody",
		            .category = r->category ? r->category : 10110,
		            .grid = r->grid ? r->grid : KIT_GRID,
		            .stage_due_ms = k->now_ms + 900000 };
	memset(draft, 0, sizeof *draft);
	draft->reporter = casebook_intern(k->book, r->reporter);
	draft->actor = casebook_intern(k->book, e->actor);
	draft->reporter_kind = r->kind ? r->kind : REPORTER_RESIDENT;
	draft->anonymous = r->reporter == NULL;
	draft->lat_e7 = draft->lon_e7 = PLACE_NONE;
	case_apply(k->book, draft, e);
	k->facts.draft_count = 1;
	if (r->keyed) {
		k->facts.has_key = 1;
		k->facts.key = (struct key_fact){ .key = r->key,
			                          .hash = "fifteen letters",
			                          .case_id = id,
			                          .category = e->category,
			                          .state = STATE_REPORTED,
			                          .due_ms = e->stage_due_ms };
		if (uuid_is_zero(&r->key))
			k->facts.key.key = uuid_new(k->now_ms);
	}
	return id;
}

void kit_step(struct kit *k, int64_t id, struct fact f)
{
	const struct case_file *now = casebook_case(k->book, id);
	struct fact *e;

	assert_non_null(now);
	kit_nothing(k);
	f.id = casebook_counters(k->book)->event;
	f.case_id = id;
	f.prev = now->last_event;
	f.at_ms = k->now_ms;
	f.from = (enum state)now->state;
	f.actor = f.actor ? f.actor : "staff";
	f.category = f.category ? f.category : now->category;
	f.grid = f.grid ? f.grid : now->grid;
	if (now->handle_due_ms != 0 && f.handle_due_ms == 0)
		f.handle_left_ms = now->handle_due_ms - f.at_ms; /* limits here run by the clock */
	e = facts_event(&k->facts);
	*e = f;
	k->facts.drafts[0] = *now;
	case_apply(k->book, &k->facts.drafts[0], e);
	k->facts.draft_count = 1;
	if (strcmp(f.actor, "staff") == 0)
		k->facts.audit = (struct audit_fact){ .at_ms = f.at_ms,
			                              .what = AUDITED_ACT,
			                              .who = f.actor,
			                              .purpose = act_info(f.act)->name,
			                              .channel = "tcp",
			                              .count = f.id };
}

void kit_owe(struct kit *k, const char *to)
{
	const struct fact *e = &k->facts.events[k->facts.event_count - 1];
	struct notice_fact *n = facts_notice(&k->facts);

	n->id = casebook_counters(k->book)->notice + (int64_t)k->facts.notice_count - 1;
	n->to = to;
	n->at_ms = e->at_ms;
	n->case_id = e->case_id;
	n->event_id = e->id;
	n->act = e->act;
	n->state = e->to;
	snprintf(n->text, sizeof n->text, "news of event %lld", (long long)e->id);
}

void kit_earn(struct kit *k, const char *person, int64_t points, int64_t payable_ms, int64_t place_key)
{
	struct ledger_fact *l = facts_ledger(&k->facts);

	l->id = casebook_counters(k->book)->ledger + (int64_t)k->facts.ledger_count - 1;
	l->person = person;
	l->at_ms = k->now_ms;
	l->payable_ms = payable_ms;
	l->points = points;
	l->rule = points > 0 ? "first-reporter" : "redeem";
	l->case_id = points > 0 && k->facts.event_count > 0 ? k->facts.events[0].case_id : 0;
	l->place_key = place_key;
}

enum store_result kit_write(struct kit *k)
{
	enum store_result result;

	casebook_apply(k->book, &k->facts);
	result = store_begin(k->store);
	if (result == STORE_OK)
		result = store_write(k->store, &k->facts);
	return result == STORE_OK ? store_commit(k->store) : result;
}

int64_t kit_new_case(struct kit *k, const struct kit_report *r)
{
	int64_t id = kit_report(k, r);

	assert_int_equal(kit_write(k), STORE_OK);
	return id;
}

void kit_do(struct kit *k, int64_t id, enum act act, enum state to)
{
	kit_step(k, id, (struct fact){ .act = act, .to = to });
	assert_int_equal(kit_write(k), STORE_OK);
}

/* Dispatches to "cleaning" with a limit of four hours. */
static void dispatch(struct kit *k, int64_t id, const char *units)
{
	kit_step(k, id,
	         (struct fact){ .act = ACT_DISPATCH,
	                        .to = STATE_DISPATCHED,
	                        .ref = units,
	                        .value = 14400000,
	                        .stage_due_ms = k->now_ms + 1800000,
	                        .handle_due_ms = k->now_ms + 14400000 });
	assert_int_equal(kit_write(k), STORE_OK);
}

int64_t kit_whole_life(struct kit *k, const struct kit_report *r)
{
	static const struct {
		enum act act;
		enum state to;
		int64_t value;
	} steps[] = {
		{ ACT_SIGN, STATE_HANDLING, 0 },
		{ ACT_HANDLED, STATE_HANDLED, 0 },
		{ ACT_CHECK, STATE_CHECKING, 0 },
		{ ACT_PASS, STATE_CLOSED, 0 },
		{ ACT_REVIEW, STATE_REVIEWED, RATING_SATISFIED },
		{ ACT_REWARD, STATE_REWARDED, 10 },
	};
	int64_t id = kit_new_case(k, r), due;

	k->now_ms += 60000;
	kit_do(k, id, ACT_FILE, STATE_FILED);
	dispatch(k, id, "cleaning");
	due = k->now_ms + 14400000;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		k->now_ms += 60000;
		kit_step(k, id,
		         (struct fact){ .act = steps[i].act,
		                        .to = steps[i].to,
		                        .value = steps[i].value,
		                        .handle_due_ms = steps[i].to == STATE_HANDLING ? due : 0 });
		if (steps[i].to == STATE_REWARDED && r->reporter) {
			kit_earn(k, r->reporter, 10, k->now_ms + 86400000, 77);
			kit_owe(k, r->reporter);
		}
		assert_int_equal(kit_write(k), STORE_OK);
	}
	return id;
}

/* A case ends by one act, and its reporter hears of it. */
static void end_case(struct kit *k, int64_t id, enum act act, enum state to, int64_t value, const char *reporter)
{
	kit_step(k, id, (struct fact){ .act = act, .to = to, .value = value });
	if (reporter)
		kit_owe(k, reporter);
	assert_int_equal(kit_write(k), STORE_OK);
}

static const struct evidence_ref kit_photo = { .sha256 = { 1, 2, 3 }, .role = PHOTO_NEAR };

static void keep_photo(struct kit *k, const char *person)
{
	kit_nothing(k);
	k->facts.has_file = 1;
	k->facts.file = (struct file_fact){ .sender = person, .type = "image/jpeg", .size = 1000, .at_ms = k->now_ms };
	memcpy(k->facts.file.sha256, kit_photo.sha256, sizeof kit_photo.sha256);
	assert_int_equal(kit_write(k), STORE_OK);
}

int64_t kit_credential(struct kit *k, const char *person)
{
	int64_t id = casebook_counters(k->book)->credential;

	kit_nothing(k);
	k->facts.credentials[k->facts.credential_count++] = (struct credential){ .id = id,
		                                                                 .person = person,
		                                                                 .kind = CREDENTIAL_TOKEN,
		                                                                 .is_new = 1,
		                                                                 .sha256 = { 1, (uint8_t)id },
		                                                                 .made_ms = k->now_ms,
		                                                                 .made_by = "admin",
		                                                                 .label = "phone" };
	assert_int_equal(kit_write(k), STORE_OK);
	return id;
}

void kit_street(struct kit *k)
{
	struct kit_report rider = {
		.reporter = "meituan/1", .actor = "meituan", .kind = REPORTER_FOOD_RIDER, .keyed = 1
	};
	struct kit_report worker = { .reporter = "worker-1",
		                     .kind = REPORTER_GRID_WORKER,
		                     .category = 10201,
		                     .grid = KIT_GRID + 1000,
		                     .keyed = 1,
		                     .channel = "redis" };
	struct kit_report nobody = { .grid = KIT_GRID + 1, .keyed = 1 };
	int64_t whistled, suspended, master, merged, deeper;

	kit_whole_life(k, &rider);
	kit_whole_life(k, &worker);
	end_case(k, kit_new_case(k, &rider), ACT_REJECT, STATE_REJECTED, 0, rider.reporter);
	end_case(k, kit_new_case(k, &nobody), ACT_WITHDRAW, STATE_CANCELLED, 0, NULL);
	k->now_ms += 60000;
	kit_new_case(k, &nobody);

	whistled = kit_new_case(k, &worker);
	kit_do(k, whistled, ACT_FILE, STATE_FILED);
	dispatch(k, whistled, "cleaning,water,police");
	kit_do(k, whistled, ACT_SIGN, STATE_HANDLING);
	keep_photo(k, "staff");
	kit_step(k, whistled,
	         (struct fact){ .act = ACT_WHISTLE,
	                        .to = STATE_WHISTLED,
	                        .ref = "water,gas",
	                        .stage_due_ms = k->now_ms + 1800000,
	                        .photo_roles = PHOTO_BIT(PHOTO_NEAR) });
	k->facts.named = (struct named_fact){ .refs = &kit_photo,
		                              .count = 1,
		                              .case_id = whistled,
		                              .event_id = k->facts.events[0].id,
		                              .sender = k->facts.events[0].actor };
	assert_int_equal(kit_write(k), STORE_OK);

	suspended = kit_new_case(k, &rider);
	kit_do(k, suspended, ACT_FILE, STATE_FILED);
	dispatch(k, suspended, "roads");
	kit_do(k, suspended, ACT_SIGN, STATE_HANDLING);
	k->now_ms += 60000;
	kit_step(k, suspended,
	         (struct fact){ .act = ACT_SUSPEND,
	                        .to = STATE_SUSPENDED,
	                        .value = k->now_ms + 86400000,
	                        .stage_due_ms = k->now_ms + 86400000 });
	assert_int_equal(kit_write(k), STORE_OK);

	master = kit_new_case(k, &nobody);
	merged = kit_new_case(k, &rider);
	deeper = kit_new_case(k, &worker);
	end_case(k, deeper, ACT_MERGE, STATE_MERGED, merged, worker.reporter);
	end_case(k, merged, ACT_MERGE, STATE_MERGED, master, rider.reporter);
	(void)kit_credential(k, "worker-1");
}

int street_start(void **state)
{
	struct street *s = calloc(1, sizeof *s);
	char *cause = NULL;

	kit_start(&s->kit);
	s->reader = reader_open(s->kit.path, &cause);
	if (!s->reader)
		fail_msg("%s", cause);
	*state = s;
	return 0;
}

int street_end(void **state)
{
	struct street *s = *state;

	result_close(&s->mem);
	result_close(&s->mem);
	reader_close(s->reader);
	kit_end(&s->kit);
	free(s);
	return 0;
}

/* ---- comparisons ---- */

static void assert_same_case(void *ctx, const struct case_file *c)
{
	const struct case_file *other = casebook_case(ctx, c->id);
	const char *column;

	assert_non_null(other);
	column = row_difference(c, other, 0);
	if (column)
		fail_msg("case %lld differs in %s", (long long)c->id, column);
}

void kit_assert_same_books(const struct casebook *a, const struct casebook *b)
{
	const struct counters *left = casebook_counters(a), *right = casebook_counters(b);

	assert_int_equal(casebook_open_count(a), casebook_open_count(b));
	casebook_each(a, assert_same_case, (void *)b);
	assert_int_equal(left->event, right->event);
	assert_int_equal(left->ledger, right->ledger);
	assert_int_equal(left->notice, right->notice);
	assert_int_equal(left->day, right->day);
	assert_int_equal(left->sequence, right->sequence);
	assert_int_equal(left->last_ms, right->last_ms);
}

static sqlite3 *open_raw(const struct kit *k)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(k->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	return db;
}

void kit_tamper(const struct kit *k, const char *sql)
{
	sqlite3 *db = open_raw(k);
	char *error = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	sqlite3_close(db);
}

int64_t kit_number(const struct kit *k, const char *sql)
{
	sqlite3 *db = open_raw(k);
	sqlite3_stmt *st = NULL;
	int64_t number;

	(void)sqlite3_wal_autocheckpoint(db, 0);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	number = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return number;
}

/* ---- a file system that fails when told ---- */

struct kit_file {
	sqlite3_file base;
	sqlite3_io_methods methods; /* the system's, with write and sync replaced */
	int (*write)(sqlite3_file *, const void *, int, sqlite3_int64);
	int (*sync)(sqlite3_file *, int);
	int (*read)(sqlite3_file *, void *, int, sqlite3_int64);
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *system;
	_Atomic enum kit_fault fault; /* told by the test, read by whichever thread writes */
	_Atomic int after;
} kit_disk;

static _Bool fails(enum kit_fault fault)
{
	return kit_disk.fault == fault && --kit_disk.after < 0;
}

/* Behind the system's file lies room for what it replaced: its own functions see the file they know. */
static struct kit_file *beside(sqlite3_file *file)
{
	return (struct kit_file *)(void *)((char *)file + kit_disk.system->szOsFile);
}

static int faulty_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
	return fails(KIT_FAULT_FULL) ? SQLITE_FULL : beside(file)->write(file, bytes, count, at);
}

static int faulty_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
	if (fails(KIT_FAULT_DAMAGE))
		return SQLITE_CORRUPT;
	return fails(KIT_FAULT_READ) ? SQLITE_IOERR_READ : beside(file)->read(file, bytes, count, at);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
	return fails(KIT_FAULT_SYNC) ? SQLITE_IOERR_FSYNC : beside(file)->sync(file, flags);
}

static int kit_open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	int result = kit_disk.system->xOpen(kit_disk.system, name, file, flags, out_flags);
	struct kit_file *mine = beside(file);

	(void)vfs;
	if (result != SQLITE_OK || file->pMethods == NULL)
		return result;
	mine->methods = *file->pMethods;
	mine->write = mine->methods.xWrite;
	mine->sync = mine->methods.xSync;
	mine->read = mine->methods.xRead;
	mine->methods.xRead = faulty_read;
	mine->methods.xWrite = faulty_write;
	mine->methods.xSync = faulty_sync;
	file->pMethods = &mine->methods;
	return SQLITE_OK;
}

const char *kit_vfs(void)
{
	if (kit_disk.system == NULL) {
		kit_disk.system = sqlite3_vfs_find(NULL);
		kit_disk.vfs = *kit_disk.system;
		kit_disk.vfs.zName = "kit";
		kit_disk.vfs.szOsFile = kit_disk.system->szOsFile + (int)sizeof(struct kit_file);
		kit_disk.vfs.xOpen = kit_open_file;
		assert_int_equal(sqlite3_vfs_register(&kit_disk.vfs, 0), SQLITE_OK);
	}
	return "kit";
}

void kit_vfs_fail(enum kit_fault fault, int after)
{
	kit_disk.fault = fault;
	kit_disk.after = after;
}

int kit_test_start(void **state)
{
	struct kit *k = calloc(1, sizeof *k);

	kit_vfs_fail(KIT_FAULT_NONE, 0);
	kit_start(k);
	*state = k;
	return 0;
}

int kit_test_end(void **state)
{
	kit_end(*state);
	free(*state);
	return 0;
}

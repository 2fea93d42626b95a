/* wal_guard: one connection writes and checkpoints, readers come and go at any operation of it and hold what they see for
 * as long as they like, and the file stays sound. The rule is not taste: Debian 12's SQLite (3.40.1) silently corrupts a
 * database when another connection checkpoints than the one that writes (sqlite.org/wal.html#walresetbug). The control is
 * such a connection. What it needs is a writer that begins the log anew between a checkpoint's two looks at it; here the
 * disk calls the writer at just that moment, so the corruption does not have to be waited for.
 *
 * A run is a street with some hundred rounds of requests; --first N --count 1 repeats it. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "street.h"
#include "tally.h"

#define STREETS 25 /* about 30 s */
#define STREETS_LONG 3000
#define STEPS 40 /* of a street, a few rounds of requests each */
#define STREETS_A_CHILD 5
#define READERS 3
#define CONTROL_STREETS 20

struct reader {
	sqlite3 *db;
	_Bool sees;     /* holds a snapshot */
	int64_t events; /* in it */
};

struct job {
	uint64_t seed;
	_Bool intrudes;
	struct street_findings findings;
	struct reader readers[READERS];
	struct dice dice; /* the readers' */
	uint64_t looks;
};

/* ---- readers ---- */

static int64_t count_events(struct job *j, struct reader *r)
{
	sqlite3_stmt *st = NULL;
	int64_t count = -1;
	int result = sqlite3_prepare_v2(r->db, "SELECT count(*) FROM case_event", -1, &st, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(st);
	if (result == SQLITE_ROW)
		count = sqlite3_column_int64(st, 0);
	else if ((result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB)
		j->findings.integrity_errors++;
	(void)sqlite3_finalize(st);
	return count;
}

static void leave(struct reader *r)
{
	(void)sqlite3_close(r->db);
	*r = (struct reader){ 0 };
}

static void come(struct reader *r)
{
	if (sqlite3_open_v2(street_path(), &r->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		leave(r);
	else
		(void)sqlite3_wal_autocheckpoint(r->db, 0);
}

/* A snapshot does not change while it is held, whatever the writer does meanwhile. */
static void look(struct job *j, struct reader *r)
{
	j->looks++;
	if (!r->sees) {
		r->sees = sqlite3_exec(r->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
		r->events = count_events(j, r);
		return;
	}
	if (r->events >= 0 && count_events(j, r) != r->events) {
		j->findings.integrity_errors++;
		fprintf(stderr, "a reader's snapshot changed\n");
	}
	(void)sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
	r->sees = 0;
}

static void one_reader_acts(void *ctx)
{
	struct job *j = ctx;
	struct reader *r = &j->readers[dice_below(&j->dice, READERS)];

	if (!r->db)
		come(r);
	else if (dice_percent(&j->dice, 5))
		leave(r);
	else
		look(j, r);
}

/* ---- the control: somebody else checkpoints, and the writer goes on in the middle of it ---- */

static void writer_acts(void *ctx)
{
	(void)ctx;
	(void)street_run(2);
}

static void intrude(void)
{
	static sqlite3 *db; /* of the one street of this process */

	if (!db) {
		must(sqlite3_open_v2(street_path(), &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
		(void)sqlite3_exec(db, "SELECT count(*) FROM meta", NULL, NULL, NULL);
	}
	(void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* ---- a street ---- */

static void prepare(void *ctx)
{
	struct job *j = ctx;

	street_open(STREET_SOUND);
	street_count(&j->findings, 0);
}

static void finish(void *ctx)
{
	(void)ctx;
	street_close();
}

static void live(void *ctx, uint64_t number, struct tally_counts *counts)
{
	struct job *j = ctx;
	struct dice d = dice_of(j->seed, number);
	struct disk_plan plan = { .ctx = j };
	char *cause = NULL;

	street_found(dice_roll(&d));
	j->dice = d;
	must(street_start(&cause));
	if (j->intrudes)
		plan.between = writer_acts;
	else
		plan.anywhere = one_reader_acts;
	disk_plan(&plan);
	for (int i = 0; i < STEPS && j->findings.integrity_errors + j->findings.lost == 0; i++) {
		if (street_run(1 + (int)dice_below(&d, 12)) != 0)
			j->findings.integrity_errors++; /* nothing failed it */
		if (j->intrudes)
			intrude();
		if (i % 4 == 3)
			street_look();
	}
	disk_plan(&(struct disk_plan){ 0 });
	for (int i = 0; i < READERS; i++)
		leave(&j->readers[i]);
	counts->acknowledged += j->findings.acknowledged;
	counts->lost += j->findings.lost;
	counts->doubled += j->findings.doubled;
	counts->integrity_errors += j->findings.integrity_errors;
	j->findings = (struct street_findings){ 0 };
	if (!j->intrudes && j->looks == 0)
		counts->integrity_errors++; /* nobody read: nothing was tried */
	if (!j->intrudes)
		street_stop();
}

static uint64_t run_control(uint64_t seed)
{
	struct job j = { .seed = seed, .intrudes = 1 };
	struct tally_work w = {
		.prepare = prepare, .run = live, .ctx = &j, .stretch = 1, .quiet = 1, .enough = tally_has_found
	};
	struct tally_counts counts = { 0 };

	tally_run(&w, 0, CONTROL_STREETS, &counts);
	return tally_found(&counts);
}

int main(int argc, char **argv)
{
	struct tally t;
	struct job j = { 0 };
	struct tally_work w = {
		.prepare = prepare, .run = live, .finish = finish, .ctx = &j, .stretch = STREETS_A_CHILD
	};

	tally_begin(&t, "wal-guard", argc, argv);
	j.seed = t.seed;
	if (tally_wants(&t, "readers"))
		tally_run(&w, t.first, t.count ? t.count : t.is_long ? STREETS_LONG : STREETS, &t.counts);
	if (tally_wants(&t, "another-checkpointer"))
		tally_control(&t, "another-checkpointer", run_control(t.seed));
	return tally_end(&t);
}

/* vfs_faults: every operation on the disk fails once, fails from then on, and fails with a power cut behind it, through a
 * day of the street: a database is made, reports and every step of their cases come in, checkpoints, keys are settled, the
 * process ends and starts again. After each fault the process goes on, or ends with a code of its own; then it starts on a
 * sound disk, and what was acknowledged must be there, once. In the long form every pair of the first operations too.
 *
 * A run is one fault: the number of the operation, and how it fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "street.h"
#include "tally.h"

#define ROUNDS_BEFORE 60 /* of requests, before the first fault of a day in the middle of a street's life */
#define PAIRS_OF 60
#define FAULTS_A_CHILD 200
#define DAYS_TRIED 200 /* until one has everything in it that is to be disturbed */

/* Rounds of each of a day's two processes. */
static const int rounds_of[] = { 3, 8 };

/* A day to disturb: of a new database, or of one that has seen something. */
enum day { NEW, SEASONED, DAYS };

/* How an operation fails. */
enum manner { ONCE, FULL_ONCE, FOR_GOOD, FULL_FOR_GOOD, THEN_CUT, MANNERS };

struct job {
	uint64_t seed;
	struct street_findings findings;
	enum day day;
	uint64_t number;           /* of the seasoned day that has everything in it */
	uint64_t operations[DAYS]; /* of the day when nothing fails */
	_Bool pairs;
};

/* Linked in place of the call of the writer's file: a control that does not look at what a commit says. */
static _Bool deaf;
enum store_result __real_store_commit(struct store *s);
enum store_result __wrap_store_commit(struct store *s);

enum store_result __wrap_store_commit(struct store *s)
{
	enum store_result result = __real_store_commit(s);

	return deaf ? STORE_OK : result;
}

static void prepare(void *ctx)
{
	struct job *j = ctx;
	char *cause = NULL;

	street_open(STREET_SOUND);
	street_count(&j->findings, 0);
	street_found(j->seed);
	must(street_start(&cause) && street_run(ROUNDS_BEFORE) == 0);
	street_stop();
	street_keep();
}

/* Before anything of the day. */
static void wake_up(const struct job *j)
{
	if (j->day == NEW)
		street_found(j->seed);
	else
		street_go_back(j->seed + j->number);
}

static void finish(void *ctx)
{
	(void)ctx;
	street_close();
}

/* Whether the process came as far as serving. It may refuse to start when the disk fails it. */
static _Bool start(void)
{
	char *cause = NULL;
	_Bool started = street_is_running() || street_start(&cause);

	free(cause);
	return started;
}

/* To the end of its second process. A fault may end it earlier. */
static void live_a_day(enum day day)
{
	for (int process = 0; process < 2; process++) {
		if (!start())
			return;
		if (street_run(rounds_of[day]) != 0)
			return;
		street_stop();
	}
}

/* On a sound disk it starts and all of it is there. */
static void look_again(struct job *j)
{
	char *cause = NULL;

	if (street_is_running())
		street_stop();
	if (disk_is_dead())
		disk_power_on(DISK_REST_TORN);
	disk_plan(&(struct disk_plan){ 0 });
	if (!street_start(&cause)) {
		j->findings.integrity_errors++;
		fprintf(stderr, "the database cannot be opened: %s\n", cause);
		free(cause);
		return;
	}
	street_look();
	/* What was not answered is sent again, and gets the answer of then if it was there all the same. */
	if (street_run(3) != 0)
		j->findings.integrity_errors++;
	street_look();
	street_stop();
}

static struct disk_plan plan_for(const struct job *j, uint64_t number)
{
	uint64_t way = number % MANNERS, at = number / MANNERS + 1;

	if (j->pairs)
		return (struct disk_plan){ .fail_at = { 1 + number / PAIRS_OF, 1 + number % PAIRS_OF } };
	return (struct disk_plan){ .fail_at = { at },
		                   .for_good = way == FOR_GOOD || way == FULL_FOR_GOOD,
		                   .full = way == FULL_ONCE || way == FULL_FOR_GOOD,
		                   .cut_after = way == THEN_CUT ? 1 + at % 7 : 0 };
}

static void fail(void *ctx, uint64_t number, struct tally_counts *counts)
{
	struct job *j = ctx;
	struct disk_plan plan = plan_for(j, number);
	uint64_t wrong;

	wake_up(j);
	disk_plan(&plan);
	live_a_day(j->day);
	look_again(j);
	wrong = j->findings.lost + j->findings.doubled + j->findings.integrity_errors;
	if (wrong > 0)
		fprintf(stderr, "after fault %llu: operation %llu (%s), manner %llu\n", (unsigned long long)number,
		        (unsigned long long)plan.fail_at[0], disk_kind_name(disk_failed_kind()),
		        (unsigned long long)number % MANNERS);
	counts->acknowledged += j->findings.acknowledged;
	counts->lost += j->findings.lost;
	counts->doubled += j->findings.doubled;
	counts->integrity_errors += j->findings.integrity_errors;
	j->findings = (struct street_findings){ 0 };
}

/* A day that nothing disturbs: how many operations it has. */
static struct street_reach measure(struct job *j)
{
	wake_up(j);
	disk_plan(&(struct disk_plan){ 0 });
	live_a_day(j->day);
	j->operations[j->day] = disk_count();
	return street_reach();
}

/* A seasoned day in which cases are opened, archived and rewarded, and photos named. */
static _Bool choose_day(struct job *j)
{
	struct street_reach before, r;

	j->day = SEASONED;
	wake_up(j);
	before = street_reach();
	for (j->number = 0; j->number < DAYS_TRIED; j->number++) {
		r = measure(j);
		if (r.archived > before.archived && r.points > before.points && r.evidence > before.evidence &&
		    r.events > before.events + 20)
			break;
	}
	printf("the day: %llu operations, %lld events, %lld cases archived, %lld rows of points, %lld photos named\n",
	       (unsigned long long)j->operations[SEASONED], (long long)(r.events - before.events),
	       (long long)(r.archived - before.archived), (long long)(r.points - before.points),
	       (long long)(r.evidence - before.evidence));
	return j->number < DAYS_TRIED;
}

static struct tally_work work_for(struct job *j, void (*run)(void *, uint64_t, struct tally_counts *))
{
	return (struct tally_work){
		.prepare = prepare, .run = run, .finish = finish, .ctx = j, .stretch = FAULTS_A_CHILD
	};
}

static void run_faults(struct tally *t, struct job *j)
{
	struct tally_work w = work_for(j, fail);

	for (j->day = NEW; j->day < DAYS; j->day++) {
		char name[16];

		snprintf(name, sizeof name, "%s", j->day == NEW ? "new" : "seasoned");
		if (tally_wants(t, name))
			tally_run(&w, t->first, t->count ? t->count : j->operations[j->day] * MANNERS, &t->counts);
		j->pairs = t->is_long;
		if (j->pairs)
			tally_run(&w, 0, PAIRS_OF * PAIRS_OF, &t->counts);
		j->pairs = 0;
	}
}

static uint64_t run_control(struct job *j)
{
	struct tally_work w = work_for(j, fail);
	struct tally_counts counts = { 0 };

	j->day = SEASONED;
	w.quiet = 1;
	w.enough = tally_has_found;
	deaf = 1;
	tally_run(&w, 0, j->operations[j->day] * MANNERS, &counts);
	deaf = 0;
	return tally_found(&counts);
}

/* What the days have in them, found out before children are made. */
static void look_ahead(struct tally *t, struct job *j)
{
	prepare(j);
	if (!choose_day(j)) {
		printf("no day of this seed has everything in it that is to be disturbed\n");
		t->counts.integrity_errors++;
	}
	j->day = NEW;
	(void)measure(j);
	finish(j);
}

int main(int argc, char **argv)
{
	struct tally t;
	struct job j = { 0 };

	tally_begin(&t, "vfs-faults", argc, argv);
	j.seed = t.seed;
	look_ahead(&t, &j);
	run_faults(&t, &j);
	if (tally_wants(&t, "ignored-commit-error"))
		tally_control(&t, "ignored-commit-error", run_control(&j));
	return tally_end(&t);
}

/* power_cuts: the power goes at any operation of the disk, while requests are carried out, in a checkpoint, when a
 * database is made, in a recovery from the cut before. Each street lives through a number of cuts; after each what was
 * acknowledged must be there, once. A run is one street; --first N --count 1 repeats it. */
#include <stdio.h>
#include <stdlib.h>

#include "store/store.h"
#include "street.h"
#include "tally.h"

#define CUTS 20000 /* in the short form */
#define CUTS_LONG 1000000
#define CUTS_A_STREET 20
#define STREETS_A_CHILD 50
#define CONTROL_STREETS 40

struct job {
	uint64_t seed;
	enum street_control control;
	struct street_findings findings;
};

/* Linked in place of the call of the writer's file: a control answers before it has committed. */
enum store_result __real_store_commit(struct store *s);
enum store_result __wrap_store_commit(struct store *s);

enum store_result __wrap_store_commit(struct store *s)
{
	street_commits();
	return __real_store_commit(s);
}

static void prepare(void *ctx)
{
	struct job *j = ctx;

	street_open(j->control);
	street_count(&j->findings, 0);
}

static void finish(void *ctx)
{
	(void)ctx;
	street_close();
}

/* Most cuts come in the middle of requests, some at the very beginning and some in or after a long stretch. */
static uint64_t some_operation(void)
{
	static const uint64_t spans[] = { 12, 80, 80, 300, 300, 300, 1200 };

	return 1 + dice_below(street_dice(), spans[dice_below(street_dice(), sizeof spans / sizeof *spans)]);
}

static enum disk_rest some_rest(void)
{
	unsigned roll = (unsigned)dice_below(street_dice(), 10);

	return roll < 8 ? DISK_REST_TORN : roll == 8 ? DISK_REST_NONE : DISK_REST_ALL;
}

static void arm(uint64_t cut_at)
{
	struct disk_plan plan = street_plan();

	plan.cut_at = cut_at;
	disk_plan(&plan);
}

/* false: it would not open although nothing stood in its way. */
static _Bool start(struct job *j)
{
	char *cause = NULL;

	if (street_is_running() || street_start(&cause))
		return 1;
	if (!disk_is_dead()) {
		j->findings.integrity_errors++;
		fprintf(stderr, "the database cannot be opened: %s\n", cause);
	}
	free(cause);
	return disk_is_dead();
}

static void go_dark(void)
{
	disk_cut();
	street_stop();
	disk_power_on(some_rest());
}

/* One cut, and a restart that is itself cut now and then. */
static _Bool cut_once(struct job *j)
{
	arm(some_operation());
	if (!start(j))
		return 0;
	if (street_is_running())
		(void)street_run(1 + (int)dice_below(street_dice(), 12));
	if (!disk_is_dead() && dice_percent(street_dice(), 30))
		street_stop();
	go_dark();
	while (dice_percent(street_dice(), 25)) {
		arm(1 + dice_below(street_dice(), 60));
		if (!start(j))
			return 0;
		go_dark();
	}
	arm(0);
	if (!start(j))
		return 0;
	street_look();
	return 1;
}

static void add(struct tally_counts *to, struct street_findings *f)
{
	to->acknowledged += f->acknowledged;
	to->lost += f->lost;
	to->doubled += f->doubled;
	to->integrity_errors += f->integrity_errors;
	*f = (struct street_findings){ 0 };
}

static void live(void *ctx, uint64_t number, struct tally_counts *counts)
{
	struct job *j = ctx;
	struct dice d = dice_of(j->seed, number);

	street_found(dice_roll(&d));
	for (int i = 0; i < CUTS_A_STREET && cut_once(j); i++)
		add(counts, &j->findings);
	if (j->findings.lost + j->findings.doubled + j->findings.integrity_errors > 0 || counts->lost > 0)
		fprintf(stderr, "so far in street %llu of seed %llu\n", (unsigned long long)number,
		        (unsigned long long)j->seed);
	add(counts, &j->findings);
	street_stop();
}

static struct tally_work work_for(struct job *j)
{
	return (struct tally_work){
		.prepare = prepare, .run = live, .finish = finish, .ctx = j, .stretch = STREETS_A_CHILD
	};
}

static uint64_t run_control(const struct tally *t, enum street_control control)
{
	struct job j = { .seed = t->seed, .control = control };
	struct tally_work w = work_for(&j);
	struct tally_counts counts = { 0 };

	w.quiet = 1;
	w.enough = tally_has_found;
	tally_run(&w, 0, CONTROL_STREETS, &counts);
	return tally_found(&counts);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		enum street_control control;
	} controls[] = { { "synchronous-normal", STREET_LAZY },
		         { "lying-sync", STREET_LIAR },
		         { "answer-before-commit", STREET_HASTY } };
	struct tally t;
	struct job j = { .control = STREET_SOUND };
	struct tally_work w = work_for(&j);
	uint64_t streets;

	tally_begin(&t, "power-cuts", argc, argv);
	j.seed = t.seed;
	streets = t.count ? t.count : (t.is_long ? CUTS_LONG : CUTS) / CUTS_A_STREET;
	if (tally_wants(&t, "cuts"))
		tally_run(&w, t.first, streets, &t.counts);
	t.counts.runs *= CUTS_A_STREET;
	for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
		if (tally_wants(&t, controls[i].name))
			tally_control(&t, controls[i].name, run_control(&t, controls[i].control));
	return tally_end(&t);
}

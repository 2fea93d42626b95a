/* rows: how fast the store alone takes reports: the rows of a new case, its first event and its key, through the store's
 * own functions, in batches of several sizes, with nothing decided and nothing sent. What the daemon reaches beyond the
 * network can be at most this. Ends with one line of JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/must.h"
#include "base/text.h"
#include "histogram.h"
#include "store/store.h"
#include "workflow/case_number.h"
#include "wire.h"

#define PATH_ROOM 4096
#define CHECKPOINT_FRAMES 4000
#define CATEGORY 10117
#define GRID INT64_C(610404004001001)
#define DUE_MS (15 * CLOCK_MINUTE_MS)

/* Texts as long as those of the load generator. */
static const char address[] = "渭阳街道人民东路12号院3号楼东侧";
static const char description[] = "楼下垃圾满溢已有两天,气味很大,请尽快清运。楼下垃圾满溢已有两天,气味很大,"
				  "请尽快清运。0123456789abcdef";

struct bench {
	struct store *store;
	struct facts facts;
	struct command *command;
	struct wire_random random;
	int64_t written; /* reports so far: ids follow from it */
	int32_t day;
	struct histogram batches;
};

static int64_t mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct command *new_report(void)
{
	struct command *c = command_new(COMMAND_SUBMIT, 1024);

	c->actor = command_text(c, "bench", 5);
	c->channel = "tcp";
	c->category = CATEGORY;
	c->address = command_text(c, address, sizeof address - 1);
	c->description = command_text(c, description, sizeof description - 1);
	c->reporter = command_text(c, "bench/r0042", 11);
	c->reporter_kind = REPORTER_FOOD_RIDER;
	return c;
}

static void open_case(struct bench *b, struct case_file *d, int64_t now_ms)
{
	uint64_t bits = wire_random(&b->random);

	memset(d, 0, sizeof *d);
	d->id = case_id_make(0, b->day, (int32_t)(b->written % CASE_SEQUENCE_MOST) + 1);
	d->last_event = b->written + 1;
	d->grid = GRID;
	d->category = CATEGORY;
	d->lat_e7 = 343400000 + (int32_t)(bits % 100000);
	d->lon_e7 = 1087100000 + (int32_t)(bits >> 32) % 100000;
	d->state = STATE_REPORTED;
	d->reporter_kind = REPORTER_FOOD_RIDER;
	d->reporter = b->command->reporter;
	d->actor = b->command->actor;
	d->reported_ms = d->since_ms = now_ms;
	d->stage_due_ms = now_ms + DUE_MS;
}

static void fill_event(struct fact *f, const struct case_file *d, const char *actor)
{
	f->id = d->last_event;
	f->case_id = d->id;
	f->at_ms = d->reported_ms;
	f->act = ACT_SUBMIT;
	f->to = STATE_REPORTED;
	f->actor = actor;
	f->category = d->category;
	f->grid = d->grid;
	f->stage_due_ms = d->stage_due_ms;
}

static void fill_key(struct bench *b, const struct case_file *d)
{
	struct key_fact *k = &b->facts.key;

	memset(k, 0, sizeof *k);
	wire_key(b->command->key.bytes, d->reported_ms, &b->random);
	k->key = b->command->key;
	k->case_id = d->id;
	k->category = d->category;
	k->state = d->state;
	k->due_ms = d->stage_due_ms;
	b->facts.has_key = 1;
}

/* The facts of one new case. */
static void make_facts(struct bench *b, int64_t now_ms)
{
	struct facts *f = &b->facts;

	facts_clear(f);
	open_case(b, &f->drafts[0], now_ms);
	f->draft_count = 1;
	fill_event(facts_event(f), &f->drafts[0], b->command->actor);
	fill_key(b, &f->drafts[0]);
	b->command->lat_e7 = f->drafts[0].lat_e7;
	b->command->lon_e7 = f->drafts[0].lon_e7;
	b->command->seen_at_ms = now_ms;
	f->report = b->command;
	b->written++;
}

static _Bool write_batch(struct bench *b, int batch, int64_t now_ms)
{
	if (store_begin(b->store) != STORE_OK)
		return 0;
	for (int i = 0; i < batch; i++) {
		make_facts(b, now_ms);
		if (store_write(b->store, &b->facts) != STORE_OK)
			return 0;
	}
	return store_commit(b->store) == STORE_OK && store_checkpoint(b->store, 0) == STORE_OK;
}

/* Reports a second, or a negative number when the store failed. */
static double run(struct bench *b, int batch, double seconds)
{
	const struct clock clock = clock_system();
	int64_t begin = mono_ns(), now = begin, before, end = begin + (int64_t)(seconds * 1e9), first = b->written;

	histogram_clear(&b->batches);
	while (now < end) {
		before = now;
		if (!write_batch(b, batch, clock.wall_ms(clock.ctx)))
			return -1;
		now = mono_ns();
		histogram_add(&b->batches, now - before);
	}
	return (double)(b->written - first) / ((double)(now - begin) / 1e9);
}

static void remove_database(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[PATH_ROOM + 8];

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		(void)unlink(name);
	}
}

/* One batch size on a fresh database. */
static double measure(struct bench *b, const char *path, int batch, double seconds)
{
	const struct store_options options = { .path = path, .checkpoint_frames = CHECKPOINT_FRAMES };
	char *cause = NULL;
	double rate;

	b->written = 0;
	b->store = store_open(&options, &cause);
	if (!b->store) {
		fprintf(stderr, "rows: %s: %s\n", path, cause);
		free(cause);
		return -1;
	}
	rate = run(b, batch, 0.2);
	if (rate >= 0)
		rate = run(b, batch, seconds);
	if (rate < 0)
		fprintf(stderr, "rows: the store failed at batch size %d\n", batch);
	store_close(b->store);
	remove_database(path);
	return rate;
}

/* only: this batch size alone, 0: every one. */
static _Bool measure_all(struct bench *b, const char *path, double seconds, int only, struct json *j)
{
	static const int batches[] = { 1, 16, 64, 256 };

	json_open(j, NULL, '{');
	json_open(j, "rows", '[');
	for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
		if (only != 0 && batches[i] != only)
			continue;
		double rate = measure(b, path, batches[i], seconds);
		if (rate < 0)
			return 0;
		json_open(j, NULL, '{');
		json_int(j, "batch", batches[i]);
		json_real(j, "rate", rate);
		json_real(j, "p50_ms", (double)histogram_at(&b->batches, 0.5) / 1e6);
		json_real(j, "p99_ms", (double)histogram_at(&b->batches, 0.99) / 1e6);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
	putchar('\n');
	return 1;
}

int main(int argc, char **argv)
{
	struct bench *b = must_calloc(1, sizeof *b);
	struct json j;
	char path[PATH_ROOM];
	double seconds = 1;
	int64_t only = 0;
	_Bool ok = 0;

	json_init(&j, stdout);
	if (argc < 2 || argc > 4 || (argc > 2 && (!text_to_double(argv[2], &seconds) || seconds <= 0)) ||
	    (argc > 3 && !text_to_int(argv[3], 1, 256, &only)) ||
	    (size_t)snprintf(path, sizeof path, "%s/rows.db", argv[1]) >= sizeof path) {
		fputs("rows FOLDER [SECONDS [BATCH]]: reports a second through the store alone, by batch size\n",
		      stderr);
		free(b);
		return 2;
	}
	facts_init(&b->facts);
	b->command = new_report();
	b->random.state = (uint64_t)mono_ns();
	b->day = clock_local_day(clock_system().wall_ms(NULL), NULL, NULL);
	remove_database(path);
	ok = measure_all(b, path, seconds, (int)only, &j);
	facts_close(&b->facts);
	command_free(b->command);
	free(b);
	return ok ? 0 : 1;
}

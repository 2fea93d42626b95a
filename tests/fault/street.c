#include "street_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "jurisdiction/policy_parts.h"
#include "base/problems.h"

#define BATCH_MOST 24
#define NINE INT64_C(1795222800000) /* 2026-11-21 09:00 in China */

struct street street;

/* ---- the clock: time passes between requests, and a little at each look ---- */

static int64_t wall_now(void *ctx)
{
	(void)ctx;
	return street.wall_ms;
}

static int64_t mono_now_us(void *ctx)
{
	(void)ctx;
	street.mono_us += (int64_t)dice_below(&street.dice, 400);
	return street.mono_us;
}

static int64_t mono_now(void *ctx)
{
	return mono_now_us(ctx) / 1000;
}

static int64_t still_us(void *ctx)
{
	(void)ctx;
	return street.mono_us;
}

static int64_t still_ms(void *ctx)
{
	return still_us(ctx) / 1000;
}

struct clock __wrap_clock_system(void);

/* For the store, which asks by itself: a start's quick look at the database ends by the clock, and by the machine's how far
 * it came would not only be the seed's to say. */
struct clock __wrap_clock_system(void)
{
	return (struct clock){ .wall_ms = wall_now, .mono_ms = still_ms, .mono_us = still_us };
}

void street_time_passes(void)
{
	unsigned roll = (unsigned)dice_below(&street.dice, 100);
	int64_t span_ms = roll < 90   ? (int64_t)dice_below(&street.dice, 60000)
	                  : roll < 97 ? 20 * CLOCK_MINUTE_MS
	                              : 8 * CLOCK_DAY_MS;

	street.wall_ms += span_ms;
	street.mono_us += span_ms * 1000;
}

/* ---- what the writer is asked, and what it answers ---- */

struct command *street_next(void)
{
	struct ask *k = dice_percent(&street.dice, 40) ? asks_again(&street.asks, &street.dice) : NULL;
	struct command *c;

	if (!k)
		k = asks_add(&street.asks, &street.dice, street.wall_ms);
	c = asks_command(&street.asks, k);
	c->origin.slot = (uint32_t)k->number;
	return c;
}

static void promised(struct ask *k, const struct command *c)
{
	const struct outcome *o = &c->outcome;
	_Bool keyed = k->kind == COMMAND_SUBMIT || k->kind == COMMAND_ACT || k->kind == COMMAND_REDEEM;

	if (keyed && k->present && !o->again)
		street_found_wrong(&street.findings->doubled, "ask %d was taken for new though it was there",
		                   k->number);
	if (k->kind == COMMAND_SUBMIT && k->case_id != 0 && k->case_id != o->case_id)
		street_found_wrong(&street.findings->lost, "ask %d had case %lld and now %lld", k->number,
		                   (long long)k->case_id, (long long)o->case_id);
	if (k->fate != ASK_TAKEN)
		street.findings->acknowledged++;
	k->fate = ASK_TAKEN;
	if (k->kind == COMMAND_SUBMIT) {
		k->case_id = o->case_id;
		if (!o->again)
			k->state = o->state;
	}
}

/* What an action led to is known by the report that its case came of. */
static void note_state(const struct command *c)
{
	for (size_t i = 0; i < street.asks.count; i++) {
		struct ask *k = &street.asks.all[i];

		if (k->kind == COMMAND_SUBMIT && k->case_id == c->case_id && k->case_id != 0)
			k->state = c->outcome.state;
	}
}

void street_answered(struct command *c)
{
	struct ask *k = &street.asks.all[c->origin.slot];

	if (!disk_is_dead()) {
		if (c->outcome.accepted) {
			promised(k, c);
			if (c->kind == COMMAND_ACT)
				note_state(c);
		} else if (c->outcome.refusal.code != REFUSAL_RETRY_LATER) {
			if (k->fate == ASK_TAKEN)
				street_found_wrong(&street.findings->lost, "ask %d was taken and is refused now: %s",
				                   k->number, c->outcome.refusal.sentence);
			k->fate = ASK_REFUSED;
		}
	}
	command_free(c);
}

static void deliver(void *ctx, struct command **commands, size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		street_answered(commands[i]);
}

void street_commits(void)
{
	const struct lot *lot = &street.writer.lot;

	for (size_t i = street.writer.settled; street.control == STREET_HASTY && i < street.writer.decided; i++)
		if (lot->commands[i]->outcome.accepted && !disk_is_dead())
			promised(&street.asks.all[lot->commands[i]->origin.slot], lot->commands[i]);
}

static void publish(void *ctx, struct edition *news)
{
	(void)ctx;
	if (!disk_is_dead() && news->last_event > street.published)
		street.published = news->last_event;
	edition_clear(news);
}

static void failed(void *ctx, int exit_code)
{
	(void)ctx;
	street.exit_code = exit_code;
}

/* ---- a run of the process ---- */

_Bool street_start(char **cause)
{
	street.exit_code = 0;
	street.rounds = 0;
	street.options.batch_most = BATCH_MOST; /* a run may take fewer at once, and no more */
	street.writer = (struct writer){ .options = &street.options,
		                         .deliver = deliver,
		                         .publish = publish,
		                         .failed = failed,
		                         .ctx = &street,
		                         .commands = queue_new(1, -1) };
	street.running = writer_open(&street.writer, cause);
	if (!street.running)
		street_stop();
	return street.running;
}

_Bool street_is_running(void)
{
	return street.running;
}

int street_run(int rounds)
{
	street.rounds = rounds;
	street.options.batch_most = 1 + (int64_t)dice_below(&street.dice, BATCH_MOST);
	writer_run(&street.writer);
	return street.exit_code;
}

void street_stop(void)
{
	writer_close(&street.writer);
	street.running = 0;
}

/* ---- a life of the street ---- */

void street_found(uint64_t seed)
{
	disk_format(seed);
	street.dice = dice_of(seed, 0x737472);
	asks_begin(&street.asks, seed);
	street.wall_ms = NINE;
	street.mono_us = 1000000;
	street.published = 0;
	street.options.store.checkpoint_frames = 5 + (int64_t)dice_below(&street.dice, 60);
}

static struct kept kept;

void street_keep(void)
{
	const uint8_t *bytes = disk_bytes(street.path, &kept.size);

	must(!street.running && bytes && kept.size > 0);
	kept.bytes = must_realloc(kept.bytes, kept.size);
	memcpy(kept.bytes, bytes, kept.size);
	kept.count = street.asks.count;
	kept.asks = must_realloc(kept.asks, (kept.count + 1) * sizeof *kept.asks);
	memcpy(kept.asks, street.asks.all, kept.count * sizeof *kept.asks);
	kept.wall_ms = street.wall_ms;
	kept.mono_us = street.mono_us;
	kept.published = street.published;
}

void street_go_back(uint64_t seed)
{
	disk_format(seed);
	disk_put(street.path, kept.bytes, kept.size);
	street.dice = dice_of(seed, 0x6261636b);
	street.asks.count = kept.count;
	memcpy(street.asks.all, kept.asks, kept.count * sizeof *kept.asks);
	street.wall_ms = kept.wall_ms;
	street.mono_us = kept.mono_us;
	street.published = kept.published;
}

struct disk_plan street_plan(void)
{
	return (struct disk_plan){ .lazy = street.control == STREET_LAZY, .lies = street.control == STREET_LIAR };
}

struct dice *street_dice(void)
{
	return &street.dice;
}

const char *street_path(void)
{
	return street.path;
}

void street_count(struct street_findings *f, _Bool quiet)
{
	street.findings = f;
	street.quiet = quiet;
}

void street_found_wrong(uint64_t *count, const char *format, ...)
{
	va_list args;

	(*count)++;
	if (street.quiet)
		return;
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
}

void street_open(enum street_control control)
{
	const char *base = getenv("TMPDIR");
	struct problems p = { 0 };

	must(setenv("TZ", "Asia/Shanghai", 1) == 0);
	tzset();
	log_set_level(LOG_LEVEL_ERROR - 1);
	disk_install();
	street.control = control;
	snprintf(street.folder, sizeof street.folder, "%s/gridloop-fault-XXXXXX", base ? base : "/tmp");
	must(mkdtemp(street.folder));
	snprintf(street.path, sizeof street.path, "%s/street.db", street.folder);
	street.policy = policy_load("config/jurisdiction", &p);
	problems_print(&p, stderr);
	problems_close(&p);
	must(street.policy);
	street.policy->rules.new_reporter_day_most = street.policy->rules.reporter_day_most = 0;
	street.asks.digester = digester_new();
	street.options = (struct engine_options){
		.store = { .path = street.path },
		.policy = street.policy,
		.clock = { .wall_ms = wall_now, .mono_ms = mono_now, .mono_us = mono_now_us },
		.queue_most = 4096,
		.batch_most = BATCH_MOST,
		.evidence_limits = { .unnamed_keep_ms = 2 * CLOCK_DAY_MS },
	};
}

void street_close(void)
{
	char name[180];

	disk_format(0);
	digester_free(street.asks.digester);
	policy_release(street.policy);
	free(street.asks.all);
	street.asks = (struct asks){ 0 };
	free(kept.bytes);
	free(kept.asks);
	kept = (struct kept){ 0 };
	snprintf(name, sizeof name, "%s.lock", street.path);
	(void)unlink(name);
	(void)rmdir(street.folder);
}

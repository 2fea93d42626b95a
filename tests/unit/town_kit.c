#include "town_kit.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "clock_kit.h"
#include "jurisdiction/policy_parts.h"
#include "store_kit.h"

#define RUBBISH 10110

_Atomic int64_t town_wall, town_mono;

struct town town;

/* ---- clocks ---- */

static int64_t wall_now(void *ctx)
{
	(void)ctx;
	return town_wall;
}

static int64_t mono_now(void *ctx)
{
	(void)ctx;
	return town_mono;
}

static int64_t mono_now_us(void *ctx)
{
	return mono_now(ctx) * 1000;
}

/* ---- what the loop is told ---- */

static void take_answer(void *door, struct command *c)
{
	struct town *s = door;

	assert_true(c->origin.slot < TOWN_ANSWERS_MOST);
	s->answers[c->origin.slot] = c->outcome;
	s->answered++;
	command_free(c);
}

static void take_news(void *ctx, const struct news *n)
{
	struct town *s = ctx;

	s->news++;
	assert_true(n->last_event >= s->last_event);
	s->last_event = n->last_event;
	for (size_t i = 0; i < n->notice_to_count; i++)
		s->notices_to_reporter += strcmp(n->notice_to[i], "resident-01") == 0;
}

static void take_space(void *ctx)
{
	((struct town *)ctx)->spaces++;
}

static void take_failure(void *ctx, int exit_code)
{
	((struct town *)ctx)->exit_code = exit_code;
}

/* ---- a street ---- */

void town_prepare(void)
{
	town.options.store = (struct store_options){
		.path = town.path, .vfs = town.vfs, .checkpoint_frames = 1000, .room = town.room
	};
	town.options.policy = town.policy;
	town.options.clock = (struct clock){ .wall_ms = wall_now, .mono_ms = mono_now, .mono_us = mono_now_us };
}

void town_start(void)
{
	char *cause = NULL;

	town_prepare();
	town.engine = engine_new(&town.options, &cause);
	if (town.engine == NULL)
		fail_msg("%s", cause);
	engine_on_news(town.engine, take_news, &town);
	engine_on_space(town.engine, take_space, &town);
	engine_on_failure(town.engine, take_failure, &town);
	town.answered = 0;
	town.last_event = 0;
}

void town_stop(void)
{
	engine_free(town.engine);
	town.engine = NULL;
}

int town_open(void **state)
{
	const char *base = getenv("TMPDIR");
	struct problems p = { 0 };

	(void)state;
	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	log_set_level(LOG_LEVEL_ERROR - 1);
	memset(&town, 0, sizeof town);
	snprintf(town.folder, sizeof town.folder, "%s/gridloop-engine-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(town.folder));
	snprintf(town.path, sizeof town.path, "%s/street.db", town.folder);
	town.policy = policy_load("config/jurisdiction", &p);
	assert_non_null(town.policy);
	clock_kit_no_rest(town.policy);
	town.policy->rules.new_reporter_day_most = town.policy->rules.reporter_day_most = 0;
	town.digester = digester_new();
	town.options =
		(struct engine_options){ .queue_most = 4096, .batch_most = 256, .readers = 2, .queries_most = 64 };
	town_wall = NINE;
	town_mono = 1000;
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	return 0;
}

int town_close(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	char name[200];

	(void)state;
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	town_stop();
	policy_release(town.policy);
	digester_free(town.digester);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		snprintf(name, sizeof name, "%s%s", town.path, endings[i]);
		unlink(name);
	}
	assert_int_equal(rmdir(town.folder), 0);
	return 0;
}

/* ---- commands ---- */

struct command *town_command(enum command_kind kind, const char *actor, uint32_t slot)
{
	struct command *c = command_new(kind, 256);

	c->actor = actor;
	c->channel = "tcp";
	c->origin.answer = take_answer;
	c->origin.door = &town;
	c->origin.slot = slot;
	return c;
}

struct command *town_report(uint32_t slot)
{
	struct command *c = town_command(COMMAND_SUBMIT, "resident-01", slot);
	char name[32];

	snprintf(name, sizeof name, "engine %d", ++town.keys);
	c->key = uuid_from_name(NINE, name);
	c->reporter = "resident-01";
	c->category = RUBBISH;
	c->lat_e7 = 343350000 + (int32_t)slot * 5000;
	c->lon_e7 = 1086915000;
	c->description = "words";
	return c;
}

struct command *town_act(uint32_t slot, const char *actor, enum act a, int64_t id)
{
	struct command *c = town_command(COMMAND_ACT, actor, slot);

	c->act = a;
	c->case_id = id;
	c->text = "words";
	c->reason = "unclear";
	return c;
}

void town_keep(struct command *c, uint8_t first_byte)
{
	struct command *k = town_command(COMMAND_KEEP, c->actor, c->origin.slot);

	k->label = "image/jpeg";
	k->value = 1000;
	command_evidence(k, 1)->sha256[0] = first_byte;
	if (!town_ask(k).accepted)
		fail_msg("%s may not upload", c->actor);
	command_evidence(c, 1)->sha256[0] = first_byte;
}

void town_send(struct command *c)
{
	command_seal(c, town.digester);
	assert_true(engine_submit(town.engine, c));
}

void town_turn(void)
{
	struct pollfd p = { .fd = engine_fd(town.engine), .events = POLLIN };

	(void)poll(&p, 1, 50);
	engine_drain(town.engine);
}

struct outcome town_ask(struct command *c)
{
	uint32_t slot = c->origin.slot;
	size_t before = town.answered;

	town_send(c);
	UNTIL(town.answered > before);
	return town.answers[slot];
}

int64_t town_number(const char *sql)
{
	struct kit k = { 0 };

	snprintf(k.path, sizeof k.path, "%s", town.path);
	return kit_number(&k, sql);
}

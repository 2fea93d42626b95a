/* town_kit: an engine on a store of its own in a temporary folder, the sample jurisdiction, clocks held by the test, and a
 * loop that collects what it is told. */
#ifndef TESTS_TOWN_KIT_H
#define TESTS_TOWN_KIT_H

#include "base/digest.h"
#include "engine/engine.h"

#define NINE INT64_C(1795222800000) /* 2026-11-21 09:00 in China */
#define TOWN_ANSWERS_MOST 4096
#define TOWN_PATIENCE_MS 20000

extern _Atomic int64_t town_wall, town_mono;

extern struct town {
	char folder[128], path[160];
	struct policy *policy;
	struct engine_options options;
	struct engine *engine;
	struct digester *digester;
	struct outcome answers[TOWN_ANSWERS_MOST]; /* by slot */
	size_t answered, news, spaces, notices_to_reporter;
	int64_t last_event;
	int exit_code, keys;
	const char *vfs;
	struct room_limits room;
} town;

/* Setup and teardown of a test: the folder and the policy; the teardown ends the engine if it runs. */
int town_open(void **state);
int town_close(void **state);
/* Completes town.options: store, policy, clocks. */
void town_prepare(void);
/* The engine, with town.options. */
void town_start(void);
void town_stop(void);

/* Commands on the heap whose answer lands in town.answers[slot]. */
struct command *town_command(enum command_kind kind, const char *actor, uint32_t slot);
struct command *town_report(uint32_t slot);
struct command *town_act(uint32_t slot, const char *actor, enum act a, int64_t id);
/* Lets the command name a photo that its sender has uploaded, in the rows at least. */
void town_keep(struct command *c, uint8_t first_byte);
void town_send(struct command *c);
struct outcome town_ask(struct command *c); /* sends it and waits for its answer */
/* The first number of a query on the file. */
int64_t town_number(const char *sql);

/* One turn of the loop. */
void town_turn(void);
/* Turns the loop until it is so; a test that waits too long has failed. */
#define UNTIL(condition)                                                                                               \
	do {                                                                                                           \
		for (int turns = 0; !(condition); turns++) {                                                           \
			if (turns > TOWN_PATIENCE_MS / 50)                                                             \
				fail_msg("never came: " #condition);                                                   \
			town_turn();                                                                                   \
		}                                                                                                      \
	} while (0)

#endif

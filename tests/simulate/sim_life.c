/* sim_life: the daemon is started, lives until the disk fails it, and is started again, until the time is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fault/disk.h"
#include "base/clock.h"
#include "base/log.h"
#include "sim_parts.h"

struct clock __real_clock_system(void);
struct clock __wrap_clock_system(void);

struct sim *sim;

#define DOWN_MOST_MS 60000

int64_t sim_wall_ms(void)
{
	return sim->now_us / 1000 + sim->wall_off_ms;
}

static int64_t wall_ms(void *ctx)
{
	(void)ctx;
	return sim_wall_ms();
}

static int64_t mono_ms(void *ctx)
{
	(void)ctx;
	return sim->now_us / 1000;
}

static int64_t mono_us(void *ctx)
{
	(void)ctx;
	return sim->now_us;
}

/* What the store measures by itself goes by the life's clock too: a start's quick look at the database ends when its time is
 * up, and how far it came decides at which operation the next fault comes. */
struct clock __wrap_clock_system(void)
{
	return sim == NULL ? __real_clock_system() : (struct clock){ wall_ms, mono_ms, mono_us, NULL };
}

/* ---- what the writer says ---- */

static void deliver(void *ctx, struct command **commands, size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		net_answer(commands[i]);
}

static void publish(void *ctx, struct edition *news)
{
	(void)ctx;
	if (news->last_event > sim->promised_event)
		sim->promised_event = news->last_event;
	edition_clear(news);
}

static void failed(void *ctx, int exit_code)
{
	(void)ctx;
	(void)exit_code;
}

/* ---- faults ---- */

/* How the next fault comes is drawn when the one before is over. */
static void plan_fault(void)
{
	struct disk_plan plan = { 0 };
	uint64_t at = 1 + sim_below((uint64_t)sim->fault_operations * 2);

	if (sim_percent(70)) {
		plan.cut_at = at;
	} else {
		plan.fail_at[0] = at;
		plan.full = sim_percent(60);
	}
	/* Sometimes it does not even get through its start. */
	if (sim_percent(10))
		plan.cut_at = 1 + sim_below(300);
	disk_plan(&plan);
}

void life_day(void)
{
	if (disk_failures() > 0) {
		sim->tally->full++;
		plan_fault();
	}
	if (sim_percent(1))
		sim->wall_off_ms += (int64_t)sim_below(4 * CLOCK_HOUR_MS) - 2 * CLOCK_HOUR_MS;
}

static enum disk_rest rest_after_fault(void)
{
	if (!disk_is_dead()) {
		/* It gave up because of an error: the process is gone, what it wrote may still arrive. */
		disk_cut();
		sim->tally->errors++;
		return sim_percent(50) ? DISK_REST_ALL : DISK_REST_TORN;
	}
	if (sim_percent(35)) {
		sim->tally->kills++;
		return DISK_REST_ALL;
	}
	sim->tally->cuts++;
	return sim_percent(85) ? DISK_REST_TORN : DISK_REST_NONE;
}

static void fall(void)
{
	enum disk_rest rest = rest_after_fault();

	sim->open_late = 0;
	sim->up = 0;
	writer_close(&sim->writer);
	turns_close();
	disk_power_on(rest);
	sim->tally->crashes++;
	turns_pass(sim->now_us + 1000 + (int64_t)sim_below(DOWN_MOST_MS * 1000));
}

/* ---- the daemon ---- */

static _Bool start(void)
{
	char *cause = NULL;

	sim->writer = (struct writer){ .options = &sim->options,
		                       .commands = &sim->queue,
		                       .deliver = deliver,
		                       .publish = publish,
		                       .failed = failed,
		                       .ctx = sim };
	plan_fault();
	if (!writer_open(&sim->writer, &cause)) {
		if (!disk_is_dead() && disk_failures() == 0)
			sim_complain("it does not start: %s", cause);
		free(cause);
		return 0;
	}
	sim->up = 1;
	disk_pause();
	rules_recovered();
	disk_resume();
	net_daemon_is_back();
	return 1;
}

static void live(void)
{
	int futile = 0;

	while (!sim->over) {
		if (start()) {
			writer_run(&sim->writer);
			futile = 0;
		} else if (++futile > 50) {
			sim_complain("it did not start for fifty times");
			break;
		}
		if (!sim->over)
			fall();
	}
}

/* ---- beginning and end ---- */

static void prepare(uint64_t seed, int days)
{
	sim->dice = dice_of(seed, 1);
	sim->now_us = SIM_BEGIN_MS * 1000;
	sim->end_us = sim->now_us + days * CLOCK_DAY_MS * 1000;
	sim->digester = digester_new();
	sim->tally->trace = UINT64_C(14695981039346656037);
	sim->options = (struct engine_options){ .store = { .path = sim->path, .checkpoint_frames = 1000 },
		                                .policy = sim->policies[0],
		                                .clock = clock_system(),
		                                .batch_most = 256,
		                                .evidence_limits = { .unnamed_keep_ms = 3 * CLOCK_DAY_MS } };
	disk_format(seed);
	sim_plan((struct event){ .what = HAPPENS_DAY }, 0);
}

static void end(void)
{
	disk_pause();
	sim->up = 0;
	writer_close(&sim->writer);
	turns_close();
	rules_proof(sim->path);
	disk_resume();
	net_close();
	problems_close(&sim->problems);
	digester_free(sim->digester);
	free(sim->queue.items);
	free(sim->agenda.heap);
}

void life_live(uint64_t seed, int days)
{
	prepare(seed, days);
	live();
	end();
}

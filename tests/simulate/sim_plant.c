/* sim_plant: faults built in on purpose, which a life must find. A row of the table of transitions is changed in place, a
 * cell of the table of rights in each policy that was read; the early acknowledgement and the forgotten timer go where
 * the linker lets this file stand in between. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jurisdiction/policy_parts.h"
#include "sim_parts.h"
#include "workflow/decide.h"
#include "workflow/transitions.h"

enum store_result __real_store_begin(struct store *s);
enum store_result __wrap_store_begin(struct store *s);
enum store_result __real_store_commit(struct store *s);
enum store_result __wrap_store_commit(struct store *s);
struct timer __real_case_next_timer(const struct case_file *c);
struct timer __wrap_case_next_timer(const struct case_file *c);

const char *planted_name(enum planted what)
{
	static const char *const names[PLANTED_COUNT] = {
		[PLANTED_NONE] = "none",
		[PLANTED_ROW] = "a row of the table leads elsewhere",
		[PLANTED_WHO] = "a cell of the table of rights lets others act",
		[PLANTED_GUARD] = "a row of the table has lost its guard",
		[PLANTED_EARLY_ACK] = "acknowledged before the commit",
		[PLANTED_TIMER] = "a timer is forgotten",
	};

	return names[what];
}

/* ---- the table of transitions ---- */

static struct transition *writable(enum act act, enum state from)
{
	uintptr_t row = (uintptr_t)transition_find(act, from), page = (uintptr_t)sysconf(_SC_PAGESIZE);

	must(row != 0);
	must(mprotect((void *)(row & ~(page - 1)), 2 * page, PROT_READ | PROT_WRITE) == 0);
	return (struct transition *)row;
}

/* ---- the table of rights ---- */

/* The life has this process, and its policies, to itself. */
static void let_others_check(void)
{
	for (int i = 0; i < SIM_POLICIES; i++) {
		struct policy *p = (struct policy *)(uintptr_t)sim->policies[i];

		p->rights.roles[RIGHT_CHECK][RIGHTS_ALL][RIGHTS_FEEDBACK] |= ROLE_HANDLER | ROLE_REPORTER;
	}
}

void plant(enum planted what)
{
	sim->planted = what;
	if (what == PLANTED_ROW)
		writable(ACT_WHISTLE_LAPSE, STATE_WHISTLED)->to = STATE_HANDLED;
	else if (what == PLANTED_WHO)
		let_others_check();
	else if (what == PLANTED_GUARD)
		writable(ACT_PASS, STATE_CHECKING)->guard = NULL;
}

/* ---- the commit ---- */

/* Now and then "committed" is said of a transaction that is still open; the next one begins within it. */
static _Bool says_too_early(void)
{
	return sim->planted == PLANTED_EARLY_ACK && !sim->open_late && sim_percent(20);
}

enum store_result __wrap_store_begin(struct store *s)
{
	if (sim->open_late)
		return STORE_OK;
	return __real_store_begin(s);
}

/* As long as a disk takes: mostly a fast one, some days a slow one. */
static int64_t disk_time_us(void)
{
	_Bool slow_day = sim->now_us / 1000000 / 86400 % 7 == 3;

	return slow_day ? 1000 + (int64_t)sim_below(4000) : 20 + (int64_t)sim_below(300);
}

enum store_result __wrap_store_commit(struct store *s)
{
	sim->now_us += disk_time_us();
	sim->open_late = says_too_early();
	return sim->open_late ? STORE_OK : __real_store_commit(s);
}

/* ---- timers ---- */

struct timer __wrap_case_next_timer(const struct case_file *c)
{
	struct timer t = __real_case_next_timer(c);

	if (sim->planted == PLANTED_TIMER && c->id % 20 == 0 && c->state == STATE_CLOSED)
		t.at_ms = 0;
	return t;
}

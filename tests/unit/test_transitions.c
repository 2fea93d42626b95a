/* The transition table is sane in itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/transitions.h"

static const struct transition *rows;
static size_t count;

static int get_rows(void **state)
{
	(void)state;
	rows = transitions(&count);
	return 0;
}

static _Bool leads(const struct transition *r, enum state from, enum state to)
{
	return (r->from >> from & 1) != 0 && (r->to == STATE_NONE ? from : r->to) == to;
}

static void test_every_act_has_a_row(void **state)
{
	(void)state;
	for (int a = 1; a < ACT_COUNT; a++) {
		size_t i = 0;

		while (i < count && rows[i].act != (enum act)a)
			i++;
		if (i == count)
			fail_msg("no row for \"%s\"", act_info((enum act)a)->name);
	}
}

static void test_every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_true(rows[i].act > ACT_NONE && rows[i].act < ACT_COUNT);
		assert_true(rows[i].from != 0 && rows[i].from >> STATE_COUNT == 0);
		assert_true(rows[i].to >= STATE_NONE && rows[i].to < STATE_COUNT);
		assert_true(rows[i].who != 0);
		assert_non_null(rows[i].proceed);
		assert_true(rows[i].guard_words != NULL && rows[i].guard_words[0] != '\0');
	}
}

/* The same act from the same state to the same state is one row. */
static void test_no_row_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			assert_false(rows[i].act == rows[j].act && rows[i].to == rows[j].to &&
			             (rows[i].from & rows[j].from) != 0);
}

static void test_ends_and_ways_out(void **state)
{
	(void)state;
	for (int s = 1; s < STATE_COUNT; s++) {
		_Bool left = 0, touched = 0;

		for (size_t i = 0; i < count; i++)
			if ((rows[i].from >> s & 1) != 0) {
				touched = 1;
				left = left || (rows[i].to != STATE_NONE && rows[i].to != (enum state)s);
			}
		if (state_info((enum state)s)->terminal ? touched : !left)
			fail_msg("%s: terminal states are never left, others can be", state_info((enum state)s)->name);
	}
}

static uint32_t reached_from(uint32_t seen)
{
	for (size_t i = 0; i < count; i++)
		if ((rows[i].from & seen) != 0 && rows[i].to != STATE_NONE)
			seen |= UINT32_C(1) << rows[i].to;
	return seen;
}

static void test_every_state_is_reached(void **state)
{
	(void)state;
	uint32_t seen = 1, before = 0;

	while (seen != before) {
		before = seen;
		seen = reached_from(seen);
	}
	assert_int_equal(seen, (UINT32_C(1) << STATE_COUNT) - 1);
}

/* And from every open state some end is reached. */
static void test_every_state_ends(void **state)
{
	(void)state;
	for (int s = 1; s < STATE_COUNT; s++) {
		uint32_t seen = UINT32_C(1) << s, before = 0, ends = 0;

		while (seen != before) {
			before = seen;
			seen = reached_from(seen);
		}
		for (int e = 1; e < STATE_COUNT; e++)
			ends |= state_info((enum state)e)->terminal ? UINT32_C(1) << e : 0;
		assert_int_not_equal(seen & ends, 0);
	}
}

static void test_find_and_allowed_agree_with_the_rows(void **state)
{
	(void)state;
	for (int a = 0; a < ACT_COUNT; a++)
		for (int from = 0; from < STATE_COUNT; from++) {
			const struct transition *found = transition_find((enum act)a, (enum state)from);
			_Bool any = 0;

			for (int to = 0; to < STATE_COUNT; to++) {
				_Bool expected = 0;

				for (size_t i = 0; i < count; i++)
					expected = expected || (rows[i].act == (enum act)a &&
					                        leads(&rows[i], (enum state)from, (enum state)to));
				assert_int_equal(transition_allowed((enum act)a, (enum state)from, (enum state)to),
				                 expected);
				any = any || expected;
			}
			assert_int_equal(found != NULL, any);
			assert_true(found == NULL || found->act == (enum act)a);
		}
}

/* What may begin in each state and where it leads, as the domain says it: nothing else does. Without ">": it stays. */
#define ANYWHERE " alarm-again follow locate regrid doubt supervise reply exempt "
static const char *const begins[STATE_COUNT] = {
	[STATE_NONE] = " submit>REPORTED alarm>ALARM_PENDING ",
	[STATE_REPORTED] = ANYWHERE "verify>VERIFYING file>FILED reject>REJECTED merge>MERGED withdraw>CANCELLED ",
	[STATE_ALARM_PENDING] = ANYWHERE "confirm>REPORTED dismiss>CANCELLED expire>CANCELLED ",
	[STATE_VERIFYING] = ANYWHERE "verified>REPORTED vacated>REPORTED ",
	[STATE_FILED] = ANYWHERE "dispatch>DISPATCHED merge>MERGED ",
	[STATE_DISPATCHED] = ANYWHERE "sign>HANDLING return>RETURNED vacated>FILED reroute>FILED reroute basis "
				      "co-dispatch co-handled co-late escalate retime ",
	[STATE_HANDLING] = ANYWHERE
	"return>RETURNED suspend>SUSPENDED whistle>WHISTLED handled>HANDLED vacated>FILED ask-extension extend "
	"refuse-extension ask-suspension refuse-suspension co-dispatch co-handled co-late escalate retime ",
	[STATE_SUSPENDED] = ANYWHERE "resume>HANDLING ",
	[STATE_RETURNED] = ANYWHERE "take-back>FILED ",
	[STATE_WHISTLED] = ANYWHERE "answer>HANDLING answer whistle-lapse>HANDLING vacated>FILED co-handled co-late "
				    "escalate retime ",
	[STATE_HANDLED] = ANYWHERE "check>CHECKING co-handled co-late ",
	[STATE_CHECKING] = ANYWHERE "pass>CLOSED rework>HANDLING co-handled co-late ",
	[STATE_CLOSED] = ANYWHERE "review>REVIEWED reopen>HANDLING ",
	[STATE_REVIEWED] = ANYWHERE "reopen>HANDLING reward>REWARDED ",
	[STATE_REWARDED] = "",
	[STATE_REJECTED] = "",
	[STATE_MERGED] = "",
	[STATE_CANCELLED] = "",
};

static _Bool may_begin(enum state from, enum act act, enum state to)
{
	char word[64];

	if (from == to)
		snprintf(word, sizeof word, " %s ", act_info(act)->name);
	else
		snprintf(word, sizeof word, " %s>%s ", act_info(act)->name, state_info(to)->name);
	return strstr(begins[from], word) != NULL;
}

static void test_what_begins_where_and_leads_where(void **state)
{
	(void)state;
	for (int from = 0; from < STATE_COUNT; from++)
		for (int a = 1; a < ACT_COUNT; a++)
			for (int to = 1; to < STATE_COUNT; to++)
				if (transition_allowed((enum act)a, (enum state)from, (enum state)to) !=
				    may_begin((enum state)from, (enum act)a, (enum state)to))
					fail_msg("%s from state %d to %s", act_info((enum act)a)->name, from,
					         state_info((enum state)to)->name);
}

/* What each way to stand to a case lets one do, as the domain says it: nothing else. */
static const struct {
	uint32_t who;
	const char *acts;
} relations[] = {
	{ WHO_BY_ROLE,
	  " submit confirm dismiss verify file reject merge dispatch take-back extend refuse-extension suspend "
	  "refuse-suspension resume whistle locate check pass rework review reopen reward supervise reply exempt " },
	{ WHO_ITS_REPORTER, " withdraw review reopen " },
	{ WHO_ITS_HANDLER, " sign return ask-extension ask-suspension resume handled reply " },
	{ WHO_ITS_HELPER, " co-handled reply " },
	{ WHO_ITS_WORKER, " verified locate reply " },
	{ WHO_GRIDS_WORKER, " confirm dismiss verified locate " },
	{ WHO_WHISTLED, " answer " },
	{ WHO_CAMERA_OWNER, " alarm " },
	{ WHO_SYSTEM,
	  " alarm-again expire file merge follow dispatch resume whistle-lapse regrid vacated review reopen reward "
	  "doubt supervise basis reroute co-dispatch co-late retime escalate " },
};

static void test_what_each_relation_lets_one_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		const char *name = act_info(rows[i].act)->name;
		char word[64];
		uint32_t who = 0;

		snprintf(word, sizeof word, " %s ", name);
		for (size_t r = 0; r < sizeof relations / sizeof *relations; r++)
			who |= strstr(relations[r].acts, word) != NULL ? relations[r].who : 0;
		if (rows[i].who != who)
			fail_msg("%s: by %x, not by %x", name, rows[i].who, who);
	}
}

static void test_what_can_be_asked_for(void **state)
{
	(void)state;
	static const enum act own[] = { ACT_NONE,    ACT_SUBMIT,        ACT_ALARM,    ACT_ALARM_AGAIN,
		                        ACT_EXPIRE,  ACT_WHISTLE_LAPSE, ACT_ESCALATE, ACT_FOLLOW,
		                        ACT_VACATED, ACT_BASIS,         ACT_REROUTE,  ACT_CO_DISPATCH,
		                        ACT_CO_LATE, ACT_RETIME,        ACT_REGRID,   ACT_DOUBT };

	for (int a = 0; a < ACT_COUNT; a++) {
		_Bool expected = 1;

		for (size_t i = 0; i < sizeof own / sizeof *own; i++)
			expected = expected && own[i] != (enum act)a;
		assert_int_equal(transition_askable((enum act)a), expected);
	}
}

/* Only reports and alarms open a case. */
static void test_what_opens_a_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_int_equal((rows[i].from & 1) != 0, rows[i].act == ACT_SUBMIT || rows[i].act == ACT_ALARM);
}

static void test_printed(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size, lines = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	transitions_print(to);
	assert_int_equal(fclose(to), 0);
	for (const char *at = text; *at != '\0'; at++)
		lines += *at == '\n';
	assert_int_equal(lines, count + 2);
	assert_non_null(strstr(text, "| HANDLING | whistle 吹哨 | WHISTLED | convener |"));
	assert_non_null(strstr(text, "| any open | supervise 督办 | stays | supervisor, by itself |"));
	assert_non_null(strstr(text, "| – | submit 上报 | REPORTED | reporter, gateway |"));
	assert_non_null(strstr(text, "| REPORTED | withdraw 撤回 | CANCELLED | its reporter |"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_act_has_a_row),
		cmocka_unit_test(test_every_row_is_whole),
		cmocka_unit_test(test_no_row_twice),
		cmocka_unit_test(test_ends_and_ways_out),
		cmocka_unit_test(test_every_state_is_reached),
		cmocka_unit_test(test_every_state_ends),
		cmocka_unit_test(test_find_and_allowed_agree_with_the_rows),
		cmocka_unit_test(test_what_begins_where_and_leads_where),
		cmocka_unit_test(test_what_each_relation_lets_one_do),
		cmocka_unit_test(test_what_can_be_asked_for),
		cmocka_unit_test(test_what_opens_a_case),
		cmocka_unit_test(test_printed),
	};

	return cmocka_run_group_tests(tests, get_rows, NULL);
}

/* The table of rights: whole, equal to the workflow's acts, and asked as it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gridloop.pb-c.h"
#include "intake/requests.h"
#include "jurisdiction/policy.h"
#include "jurisdiction/rights.h"
#include "policy_folder.h"
#include "workflow/transitions.h"

#define N1 INT64_C(610404004001)
#define N2 INT64_C(610404004002)

static const struct right_row *rows;
static size_t count;

static int get_rows(void **state)
{
	(void)state;
	rows = rights_rows(&count);
	return 0;
}

/* ---- the rows ---- */

static void test_every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		uint32_t anybody = 0;

		for (int scope = 0; scope < RIGHTS_SCOPES; scope++)
			anybody |= rows[i].roles[scope];
		assert_true(rows[i].right > RIGHT_NONE && rows[i].right < RIGHT_COUNT);
		assert_true(rows[i].name[0] && rows[i].what[0]);
		assert_true(rows[i].phases != 0 && rows[i].phases >> RIGHTS_PHASES == 0);
		assert_int_equal(anybody >> ROLE_BITS, 0);
		assert_int_equal(anybody == 0, rows[i].before_login);
		assert_int_equal(right_from_name(rows[i].name), rows[i].right);
		assert_string_equal(right_name(rows[i].right), rows[i].name);
	}
}

/* A further row of an action says more about it, and nothing twice. */
static void test_no_cell_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			for (int scope = 0; scope < RIGHTS_SCOPES && rows[i].right == rows[j].right; scope++)
				if ((rows[i].phases & rows[j].phases) && (rows[i].roles[scope] & rows[j].roles[scope]))
					fail_msg("%s gives the same twice", rows[i].name);
}

static void test_every_role_has_a_right_of_its_own(void **state)
{
	(void)state;
	for (int bit = 0; bit < ROLE_BITS; bit++) {
		_Bool any = 0;

		for (size_t i = 0; i < count; i++)
			for (int scope = 0; scope < RIGHTS_SCOPES; scope++)
				any |= (rows[i].roles[scope] >> bit & 1) != 0 &&
				       rows[i].roles[scope] != (UINT32_C(1) << ROLE_BITS) - 1;
		assert_true(any);
	}
}

/* ---- the workflow's acts ---- */

static _Bool opens(enum act act)
{
	return transition_find(act, STATE_NONE) != NULL;
}

static unsigned phases_of(enum act act)
{
	unsigned phases = 0;

	for (int s = 0; s < STATE_COUNT; s++)
		if (transition_find(act, (enum state)s))
			phases |= 1U << state_info((enum state)s)->phase;
	return phases;
}

static void test_acts_and_rights_agree(void **state)
{
	(void)state;
	for (int a = 1; a < ACT_COUNT; a++) {
		enum act act = (enum act)a;
		const struct right_row *row = right_row(transition_right(act));
		const char *name = act_info(act)->name;

		if (!transition_askable(act) && !opens(act)) {
			if (row)
				fail_msg("\"%s\" happens by itself, but has a right", name);
			continue;
		}
		if (!row)
			fail_msg("nobody has the right to \"%s\": it is missing in rights.c", name);
		assert_string_equal(row->name, name);
		if (row->phases != phases_of(act))
			fail_msg("\"%s\" starts in other phases than its right reaches", name);
	}
}

/* Each scope of a right is a way to stand to a case that the transition table knows, and each way has its scope. */
static void test_scopes_and_relations_agree(void **state)
{
	static const uint32_t own = WHO_ITS_REPORTER | WHO_ITS_WORKER | WHO_GRIDS_WORKER | WHO_CAMERA_OWNER,
			      unit = WHO_ITS_HANDLER | WHO_ITS_HELPER | WHO_WHISTLED;
	size_t n;
	const struct transition *t = transitions(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct right_row *row = right_row(transition_right(t[i].act));

		if (t[i].who == WHO_SYSTEM)
			continue;
		assert_int_equal((t[i].who & own) != 0, row->roles[RIGHTS_OWN] != 0);
		assert_int_equal((t[i].who & unit) != 0, row->roles[RIGHTS_UNIT] != 0);
		assert_int_equal((t[i].who & WHO_BY_ROLE) != 0,
		                 (row->roles[RIGHTS_AREA] | row->roles[RIGHTS_ALL]) != 0);
	}
}

/* ---- the protocol's requests ---- */

static void test_every_request_has_its_rights(void **state)
{
	const ProtobufCMessageDescriptor *frame = &gridloop__v1__client_frame__descriptor;
	unsigned bodies = 0;

	(void)state;
	for (unsigned i = 0; i < frame->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &frame->fields[i];
		enum right rights[REQUEST_RIGHTS];

		if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		bodies++;
		if (!request_rights(field->id, rights))
			fail_msg("no row of requests.c serves \"%s\"", field->name);
		if (field->id == GRIDLOOP__V1__CLIENT_FRAME__BODY_ACTION)
			continue; /* its acts' */
		if (!right_row(rights[0]))
			fail_msg("\"%s\" names no right", field->name);
		for (int r = 1; r < REQUEST_RIGHTS; r++)
			assert_true(rights[r] == RIGHT_NONE || right_row(rights[r]) != NULL);
	}
	assert_true(bodies > 20);
}

/* ---- asking ---- */

static struct policy *load(const char *csv)
{
	return policy_folder_load(csv ? "rights.csv" : NULL, NULL, csv);
}

static void test_scopes(void **state)
{
	struct policy *p = load(NULL);
	const struct person one = { .id = "d", .roles = ROLE_DISPATCHER, .area = N1 },
			    all = { .id = "a", .roles = ROLE_DISPATCHER },
			    street = { .id = "s", .roles = ROLE_DISPATCHER, .area = N1 / 1000 * 1000 },
			    handler = { .id = "h", .roles = ROLE_HANDLER, .unit = "roads" };
	struct rights_on on = { .area = N1 * 1000 + 1, .phase = RIGHTS_HANDLE };

	(void)state;
	assert_true(rights_may(p, &one, RIGHT_DISPATCH, &on));
	assert_true(rights_may(p, &all, RIGHT_DISPATCH, &on));
	assert_false(rights_may(p, &handler, RIGHT_DISPATCH, &on));
	assert_false(rights_may(p, &handler, RIGHT_SIGN, &on));
	on.unit = 1;
	assert_true(rights_may(p, &handler, RIGHT_SIGN, &on));
	on = (struct rights_on){ .area = N2 * 1000 + 1, .phase = RIGHTS_HANDLE };
	assert_false(rights_may(p, &one, RIGHT_DISPATCH, &on));
	assert_true(rights_may(p, &all, RIGHT_DISPATCH, &on));
	on.area = 0; /* still to be located */
	assert_true(rights_may(p, &one, RIGHT_DISPATCH, &on));
	on.phase = RIGHTS_DISCOVER;
	assert_false(rights_may(p, &one, RIGHT_DISPATCH, &on));
	assert_int_equal(rights_phases(p, &one, RIGHT_DISPATCH, &on), 1U << RIGHTS_HANDLE);
	on = (struct rights_on){ .area = RIGHTS_WHOLE };
	assert_false(rights_may(p, &one, RIGHT_GET_STATS, &on));
	assert_true(rights_may(p, &street, RIGHT_GET_STATS, &on)); /* every grid is in its area */
	assert_true(rights_may(p, &all, RIGHT_GET_STATS, &on));
	policy_release(p);
}

static void test_what_is_in_no_row_is_denied(void **state)
{
	struct policy *p = load(NULL);
	const struct person everything = { .id = "e", .roles = UINT32_MAX, .unit = "roads" };

	(void)state;
	for (int right = -1; right <= RIGHT_COUNT + 1; right++) {
		const struct right_row *row = right_row((enum right)right);

		/* With every role it has the one too that shuts the right. */
		assert_int_equal(rights_has(p, &everything, (enum right)right),
		                 row && !row->before_login && !row->never);
		for (int phase = 0; phase < RIGHTS_PHASES; phase++) {
			struct rights_on on = { .phase = (enum rights_phase)phase, .own = 1, .unit = 1 };

			if (row && !(row->phases >> phase & 1))
				assert_false(rights_may(p, &everything, (enum right)right, &on));
		}
	}
	policy_release(p);
}

static void test_a_role_shuts_a_right(void **state)
{
	struct policy *p = load(NULL);
	const struct person one = { .id = "s", .roles = ROLE_SUPERVISOR, .area = N1 },
			    both = { .id = "b", .roles = ROLE_SUPERVISOR | ROLE_HANDLER, .area = N1, .unit = "roads" };
	struct rights_on on = { .area = N1 * 1000 + 1, .phase = RIGHTS_HANDLE, .unit = 1 };
	static const enum right shut[] = { RIGHT_SEE_REPORTER, RIGHT_UNMASK };

	(void)state;
	for (size_t i = 0; i < sizeof shut / sizeof *shut; i++) {
		struct refusal why;

		assert_true(rights_may(p, &one, shut[i], &on));
		assert_false(rights_may(p, &both, shut[i], &on));
		assert_true(rights_has_somewhere(p, &one, shut[i]));
		assert_false(rights_has_somewhere(p, &both, shut[i]));
		(void)rights_refuse(p, &both, shut[i], &on, "rule", &why);
		assert_non_null(
			strstr(why.sentence, ", and is shut to who is handler; you are handler and supervisor"));
	}
	assert_true(rights_may(p, &both, RIGHT_GET_CASE, &on));
	policy_release(p);
}

/* Where something done to a person is done. */
static void test_the_area_of_a_person(void **state)
{
	const struct person north = { .id = "n", .area = N1 }, whole = { .id = "w" };

	(void)state;
	assert_int_equal(rights_area_of(NULL), 0);
	assert_int_equal(rights_area_of(&whole), RIGHTS_WHOLE);
	assert_int_equal(rights_area_of(&north), N1);
}

/* An account is one's own by its whole name, or for a gateway by what stands before the stroke. */
static void test_whose_an_account_is(void **state)
{
	const struct person one = { .id = "rider", .roles = ROLE_REPORTER },
			    gateway = { .id = "rider", .roles = ROLE_GATEWAY };

	(void)state;
	assert_false(rights_owns(&one, NULL));
	assert_false(rights_owns(&one, "resident"));
	assert_true(rights_owns(&one, "rider"));
	assert_false(rights_owns(&one, "rider/7"));
	assert_true(rights_owns(&gateway, "rider"));
	assert_true(rights_owns(&gateway, "rider/7"));
	assert_false(rights_owns(&gateway, "rider-7"));
}

static void test_the_roles_of_what_is_no_right(void **state)
{
	struct policy *p = load(NULL);

	(void)state;
	assert_int_equal(rights_roles(p, RIGHT_NONE, RIGHTS_ALL, RIGHTS_NO_CASE), 0);
	assert_int_equal(rights_roles(p, RIGHT_COUNT, RIGHTS_ALL, RIGHTS_NO_CASE), 0);
	assert_int_equal(rights_roles(p, RIGHT_REDEEM, RIGHTS_ALL, RIGHTS_NO_CASE), ROLE_STATION);
	assert_int_equal(rights_never(p, RIGHT_NONE, RIGHTS_ALL), 0);
	assert_int_equal(rights_never(p, RIGHT_COUNT, RIGHTS_ALL), 0);
	assert_string_equal(right_name(RIGHT_NONE), "none");
	policy_release(p);
}

static void assert_words(const struct policy *p, const struct person *who, enum right right, const struct rights_on *on,
                         const char *sentence)
{
	struct refusal why;

	assert_false(rights_may(p, who, right, on ? on : &(struct rights_on){ .area = 0 }));
	assert_false(rights_refuse(p, who, right, on, "rule", &why));
	assert_int_equal(why.code, REFUSAL_NOT_ALLOWED);
	assert_string_equal(why.sentence, sentence);
	assert_string_equal(why.right, right_name(right));
}

static void test_a_refusal_says_what_is_missing(void **state)
{
	struct policy *p = load(NULL);
	const struct person dispatcher = { .id = "d", .roles = ROLE_DISPATCHER, .area = N1 },
			    visitor = { .id = "v", .roles = ROLE_VISITOR | ROLE_REPORTER };
	struct rights_on on = { .area = N2 * 1000 + 1, .phase = RIGHTS_HANDLE };

	(void)state;
	assert_words(p, &dispatcher, RIGHT_DISPATCH, &on,
	             "\"dispatch\" needs the role dispatcher in area 610404004002001; "
	             "you are dispatcher in 610404004001.");
	/* Where it lies is nobody's business who has not the role. */
	assert_words(p, &visitor, RIGHT_DISPATCH, &on,
	             "\"dispatch\" needs the role dispatcher in its area; you are reporter and visitor.");
	assert_words(p, &visitor, RIGHT_SIGN, &on,
	             "\"sign\" needs the role handler of a unit that works on it; you are reporter and visitor.");
	assert_words(p, &visitor, RIGHT_GET_CASE, &on,
	             "\"get-case\" needs a case in feedback, reward; this one is in handle.");
	assert_words(p, &dispatcher, RIGHT_REDEEM, NULL,
	             "\"redeem\" needs the role station; you are dispatcher in 610404004001.");
	on.area = RIGHTS_WHOLE;
	on.phase = RIGHTS_NO_CASE;
	assert_words(p, &dispatcher, RIGHT_RELOAD, &on,
	             "\"reload\" needs the role supervisor for the whole jurisdiction, or operator or administrator; "
	             "you are dispatcher in 610404004001.");
	policy_release(p);
}

/* ---- a street's own ---- */

static void test_rights_are_taken_away(void **state)
{
	struct policy *p = load("action,role,scope,phase\n"
	                        "get-case,visitor,area,reward\n"
	                        "resume,handler,*,*\n"
	                        "reply,handler,*,handle\n"
	                        "redeem,station,all,none\n");
	const struct person visitor = { .id = "v", .roles = ROLE_VISITOR },
			    station = { .id = "s", .roles = ROLE_STATION },
			    handler = { .id = "h", .roles = ROLE_HANDLER, .unit = "roads" };
	struct rights_on on = { .phase = RIGHTS_HANDLE, .unit = 1 };
	struct refusal why;
	struct problems warned = { 0 };

	(void)state;
	assert_int_equal(rights_phases(p, &visitor, RIGHT_GET_CASE, NULL), 1U << RIGHTS_FEEDBACK);
	assert_false(rights_may(p, &handler, RIGHT_RESUME, &on));
	assert_true(rights_may(p, &handler, RIGHT_SIGN, &on));
	assert_false(rights_may(p, &handler, RIGHT_REPLY, &on));
	on.phase = RIGHTS_FEEDBACK;
	assert_true(rights_may(p, &handler, RIGHT_REPLY, &on));
	assert_false(rights_has(p, &station, RIGHT_REDEEM));
	(void)rights_refuse(p, &station, RIGHT_REDEEM, NULL, "rule", &why);
	assert_string_equal(why.sentence, "\"redeem\" needs a role that nobody has here; you are station.");
	policy_warn(p, 0, &warned);
	_Bool told = 0;

	for (size_t i = 0; i < warned.warning_count; i++)
		told |= strstr(warned.warnings[i], "rights.csv:5: warning: nobody may \"redeem\" any more") != NULL;
	assert_true(told);
	problems_close(&warned);
	policy_release(p);
}

static void test_mistakes_in_the_file(void **state)
{
	static const struct {
		const char *csv, *problem;
	} wrong[] = {
		{ "action,role,scope,phase\nfly,worker,*,*\n", "rights.csv:2: found action \"fly\"" },
		{ "action,role,scope,phase\nfile,worker,*,*\n",
		  "rights.csv:2: found nothing to take away: worker does not" },
		{ "action,role,scope,phase\nfile,acceptor,own,*\n", "rights.csv:2: found nothing to take away" },
		{ "action,role,scope,phase\nfile,acceptor,area,reward\n", "rights.csv:2: found nothing to take away" },
		{ "action,role,scope,phase\nfile,acceptor,here,*\n",
		  "rights.csv:2: found scope \"here\"; expected own" },
		{ "action,role,scope,phase\nfile,acceptor,*,later\n", "rights.csv:2: found phase \"later\"" },
		{ "action,role,scope,phase\nfile,boss,*,*\n", "rights.csv:2: found role \"boss\"" },
		{ "action,role,scope,phase\nfile,acceptor,*,*\nfile,acceptor,*,*\n", "rights.csv:3: found the right" },
		{ "action,role,scope\nfile,acceptor,*\n", "rights.csv:1: found no column \"phase\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct problems p = { 0 };
		char folder[POLICY_FOLDER_SIZE];

		policy_folder_make(folder);
		policy_folder_change(folder, "rights.csv", NULL, wrong[i].csv);
		assert_null(policy_load(folder, &p));
		assert_int_equal(p.count, 1);
		if (!strstr(p.lines[0], wrong[i].problem))
			fail_msg("found \"%s\" where \"%s\" was expected", p.lines[0], wrong[i].problem);
		problems_close(&p);
		policy_folder_drop(folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_whole),
		cmocka_unit_test(test_no_cell_twice),
		cmocka_unit_test(test_every_role_has_a_right_of_its_own),
		cmocka_unit_test(test_acts_and_rights_agree),
		cmocka_unit_test(test_scopes_and_relations_agree),
		cmocka_unit_test(test_every_request_has_its_rights),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_what_is_in_no_row_is_denied),
		cmocka_unit_test(test_a_role_shuts_a_right),
		cmocka_unit_test(test_the_area_of_a_person),
		cmocka_unit_test(test_whose_an_account_is),
		cmocka_unit_test(test_the_roles_of_what_is_no_right),
		cmocka_unit_test(test_a_refusal_says_what_is_missing),
		cmocka_unit_test(test_rights_are_taken_away),
		cmocka_unit_test(test_mistakes_in_the_file),
	};

	return cmocka_run_group_tests(tests, get_rows, NULL);
}

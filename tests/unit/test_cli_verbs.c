/* The table of verbs: complete, explained, and found again by a hurried hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* clang-format off */
#include "../../cli/wire.c"
#include "../../cli/trouble.c"
#include "../../cli/options.c"
#include "../../cli/table.c"
#include "../../cli/show.c"
#include "../../cli/client.c"
#include "../../cli/login.c"
#include "../../cli/call.c"
#include "../../cli/registry.c"
#include "../../cli/help.c"
#include "../../cli/indicators.c"
#include "../../cli/acts.c"
#include "../../cli/progress.c"
#include "../../cli/upload.c"
#include "../../cli/verb_evidence.c"
#include "../../cli/verb_act.c"
#include "../../cli/verb_report.c"
#include "../../cli/verb_case.c"
#include "../../cli/verb_watch.c"
#include "../../cli/verb_notices.c"
#include "../../cli/verb_points.c"
#include "../../cli/verb_stats.c"
#include "../../cli/verb_where.c"
#include "../../cli/verb_operate.c"
#include "../../cli/verb_emergency.c"
#include "../../cli/verb_identity.c"
#include "../../cli/verb_identity_list.c"
#include "../../cli/verb_reload.c"
#include "../../cli/verb_audit.c"
#include "../../cli/verb_person.c"
/* clang-format on */
#include "workflow/transitions.h"

/* These need the database and Redis; what they read and send has tests of its own. */
const struct verb offline_verbs[] = { { .name = NULL } };
const struct verb posts_verbs[] = { { .name = NULL } };
const struct verb rights_verbs[] = { { .name = NULL } };
const struct verb replay_verbs[] = { { .name = NULL } };
const struct verb camera_verbs[] = { { .name = NULL } };
const struct verb evaluate_verbs[] = { { .name = NULL } };
const struct verb backup_verbs[] = { { .name = NULL } };
const struct verb doctor_verbs[] = { { .name = NULL } };

static const char *const elsewhere[] = { "verify", "check-config", "replay", "camera-bridge", "evaluate-merge" };

static _Bool is_elsewhere(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
		if (strlen(elsewhere[i]) == length && memcmp(elsewhere[i], name, length) == 0)
			return 1;
	return 0;
}

static _Bool exists(const char *name, size_t length)
{
	const struct verb *v;

	for (size_t i = 0; (v = verb_at(i)); i++)
		if (strlen(v->name) == length && memcmp(v->name, name, length) == 0)
			return 1;
	return is_elsewhere(name, length);
}

static void test_every_verb_is_explained(void **state)
{
	const struct verb *v;

	(void)state;
	for (size_t i = 0; (v = verb_at(i)); i++) {
		assert_non_null(v->zh);
		assert_non_null(v->usage);
		assert_non_null(v->summary);
		assert_non_null(v->run);
		if (!v->example || strncmp(v->example, "gridloop ", 9) != 0 ||
		    strncmp(v->example + 9, v->name, strlen(v->name)) != 0)
			fail_msg("the example of %s shows something else", v->name);
		for (const char *at = v->related; *at; at += *at == ',' ? 2 : 0) {
			size_t length = strcspn(at, ",");

			if (!exists(at, length))
				fail_msg("%s names %.*s, which is no verb", v->name, (int)length, at);
			at += length;
		}
	}
}

static void test_names_are_not_doubled(void **state)
{
	const struct verb *a, *b;

	(void)state;
	for (size_t i = 0; (a = verb_at(i)); i++)
		for (size_t j = i + 1; (b = verb_at(j)); j++)
			assert_string_not_equal(a->name, b->name);
}

static void test_every_act_that_may_be_asked_has_a_verb(void **state)
{
	size_t submits = 0;

	(void)state;
	for (int act = 1; act < ACT_COUNT; act++) {
		int found = 0;

		for (const struct verb *v = act_verbs; v->name; v++)
			found += v->act == act;
		/* A report and an alarm are messages of their own. */
		if (act == ACT_SUBMIT || act == ACT_ALARM || act == ACT_ALARM_AGAIN) {
			submits += found == 0;
			continue;
		}
		if (found != transition_askable((enum act)act))
			fail_msg("%s has %d verbs", act_info((enum act)act)->name, found);
	}
	assert_int_equal(submits, 3);
}

static void test_needs_are_among_what_is_taken(void **state)
{
	(void)state;
	for (const struct verb *v = act_verbs; v->name; v++) {
		assert_int_equal(v->needs & ~v->takes, 0);
		assert_int_equal(v->takes >> ACT_OPTION_COUNT, 0);
		/* Words need no quotes where words are meant, and are a mistake elsewhere. */
		assert_int_equal(v->most_words, v->takes & 1u << TAKES_TEXT ? -1 : 1);
	}
}

static void test_help_of_every_verb_names_every_option(void **state)
{
	const struct verb *v;

	(void)state;
	for (size_t i = 0; (v = verb_at(i)); i++) {
		struct option_set set = { 0 };
		char *text = NULL;
		size_t size;
		FILE *to = open_memstream(&text, &size);

		help_verb(v, to);
		fclose(to);
		verb_options(v, &set);
		for (int k = 0; k < set.count; k++)
			assert_non_null(strstr(text, set.rows[k]->name));
		assert_non_null(strstr(text, v->summary));
		assert_non_null(strstr(text, "\nExample\n  gridloop "));
		free(text);
	}
}

static void test_overview_names_every_verb(void **state)
{
	const struct verb *v;
	char *text = NULL, line[100];
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	help_overview(to);
	fclose(to);
	for (size_t i = 0; (v = verb_at(i)); i++) {
		snprintf(line, sizeof line, "\n  %s %s ", v->name, v->zh);
		assert_non_null(strstr(text, line));
	}
	free(text);
}

static void finds(const char *first, const char *second, const char *expected, int words)
{
	char *argv[] = { (char *)(uintptr_t)first, (char *)(uintptr_t)second };
	int used;
	const struct verb *v = verb_find(second ? 2 : 1, argv, &used);

	if (!expected) {
		assert_null(v);
		return;
	}
	assert_non_null(v);
	assert_string_equal(v->name, expected);
	assert_int_equal(used, words);
}

static void test_find(void **state)
{
	(void)state;
	finds("case", "list", "case list", 2);
	finds("sign", "E01102026112100042", "sign", 1);
	finds("sign", NULL, "sign", 1);
	finds("case", NULL, NULL, 0);
	finds("", NULL, NULL, 0);
}

static void is_near(const char *typed, const char *expected)
{
	const struct verb *v = verb_nearest(typed);

	if (!v || strcmp(v->name, expected) != 0)
		fail_msg("\"%s\" is near %s, not %s", typed, v ? v->name : "nothing", expected);
}

static void test_nearest(void **state)
{
	(void)state;
	is_near("dispach", "dispatch");
	is_near("reprot", "report");
	is_near("withdrawl", "withdraw");
	is_near("list", "case list");
	is_near("history", "case history");
	is_near("ask-ext", "ask-extension");
	assert_null(verb_nearest("qqqqqqqqqq"));
	assert_null(verb_nearest("0123456789012345678901234567890123456789012345678901234567890123456789"));
}

static void test_rates(void **state)
{
	wire_stats_row r = GRIDLOOP__V1__STATS_ROW__INIT;
	char text[SHOW_SIZE];

	(void)state;
	for (const struct indicator *i = indicators; i->name; i++)
		assert_string_equal(indicator_text(i, &r, text), "–");
	assert_int_equal(indicator_first_reply_ms(&r), -1);
	/* Eleven closed where ten were due: an answer, not a mistake to be hidden. */
	r.received = 20, r.filed = 16, r.closed = 11, r.due = 12, r.suspended = 2, r.on_time = 8, r.overdue_open = 5;
	r.satisfied = 3, r.fairly = 0, r.unsatisfied = 1, r.unanswered = 6, r.first_reply_ms = 9000, r.replied = 3;
	assert_string_equal(indicator_text(&indicators[INDICATOR_FILING], &r, text), "80.0%");
	assert_string_equal(indicator_text(&indicators[INDICATOR_CLOSING], &r, text), "110.0%");
	assert_string_equal(indicator_text(&indicators[INDICATOR_ON_TIME], &r, text), "72.7%");
	assert_string_equal(indicator_text(&indicators[INDICATOR_HONEST], &r, text), "50.0%");
	assert_string_equal(indicator_text(&indicators[INDICATOR_SATISFIED], &r, text), "75.0%");
	assert_string_equal(indicator_text(&indicators[INDICATOR_ANSWERED], &r, text), "40.0%");
	assert_int_equal(indicator_first_reply_ms(&r), 3000);
	/* All that was due is suspended: nothing to divide by, and no negative rate either. */
	r.due = 1;
	assert_string_equal(indicator_text(&indicators[INDICATOR_CLOSING], &r, text), "–");
}

/* What a verb prints meanwhile goes into memory instead. */
struct catch
{
	FILE *before;
	char *text;
	size_t size;
};

static void catch_begin(struct catch *c)
{
	c->before = stdout;
	c->text = NULL;
	stdout = open_memstream(&c->text, &c->size);
	assert_non_null(stdout);
}

static void catch_end(struct catch *c)
{
	fclose(stdout);
	stdout = c->before;
}

static wire_bytes bytes_of(const char *text)
{
	return (wire_bytes){ strlen(text), (uint8_t *)(uintptr_t)text };
}

/* No line is wider, and none ends in a space. */
static void assert_readable(const char *text, size_t most)
{
	assert_null(strstr(text, " \n"));
	while (*text) {
		char line[512];
		size_t length = strcspn(text, "\n");

		snprintf(line, sizeof line, "%.*s", (int)length, text);
		if (text_columns(line) > most)
			fail_msg("%zu columns, not %zu: %s", text_columns(line), most, line);
		text += length + (text[length] == '\n');
	}
}

/* What `gridloop stats` with this argument prints about a busy year, on the heap. */
static char *stats_printed(const char *argument, size_t width)
{
	char *argv[] = { (char *)(uintptr_t)argument }, why[OPTION_WHY_SIZE];
	struct call call = { .verb = stats_verbs, .width = width };
	struct option_set set = { 0 };
	wire_stats s = GRIDLOOP__V1__STATS__INIT;
	wire_stats_row r = GRIDLOOP__V1__STATS_ROW__INIT, *rows[] = { &r };
	struct catch c;

	verb_options(stats_verbs, &set);
	assert_true(options_parse(&set, argument != NULL, argv, &call.options, why));
	r.key = bytes_of("E0110"), r.name = bytes_of("Household rubbish lying about");
	r.received = 123456, r.filed = 98765, r.closed = 98001, r.open = 764, r.overdue_open = 12, r.on_time = 98001;
	r.satisfied = 9000, r.unsatisfied = 3000, r.unanswered = 18000, r.points = 123456;
	r.first_reply_ms = 10 * CLOCK_DAY_MS + 23 * CLOCK_HOUR_MS, r.replied = 1;
	s.rows = rows, s.n_rows = 1, s.total = &r;
	catch_begin(&c);
	if (options_flag(&call.options, "--csv"))
		print_stats_csv(&s, "category");
	else
		print_stats(&call, &s, "category");
	catch_end(&c);
	return c.text;
}

static void test_stats_fit_a_terminal(void **state)
{
	static const char *const kept[] = { "category", "received", "closed",         "open", "overdue",
		                            "on time",  "honest",   "satisfied 满意", "按期" };
	static const char *const more[] = { "filed", "points", "reply", "10d 23h" };
	char *whole = stats_printed(NULL, 0), *narrow = stats_printed(NULL, 80);

	(void)state;
	assert_readable(whole, 110);
	assert_readable(narrow, 80);
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		assert_non_null(strstr(whole, kept[i]));
		assert_non_null(strstr(narrow, kept[i]));
	}
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
		assert_non_null(strstr(whole, more[i]));
		assert_null(strstr(narrow, more[i]));
	}
	assert_non_null(strstr(whole, "75.0% of 40.0%"));
	assert_null(strstr(whole, "立案率"));
	assert_null(strstr(whole, "do not fit"));
	assert_non_null(strstr(narrow, "3 columns do not fit; --wide"));
	free(whole);
	free(narrow);
}

static void test_stats_wide_and_csv_have_everything(void **state)
{
	static const char *const rates[] = { "立案率",   "结案率", "按期", "honest", "满意",
		                             "answered", "返工",   "延期", "回退",   "并案" };
	char *wide = stats_printed("--wide", 80), *csv = stats_printed("--csv", 80);

	(void)state;
	assert_null(strstr(wide, " \n"));
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
		assert_non_null(strstr(wide, rates[i]));
	assert_non_null(strstr(wide, "Household rubbish lying about"));
	assert_null(strstr(wide, "not fit"));
	assert_non_null(strstr(
		csv, "category,name,received,filed,closed,open,overdue_open,on_time,due,suspended,"
		     "reworked,extended,returned,merged,rejected,cancelled,satisfied,fairly,"
		     "unsatisfied,unanswered,first_reply_ms,replied,points,archived,"
		     "expired_alarms,late,exempted,unlocated,told_outside,told_nowhere\r\nE0110,Household rubbish "
		     "lying about,123456,98765,"));
	free(wide);
	free(csv);
}

static void test_satisfied_names_the_share_that_answered(void **state)
{
	wire_stats_row r = GRIDLOOP__V1__STATS_ROW__INIT;
	char text[SHOW_SIZE];

	(void)state;
	assert_string_equal(satisfied_of_answered(&r, 0, text), "–");
	r.unanswered = 4;
	assert_string_equal(satisfied_of_answered(&r, 0, text), "– of  0.0%");
	r.satisfied = 4;
	assert_string_equal(satisfied_of_answered(&r, 0, text), "100.0% of 50.0%");
}

/* What `gridloop case list` prints of one reported case, on the heap. */
static char *list_printed(const struct call *call, const char *address)
{
	wire_summary s = GRIDLOOP__V1__CASE_SUMMARY__INIT, *cases[] = { &s };
	Gridloop__V1__CaseList list = GRIDLOOP__V1__CASE_LIST__INIT;
	struct catch c;

	s.number = bytes_of("E01102026112100042"), s.category = bytes_of("E0110");
	s.category_name = bytes_of("Household rubbish lying about");
	s.state = GRIDLOOP__V1__STATE__REPORTED, s.reported_ms = 1795269600000;
	s.reporter = bytes_of("resident-01"), s.address = bytes_of(address);
	list.cases = cases, list.n_cases = 1;
	catch_begin(&c);
	print_list(call, &list);
	catch_end(&c);
	return c.text;
}

static void test_list_leaves_out_what_no_row_has(void **state)
{
	struct call call = { .verb = case_verbs };
	char *plain = list_printed(&call, ""), *with = list_printed(&call, "滨河路12号");

	(void)state;
	assert_readable(plain, 110);
	assert_non_null(strstr(plain, "E0110 Household rubbish…  "));
	assert_non_null(strstr(plain, "to be located"));
	assert_non_null(strstr(plain, "resident-01"));
	assert_null(strstr(plain, "handler"));
	assert_null(strstr(plain, "light"));
	assert_null(strstr(plain, "due"));
	assert_null(strstr(plain, "address"));
	assert_non_null(strstr(with, "address\n"));
	assert_non_null(strstr(with, "滨河路12号\n"));
	free(plain);
	free(with);
	call.csv = 1;
	plain = list_printed(&call, "");
	assert_non_null(strstr(
		plain, "number,state,category,light,reported,due,grid,handler,reporter,kind,address,doubts\r\n"));
	free(plain);
	call = (struct call){ .verb = case_verbs, .width = 60 };
	plain = list_printed(&call, "");
	assert_readable(plain, 60);
	assert_non_null(strstr(plain, " not fit; --csv and --json have all\n"));
	free(plain);
}

static void test_spans(void **state)
{
	char text[SHOW_SIZE];

	(void)state;
	assert_string_equal(show_span(0, text), "0s");
	assert_string_equal(show_span(45 * CLOCK_SECOND_MS, text), "45s");
	assert_string_equal(show_span(20 * CLOCK_MINUTE_MS, text), "20m");
	assert_string_equal(show_span(200 * CLOCK_MINUTE_MS, text), "3h 20m");
	assert_string_equal(show_span(52 * CLOCK_HOUR_MS, text), "2d 4h");
	assert_string_equal(show_span(-CLOCK_DAY_MS, text), "-1d");
}

static void test_keys(void **state)
{
	struct uuid key, again;
	char text[UUID_TEXT_SIZE];

	(void)state;
	key = uuid_new(1795269600000);
	uuid_text(&key, text);
	assert_true(key_from_text(text, &again));
	assert_memory_equal(&key, &again, sizeof key);
	assert_false(key_from_text("", &again));
	assert_false(key_from_text("0198-not-a-key", &again));
	text[35] = '\0';
	assert_false(key_from_text(text, &again));
	assert_false(key_from_text("00000000-0000-0000-0000-000000000000", &again));
}

static void test_texts_from_the_wire_cannot_drive_a_terminal(void **state)
{
	uint8_t escape[] = "a\033[2J\n\x00z\x7f", broken[] = "ab\xff\xc3", chinese[] = "积水";

	(void)state;
	assert_string_equal(wire_text((wire_bytes){ 9, escape }), "a?[2J\n?z?");
	assert_string_equal(wire_text((wire_bytes){ 4, broken }), "ab??");
	assert_string_equal(wire_text((wire_bytes){ 6, chinese }), "积水");
	assert_string_equal(wire_text((wire_bytes){ 0, NULL }), "");
}

static void test_frame_lengths(void **state)
{
	uint8_t bytes[8];
	uint32_t length;

	(void)state;
	for (uint32_t n = 0; n <= WIRE_FRAME_MOST; n += 127) {
		size_t used = wire_put_length(bytes, n);

		assert_int_equal(wire_get_length(bytes, used, &length), (int)used);
		assert_int_equal(length, n);
		if (used > 1)
			assert_int_equal(wire_get_length(bytes, used - 1, &length), 0);
	}
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(wire_get_length(bytes, sizeof bytes, &length), -1);
	assert_int_equal(wire_get_length(bytes, wire_put_length(bytes, WIRE_FRAME_MOST + 1), &length), -1);
}

static void test_login_file_must_be_private(void **state)
{
	const char *temporary = getenv("TMPDIR");
	char folder[200], path[300];
	struct options none = { 0 };
	struct login login;
	struct trouble why;
	char *texts[LOGIN_TEXTS];

	(void)state;
	snprintf(folder, sizeof folder, "%s/gridloop-login-XXXXXX", temporary ? temporary : "/tmp");
	assert_non_null(mkdtemp(folder));
	setenv("XDG_CONFIG_HOME", folder, 1);
	unsetenv("GRIDLOOP_ID");
	unsetenv("GRIDLOOP_TOKEN");
	assert_false(login_find(&none, &login, texts, &why));
	assert_int_equal(why.exit, EXIT_USAGE);
	for (int i = 0; i < LOGIN_TEXTS; i++)
		free(texts[i]);
	snprintf(path, sizeof path, "%s/gridloop", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/gridloop/login", folder);

	FILE *to = fopen(path, "w");

	fputs("id = wang\ntoken = secret\n", to);
	fclose(to);
	chmod(path, 0640);
	assert_false(login_find(&none, &login, texts, &why));
	assert_non_null(strstr(why.sentence, "chmod 600"));
	chmod(path, 0600);
	setenv("GRIDLOOP_TOKEN", "other", 1);
	assert_true(login_find(&none, &login, texts, &why));
	assert_string_equal(login.who, "wang");
	assert_string_equal(login.token, "other");
	assert_false(login.tls);
	for (int i = 0; i < LOGIN_TEXTS; i++)
		free(texts[i]);
	/* Whoever names an authority must never be heard in the open; half a certificate is a slip. */
	setenv("GRIDLOOP_CA", "/etc/street-ca.pem", 1);
	assert_true(login_find(&none, &login, texts, &why));
	assert_true(login.tls);
	assert_string_equal(login.ca, "/etc/street-ca.pem");
	for (int i = 0; i < LOGIN_TEXTS; i++)
		free(texts[i]);
	setenv("GRIDLOOP_CERT", "/etc/wang.pem", 1);
	assert_false(login_find(&none, &login, texts, &why));
	assert_non_null(strstr(why.sentence, "--cert-key FILE"));
	for (int i = 0; i < LOGIN_TEXTS; i++)
		free(texts[i]);
	unsetenv("GRIDLOOP_CA");
	unsetenv("GRIDLOOP_CERT");
	unlink(path);
	snprintf(path, sizeof path, "%s/gridloop", folder);
	rmdir(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_verb_is_explained),
		cmocka_unit_test(test_names_are_not_doubled),
		cmocka_unit_test(test_every_act_that_may_be_asked_has_a_verb),
		cmocka_unit_test(test_needs_are_among_what_is_taken),
		cmocka_unit_test(test_help_of_every_verb_names_every_option),
		cmocka_unit_test(test_overview_names_every_verb),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_stats_fit_a_terminal),
		cmocka_unit_test(test_stats_wide_and_csv_have_everything),
		cmocka_unit_test(test_satisfied_names_the_share_that_answered),
		cmocka_unit_test(test_list_leaves_out_what_no_row_has),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_texts_from_the_wire_cannot_drive_a_terminal),
		cmocka_unit_test(test_frame_lengths),
		cmocka_unit_test(test_login_file_must_be_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

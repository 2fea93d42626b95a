/* due: how well the work calendar foretells a city's own due dates. For the commonest kinds of report whose limit is at
 * most two working days, the limit is the median of what the city gave, in working days; each row's due is worked out
 * from it, and its date compared with the city's. Usage: due FILE RULES CALENDAR, in the city's time zone (TZ).
 * FILE has columns created_at, due_at and subcategory; RULES is a policy.conf; CALENDAR a calendar.csv. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/json.h"
#include "jurisdiction/policy.h"

#define KINDS_MOST 1000
#define SHOWN 5
#define DAYS_MOST 2
#define NAME_MOST 120

struct row {
	int64_t created_ms, due_ms;
};

struct kind {
	char name[NAME_MOST];
	struct row *rows;
	size_t count, room;
	int64_t limit_days;
	size_t equal[2]; /* with the calendar as it is, and with every holiday in it a day of rest */
};

struct evaluation {
	struct kind kinds[KINDS_MOST];
	int count;
	struct calendar calendars[2]; /* as above */
};

static int fail(const char *what, const char *cause)
{
	fprintf(stderr, "due: %s: %s\n", what, cause);
	return 2;
}

/* ---- reading ---- */

/* rest: a worked holiday is read as a day of rest too. */
static _Bool read_days(const char *path, _Bool rest, struct calendar *out, char **cause)
{
	struct csv *csv = csv_open(path, cause);
	int date = csv ? csv_column(csv, "date") : -1, kind = csv ? csv_column(csv, "kind") : -1, got = -1;

	while (date >= 0 && kind >= 0 && (got = csv_next(csv)) > 0) {
		char midnight[40];
		const char *is = csv_field(csv, kind);
		int64_t ms = 0;

		snprintf(midnight, sizeof midnight, "%.10sT00:00", csv_field(csv, date));

		_Bool sound = clock_parse(midnight, &ms);
		int32_t day = clock_local_day(ms, NULL, NULL);
		_Bool worked = !rest && strcmp(is, "worked") == 0 && calendar_weekday_works(&out->rules, day);

		if (!sound || !calendar_add(out, day, worked || strcmp(is, "workday") == 0))
			fprintf(stderr, "due: %s:%d: passed over\n", path, csv_line(csv));
	}
	csv_close(csv);
	return got == 0;
}

static struct kind *kind_named(struct evaluation *e, const char *name)
{
	char cut[NAME_MOST];

	snprintf(cut, sizeof cut, "%s", name);
	for (int i = 0; i < e->count; i++)
		if (strcmp(e->kinds[i].name, cut) == 0)
			return &e->kinds[i];
	must(e->count < KINDS_MOST);
	memcpy(e->kinds[e->count].name, cut, sizeof cut);
	return &e->kinds[e->count++];
}

static void take_row(struct kind *k, struct row row)
{
	if (k->count == k->room) {
		k->room = k->room ? k->room * 2 : 64;
		k->rows = must_realloc(k->rows, k->room * sizeof *k->rows);
	}
	k->rows[k->count++] = row;
}

static _Bool read_requests(struct evaluation *e, const char *path, char **cause)
{
	struct csv *csv = csv_open(path, cause);
	int created = csv ? csv_column(csv, "created_at") : -1, due = csv ? csv_column(csv, "due_at") : -1;
	int kind = csv ? csv_column(csv, "subcategory") : -1, got = -1;

	while (created >= 0 && due >= 0 && kind >= 0 && (got = csv_next(csv)) > 0) {
		struct row row;

		if (clock_parse(csv_field(csv, created), &row.created_ms) &&
		    clock_parse(csv_field(csv, due), &row.due_ms))
			take_row(kind_named(e, csv_field(csv, kind)), row);
	}
	csv_close(csv);
	return got == 0;
}

/* ---- judging ---- */

static int by_number(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* The median of what the city gave, in whole working days. */
static void learn_limit(const struct calendar *c, struct kind *k)
{
	int64_t *given = must_calloc(k->count, sizeof *given);

	for (size_t i = 0; i < k->count; i++)
		given[i] = calendar_left(c, k->rows[i].created_ms, k->rows[i].due_ms, LIMIT_WORK_DAY, NULL);
	qsort(given, k->count, sizeof *given, by_number);
	k->limit_days = (given[k->count / 2] + CLOCK_DAY_MS / 2) / CLOCK_DAY_MS;
	free(given);
}

static size_t count_equal(const struct calendar *c, const struct kind *k)
{
	struct limit limit = { k->limit_days * CLOCK_DAY_MS, LIMIT_WORK_DAY };
	size_t equal = 0;

	for (size_t i = 0; i < k->count; i++) {
		int64_t due = calendar_due(c, k->rows[i].created_ms, limit, NULL);

		equal += clock_local_day(due, NULL, NULL) == clock_local_day(k->rows[i].due_ms, NULL, NULL);
	}
	return equal;
}

static int by_count(const void *a, const void *b)
{
	const struct kind *left = a, *right = b;

	return (left->count < right->count) - (left->count > right->count);
}

/* Moves the kinds to be shown to the front; how many. */
static int choose(struct evaluation *e)
{
	int chosen = 0;

	qsort(e->kinds, (size_t)e->count, sizeof e->kinds[0], by_count);
	for (int i = 0; i < e->count && chosen < SHOWN; i++) {
		struct kind kept = e->kinds[i];

		learn_limit(&e->calendars[0], &kept);
		if (kept.limit_days < 1 || kept.limit_days > DAYS_MOST)
			continue;
		e->kinds[i] = e->kinds[chosen];
		e->kinds[chosen++] = kept;
	}
	return chosen;
}

/* ---- telling ---- */

static double share(size_t part, size_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static void tell_json(const struct evaluation *e, int chosen, size_t rows, const size_t equal[2], const double least[2])
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_int(&j, "rows", (int64_t)rows);
	json_int(&j, "holidays", (int64_t)e->calendars[0].count);
	json_real(&j, "equal", share(equal[0], rows));
	json_real(&j, "least", least[0]);
	json_real(&j, "equal_at_rest", share(equal[1], rows));
	json_real(&j, "least_at_rest", least[1]);
	json_open(&j, "subcategories", '[');
	for (int i = 0; i < chosen; i++) {
		const struct kind *k = &e->kinds[i];

		json_open(&j, NULL, '{');
		json_text(&j, "name", k->name);
		json_int(&j, "rows", (int64_t)k->count);
		json_int(&j, "limit_work_days", k->limit_days);
		json_real(&j, "equal", share(k->equal[0], k->count));
		json_real(&j, "equal_at_rest", share(k->equal[1], k->count));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	putchar('\n');
}

static void tell(struct evaluation *e, int chosen)
{
	size_t rows = 0, equal[2] = { 0, 0 };
	double least[2] = { 1, 1 };

	printf("%-48s %7s %6s %10s %13s\n", "subcategory", "rows", "limit", "equal", "if at rest");
	for (int i = 0; i < chosen; i++) {
		struct kind *k = &e->kinds[i];

		for (int j = 0; j < 2; j++) {
			double one = share(k->equal[j] = count_equal(&e->calendars[j], k), k->count);

			equal[j] += k->equal[j];
			least[j] = one < least[j] ? one : least[j];
		}
		rows += k->count;
		printf("%-48.48s %7zu %4lldwd %9.2f%% %12.2f%%\n", k->name, k->count, (long long)k->limit_days,
		       100 * share(k->equal[0], k->count), 100 * share(k->equal[1], k->count));
	}
	printf("%-48s %7zu %6s %9.2f%% %12.2f%%\n", "together", rows, "", 100 * share(equal[0], rows),
	       100 * share(equal[1], rows));
	tell_json(e, chosen, rows, equal, least);
}

int main(int argc, char **argv)
{
	struct problems problems = { 0 };
	struct policy_rules rules;
	char *cause = NULL;

	if (argc < 3)
		return fail("usage", "due FILE policy.conf [calendar.csv], with TZ set to the city's time zone");
	settings_defaults(policy_settings(), &rules);
	if (!settings_read(policy_settings(), &rules, argv[2], &problems)) {
		problems_print(&problems, stderr);
		return 2;
	}
	struct evaluation *e = must_calloc(1, sizeof *e);

	calendar_init(&e->calendars[0], &rules.week);
	calendar_init(&e->calendars[1], &rules.week);
	for (int i = 0; i < 2; i++)
		if (argc > 3 && !read_days(argv[3], i == 1, &e->calendars[i], &cause))
			return fail(argv[3], cause ? cause : "no columns date and kind, or a broken row");
	if (!read_requests(e, argv[1], &cause))
		return fail(argv[1], cause ? cause : "no columns created_at, due_at and subcategory, or a broken row");
	tell(e, choose(e));
	for (int i = 0; i < e->count; i++)
		free(e->kinds[i].rows);
	calendar_close(&e->calendars[0]);
	calendar_close(&e->calendars[1]);
	settings_close(policy_settings(), &rules);
	free(e);
	return 0;
}

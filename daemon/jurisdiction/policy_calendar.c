/* policy_calendar: the work calendar of a jurisdiction, from the hours in policy.conf and the days in calendar.csv. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "jurisdiction/policy_parts.h"

#define FILE_NAME "calendar.csv"
#define RULES_FILE "policy.conf"
#define COVER_DAYS 60 /* a list that ends sooner is warned of: limits started today may already run past it */

/* A worked holiday is one for the people and none for the clock: some cities' limits run on through theirs. */
enum day_kind { DAY_HOLIDAY = 1, DAY_WORKDAY = 2, DAY_WORKED = 3 };

static const struct word kinds[] = {
	{ "holiday", DAY_HOLIDAY }, { "workday", DAY_WORKDAY }, { "worked", DAY_WORKED }, { NULL, 0 }
};

struct day_row {
	int32_t day, kind;
	const char *name;
};

#define ROW(f) offsetof(struct day_row, f)
static const struct column columns[] = {
	{ "date", cell_day, ROW(day), .key = 1, .expected = "a date as yyyy-mm-dd" },
	{ "kind", cell_number_word, ROW(kind), .words = kinds },
	{ "name", cell_name, ROW(name), .none = "", .expected = "a name of at most 200 bytes, or nothing" },
	{ .name = NULL },
};

static size_t key_of(const void *row, char out[SHEET_KEY_SIZE])
{
	return (size_t)snprintf(out, SHEET_KEY_SIZE, "%d", (int)((const struct day_row *)row)->day);
}

static const struct sheet sheet = { FILE_NAME, "date", columns, sizeof(struct day_row), key_of, 0 };

static char *path_in(const char *folder, const char *file)
{
	char *path = NULL;

	must(asprintf(&path, "%s/%s", folder, file) >= 0);
	return path;
}

static void check_day(const struct calendar_rules *rules, const struct day_row *row, const char *path, int line,
                      struct problems *p)
{
	static const char *const names[CALENDAR_WEEK] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
		                                          "Friday", "Saturday", "Sunday" };

	if (row->kind == DAY_WORKDAY && calendar_weekday_works(rules, row->day))
		problems_add(p, path, line,
		             "found a workday on a %s, which is one anyway; expected a day of rest that is made a "
		             "working day (调休)",
		             names[clock_weekday(row->day)]);
}

static _Bool week_works(const struct policy *p, int32_t day)
{
	return calendar_weekday_works(&p->rules.week, day);
}

void policy_calendar_read(struct policy *policy, const char *folder, struct problems *p)
{
	char *path = path_in(folder, FILE_NAME), *rules_path = path_in(folder, RULES_FILE);
	struct table *t = &policy->days;
	const char *wrong = calendar_rules_wrong(&policy->rules.week);

	if (*wrong)
		problems_add(p, rules_path, 0, "%s", wrong);
	/* A street may begin without one: it is warned, not stopped. */
	if (access(path, F_OK) == 0)
		sheet_read(&sheet, folder, t, &policy->texts, p);
	calendar_init(&policy->calendar, &policy->rules.week);
	for (size_t i = 0; i < t->count; i++) {
		const struct day_row *row = t->rows[i];

		if (t->sound[i])
			check_day(&policy->rules.week, row, path, t->lines[i], p);
		must(calendar_add(&policy->calendar, row->day,
		                  row->kind == DAY_WORKDAY ||
		                          (row->kind == DAY_WORKED && week_works(policy, row->day))));
	}
	free(path);
	free(rules_path);
}

void policy_calendar_warn(const struct policy *p, int64_t now_ms, struct problems *to)
{
	char *path = path_in(p->folder, FILE_NAME);
	int32_t until = calendar_covers_until(&p->calendar), today = clock_local_day(now_ms, NULL, NULL);
	int32_t ends = clock_day_to_ymd(until);

	if (p->days.count == 0)
		problems_warn(to, path, 0,
		              "found no holidays; every day works as its weekday does; expected this year's and next "
		              "year's list");
	else if (until < today + COVER_DAYS)
		problems_warn(to, path, p->days.lines[p->days.count - 1],
		              "found the list of holidays ending with %04d-%02d-%02d; expected one that covers the "
		              "next %d days: add the next year's",
		              ends / 10000, ends / 100 % 100, ends % 100, COVER_DAYS);
	free(path);
}

const struct calendar *policy_calendar(const struct policy *p)
{
	return &p->calendar;
}

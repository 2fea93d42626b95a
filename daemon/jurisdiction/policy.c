#include "jurisdiction/policy.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "jurisdiction/policy_parts.h"

#define GRID_LEAST INT64_C(100000000000000) /* 15 digits */
#define GRID_MOST INT64_C(999999999999999)
#define AREA_LEAST INT64_C(100000000000) /* 12 digits */
#define AREA_MOST INT64_C(999999999999)

#define YEAR_MS INT64_C(31622400000) /* 366 days */
#define RULE(field) offsetof(struct policy_rules, field)

static const struct setting rule_rows[] = {
	{ "work_days", SETTING_OWN, RULE(week.weekdays), 0, 0, "mon-fri", &calendar_week_setting,
	  "the days of an ordinary week that are worked; calendar.csv has the exceptions (工作日)" },
	{ "work_morning", SETTING_OWN, RULE(week.slots[0]), 0, 0, "08:30-12:00", &calendar_slot_setting,
	  "the working hours of a working day before noon" },
	{ "work_afternoon", SETTING_OWN, RULE(week.slots[1]), 0, 0, "13:30-17:30", &calendar_slot_setting,
	  "and after it; nothing: there is one stretch only" },
	{ "day_cutoff", SETTING_OWN, RULE(week.cutoff_ms), 0, 0, "", &calendar_time_setting,
	  "what starts at this time of day or later counts its work days from the next working day; nothing: the whole "
	  "day "
	  "counts" },
	{ "day_cutoff_always", SETTING_BOOL, RULE(week.cutoff_always), 0, 0, "no", NULL,
	  "yes: so does what starts that late on a day of rest, which then loses the working day after it" },
	{ "accept", SETTING_LIMIT, RULE(accept), 1000, YEAR_MS, "15m", NULL,
	  "a report waits this long to be accepted (上报待受理)" },
	{ "alarm", SETTING_LIMIT, RULE(alarm), 1000, YEAR_MS, "10m", NULL,
	  "a camera's alarm waits this long to be confirmed, then it expires (告警待确认)" },
	{ "alarm_window", SETTING_SPAN, RULE(alarm_window_ms), 60000, 86400000, "10m", NULL,
	  "a camera that is silent about something for this long has ended it; until then its posts only count" },
	{ "verify", SETTING_LIMIT, RULE(verify), 1000, YEAR_MS, "30m", NULL,
	  "a grid worker has this long to look (核实)" },
	{ "dispatch", SETTING_LIMIT, RULE(dispatch), 1000, YEAR_MS, "15m", NULL,
	  "a filed case waits this long to be dispatched (派遣)" },
	{ "sign", SETTING_LIMIT, RULE(sign), 1000, YEAR_MS, "30m", NULL,
	  "the handler has this long to sign in (签收)" },
	{ "whistle", SETTING_LIMIT, RULE(whistle), 1000, YEAR_MS, "30m", NULL,
	  "the units called have this long to answer (吹哨应哨)" },
	{ "check", SETTING_LIMIT, RULE(check), 1000, YEAR_MS, "30m", NULL,
	  "a handled case waits this long for its check, and a check takes this long (核查)" },
	{ "review", SETTING_LIMIT, RULE(review), 1000, YEAR_MS, "7wd", NULL,
	  "the reporter has this long to say whether it is well; silence is not satisfaction (评价)" },
	{ "reopen", SETTING_LIMIT, RULE(reopen), 0, YEAR_MS, "7wd", NULL,
	  "how long after closing a case can be reopened (重办)" },
	{ "reopen_most", SETTING_INT, RULE(reopen_most), 0, 100, "2", NULL, "how many times a case can be reopened" },
	{ "suspend_most", SETTING_SPAN, RULE(suspend_most_ms), 60000, 10 * YEAR_MS, "365d", NULL,
	  "a suspended case resumes by itself after this long at the latest (挂账)" },
	{ "extend_most", SETTING_INT, RULE(extend_most), 0, 100, "2", NULL,
	  "how many times a case's limit can be extended (延期)" },
	{ "escalate_every", SETTING_LIMIT, RULE(escalate_every), 60000, YEAR_MS, "24h", NULL,
	  "while late, the next level up is told after this long each (升级)" },
	{ "verify_within_m", SETTING_INT, RULE(verify_within_m), 1, 100000, "100", NULL,
	  "metres from the report's place within which a verifier must have stood" },
	{ "same_within_m", SETTING_INT, RULE(same_within_m), 0, 100000, "50", NULL,
	  "metres within which an open case is shown as perhaps the same, where its category does not say" },
	{ "merge_same_street", SETTING_INT, RULE(merge_same_street), 0, 200, "80", NULL,
	  "per cent of a category's merge_m and merge_hours within which two doors of one street are surely the same" },
	{ "merge_crossing", SETTING_INT, RULE(merge_crossing), 0, 200, "80", NULL,
	  "the same for a crossing and a place on one of its streets" },
	{ "merge_other_street", SETTING_INT, RULE(merge_other_street), 0, 200, "25", NULL,
	  "the same for doors of two streets, as round a corner" },
	{ "merge_no_address", SETTING_INT, RULE(merge_no_address), 0, 200, "100", NULL,
	  "the same where one of the two has no address" },
	{ "merge_series", SETTING_SPAN, RULE(merge_series_ms), 0, YEAR_MS, "15m", NULL,
	  "where several stand in a row, two reports of one hand sooner than this are two matters" },
	{ "reward_review_above", SETTING_INT, RULE(reward_review_above), 0, 1000000, "100", NULL,
	  "points from which a supervisor must agree" },
	{ "reward_cooling", SETTING_LIMIT, RULE(reward_cooling), 0, YEAR_MS, "7wd", NULL,
	  "points can be redeemed this long after closing" },
	{ "reward_interval", SETTING_SPAN, RULE(reward_interval_ms), 0, YEAR_MS, "24h", NULL,
	  "the same reporter, place and category earns once within this time" },
	{ "reward_place_m", SETTING_INT, RULE(reward_place_m), 0, 100000, "50", NULL,
	  "metres within which it counts as the same place" },
	{ "reward_month_most", SETTING_INT, RULE(reward_month_most), 0, 1000000000, "1500", NULL,
	  "most points a person earns in a calendar month" },
	{ "me_too_points", SETTING_INT, RULE(me_too_points), 0, 10000, "1", NULL,
	  "points for a report that was merged into an earlier one" },
	{ "new_reporter_day_most", SETTING_INT, RULE(new_reporter_day_most), 0, 1000000, "20", NULL,
	  "most reports a day of a reporter who has had no points yet; 0: any number" },
	{ "reporter_day_most", SETTING_INT, RULE(reporter_day_most), 0, 1000000, "200", NULL,
	  "most reports a day of any reporter who can earn points; 0: any number" },
	{ "doubt_again", SETTING_INT, RULE(doubt_again), 0, POLICY_AGAIN_MOST, "3", NULL,
	  "after so many rewards for the same reporter, place and category the next waits for a supervisor; 0: never "
	  "(存疑)" },
	{ "doubt_again_span", SETTING_SPAN, RULE(doubt_again_span_ms), 60000, YEAR_MS, "90d", NULL,
	  "as far back as those rewards are counted" },
	{ "doubt_burst", SETTING_INT, RULE(doubt_burst), 0, POLICY_BURST_MOST, "5", NULL,
	  "from so many reports of one reporter just before a shift ends the points wait for a supervisor; 0: never" },
	{ "doubt_burst_span", SETTING_SPAN, RULE(doubt_burst_span_ms), 60000, 86400000, "30m", NULL,
	  "how long before the end of a shift that is" },
	{ "shift_ends", SETTING_OWN, RULE(shift_ends), 0, 0, "", &shift_ends_setting,
	  "when riders' and workers' shifts end, such as 14:00,21:30; nothing: when the working hours do" },
	{ "doubt_household", SETTING_BOOL, RULE(doubt_household), 0, 0, "yes", NULL,
	  "points wait for a supervisor where reporter and handler are of one household or unit" },
	{ "doubt_photos", SETTING_BOOL, RULE(doubt_photos), 0, 0, "yes", NULL,
	  "points wait for a supervisor where a photo looks like one of another case" },
	{ "personal_keep_days", SETTING_INT, RULE(personal_keep_days), 0, 36500, "365", NULL,
	  "days after which an archived case loses what is personal; counts stay; 0: never" },
	{ "audit_keep_days", SETTING_INT, RULE(audit_keep_days), 0, 36500, "1095", NULL,
	  "days after which a row of the audit goes; 0: never" },
	{ "map_sliver_m", SETTING_INT, RULE(map_sliver_m), 0, 1000, "1", NULL,
	  "metres: overlaps and gaps of the map that are narrower are passed over" },
	{ "map_may_overlap", SETTING_BOOL, RULE(map_may_overlap), 0, 0, "no", NULL,
	  "grids may overlap: the smaller one holds what both do" },
	{ "map_may_gap", SETTING_BOOL, RULE(map_may_gap), 0, 0, "no", NULL,
	  "there may be ground between the grids that none of them holds" },
	{ "auto_file", SETTING_BOOL, RULE(auto_file), 0, 0, "yes", NULL,
	  "a trusted reporter's report of a sure category is filed without being asked" },
	{ "auto_dispatch", SETTING_BOOL, RULE(auto_dispatch), 0, 0, "yes", NULL,
	  "a case with exactly one best route is dispatched without being asked" },
	{ .key = NULL },
};

const struct setting *policy_settings(void)
{
	return rule_rows;
}

const struct policy_rules *policy_rules(const struct policy *p)
{
	return &p->rules;
}

static void destroy(struct policy *p)
{
	struct table *tables[] = { &p->areas,  &p->grids,     &p->categories, &p->units,
		                   &p->people, &p->routes,    &p->reasons,    &p->post_kinds,
		                   &p->posts,  &p->contracts, &p->days,       &p->rights_taken };

	policy_map_close(p);
	calendar_close(&p->calendar);
	routing_close(&p->routing);
	posts_close(&p->post_index);
	cameras_close(&p->cameras);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		table_close(tables[i]);
	texts_close(&p->texts);
	settings_close(rule_rows, &p->rules);
	free(p);
}

const struct policy *policy_hold(const struct policy *p)
{
	struct policy *held = (struct policy *)(uintptr_t)p; /* the count is no part of what is immutable */

	(void)atomic_fetch_add_explicit(&held->holders, 1, memory_order_relaxed);
	return p;
}

void policy_release(const struct policy *p)
{
	struct policy *held = (struct policy *)(uintptr_t)p;

	if (held && atomic_fetch_sub_explicit(&held->holders, 1, memory_order_acq_rel) == 1)
		destroy(held);
}

const char *policy_digest(const struct policy *p)
{
	return p->digest;
}

const struct area *policy_area(const struct policy *p, int64_t code)
{
	return lookup_find_number(&p->areas.by_key, code);
}

const struct grid *policy_grid(const struct policy *p, int64_t code)
{
	return lookup_find_number(&p->grid_codes, code);
}

const struct category *policy_category(const struct policy *p, int32_t code)
{
	return lookup_find_number(&p->categories.by_key, code);
}

const struct unit *policy_unit(const struct policy *p, const char *id)
{
	return lookup_find_text(&p->units.by_key, id);
}

const struct person *policy_person(const struct policy *p, const char *id)
{
	return lookup_find_text(&p->people.by_key, id);
}

size_t policy_key_pair(const char *first, const char *second, char out[SHEET_KEY_SIZE])
{
	int length = snprintf(out, SHEET_KEY_SIZE, "%s\n%s", first, second);

	return length < SHEET_KEY_SIZE ? (size_t)length : 0;
}

static void *find_pair(const struct table *t, const char *first, const char *second)
{
	char key[SHEET_KEY_SIZE];
	size_t size = first && second ? policy_key_pair(first, second, key) : 0;

	return size ? lookup_find(&t->by_key, key, size) : NULL;
}

const char *policy_reason(const struct policy *p, const char *act, const char *code)
{
	const struct reason *reason = find_pair(&p->reasons, act, code);

	return reason ? reason->text : NULL;
}

void policy_reasons(const struct policy *p, const char *act, char *out, size_t size)
{
	size_t used = 0;

	if (size == 0)
		return;
	*out = '\0';
	for (size_t i = 0; i < p->reasons.count && used < size; i++) {
		const struct reason *reason = p->reasons.rows[i];

		if (strcmp(reason->act, act) == 0)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", reason->code);
	}
}

/* How many of a 12-digit code's last digits are not part of its own level, as a power of ten. */
static int64_t below_level(int64_t area)
{
	static const int64_t powers[] = { 10000000000, 100000000, 1000000, 1000 };

	for (size_t i = 0; i < sizeof powers / sizeof powers[0]; i++)
		if (area % powers[i] == 0)
			return powers[i];
	return 1;
}

_Bool area_holds(int64_t prefix, int64_t code)
{
	if (prefix == 0 || prefix == code)
		return 1;
	if (prefix < AREA_LEAST || prefix > AREA_MOST || code < AREA_LEAST || code > GRID_MOST)
		return 0;
	if (code > AREA_MOST) {
		if (code < GRID_LEAST)
			return 0;
		code /= 1000;
	}

	int64_t power = below_level(prefix);

	return code / power == prefix / power;
}

int64_t area_code_from_text(const char *text)
{
	if (!text)
		return 0;

	int64_t code = cell_code(text, 12);

	return code ? code : cell_code(text, 15);
}

const struct area *policy_area_at(const struct policy *p, size_t i)
{
	return table_at(&p->areas, i);
}

const struct grid *policy_grid_at(const struct policy *p, size_t i)
{
	return table_at(&p->grids, i);
}

const struct category *policy_category_at(const struct policy *p, size_t i)
{
	return table_at(&p->categories, i);
}

const struct person *policy_person_at(const struct policy *p, size_t i)
{
	return table_at(&p->people, i);
}

const struct unit *policy_unit_at(const struct policy *p, size_t i)
{
	return table_at(&p->units, i);
}

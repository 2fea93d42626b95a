#include "jurisdiction/calendar.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A week in which nobody works is refused when it is loaded; this only ends the walk should every day be a holiday. */
#define REACH_DAYS 40000

/* ---- days ---- */

void calendar_init(struct calendar *c, const struct calendar_rules *rules)
{
	*c = (struct calendar){ .rules = *rules };
}

void calendar_close(struct calendar *c)
{
	free(c->days);
	*c = (struct calendar){ 0 };
}

/* Where the day stands in the list, or would. */
static size_t place_of(const struct calendar *c, int32_t day)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->days[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

_Bool calendar_add(struct calendar *c, int32_t day, _Bool works)
{
	size_t at = place_of(c, day);

	if (at < c->count && c->days[at].day == day)
		return 0;
	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 64;
		c->days = must_realloc(c->days, c->room * sizeof *c->days);
	}
	memmove(c->days + at + 1, c->days + at, (c->count - at) * sizeof *c->days);
	c->days[at] = (struct calendar_day){ day, works };
	c->count++;
	return 1;
}

_Bool calendar_weekday_works(const struct calendar_rules *r, int32_t day)
{
	return (r->weekdays >> clock_weekday(day) & 1) != 0;
}

_Bool calendar_works(const struct calendar *c, int32_t day)
{
	size_t at = place_of(c, day);

	if (at < c->count && c->days[at].day == day)
		return c->days[at].works;
	return calendar_weekday_works(&c->rules, day);
}

int32_t calendar_covers_until(const struct calendar *c)
{
	if (c->count == 0)
		return -1;
	return clock_ymd_to_day(clock_day_to_ymd(c->days[c->count - 1].day) / 10000 * 10000 + 1231);
}

/* The first working day after this one. */
static int32_t next_working(const struct calendar *c, int32_t day)
{
	for (int32_t i = 1; i < REACH_DAYS; i++)
		if (calendar_works(c, day + i))
			return day + i;
	return day + REACH_DAYS;
}

/* ---- the hours of a day ---- */

struct hours {
	int64_t from_ms[CALENDAR_SLOTS], to_ms[CALENDAR_SLOTS]; /* moments; a slot that is not worked is empty */
	int64_t total;
};

/* The worked hours of a day up to a time of day. */
static struct hours hours_of(const struct calendar *c, int32_t day, int32_t until_ms)
{
	struct hours h = { .total = 0 };
	_Bool works = calendar_works(c, day);

	for (int i = 0; i < CALENDAR_SLOTS; i++) {
		const struct calendar_slot *s = &c->rules.slots[i];
		int32_t to = s->to_ms < until_ms ? s->to_ms : until_ms;

		if (!works || to <= s->from_ms)
			continue;
		h.from_ms[i] = clock_local_at(day, s->from_ms);
		h.to_ms[i] = clock_local_at(day, to);
		h.total += h.to_ms[i] - h.from_ms[i];
	}
	return h;
}

static int64_t overlap(int64_t from_a, int64_t to_a, int64_t from_b, int64_t to_b)
{
	int64_t from = from_a > from_b ? from_a : from_b, to = to_a < to_b ? to_a : to_b;

	return to > from ? to - from : 0;
}

static int64_t worked_between(const struct hours *h, int64_t from_ms, int64_t to_ms)
{
	int64_t sum = 0;

	for (int i = 0; i < CALENDAR_SLOTS; i++)
		sum += overlap(h->from_ms[i], h->to_ms[i], from_ms, to_ms);
	return sum;
}

/* ---- work hours ---- */

static int64_t due_in_hours(const struct calendar *c, int64_t from_ms, int64_t amount)
{
	int32_t day = clock_local_day(from_ms, NULL, NULL);

	for (int32_t passed = 0; passed < REACH_DAYS; passed++, day++) {
		struct hours h = hours_of(c, day, (int32_t)CLOCK_DAY_MS);

		for (int i = 0; i < CALENDAR_SLOTS; i++) {
			int64_t begin = h.from_ms[i] > from_ms ? h.from_ms[i] : from_ms;
			int64_t length = h.to_ms[i] - begin;

			if (length <= 0)
				continue;
			if (amount <= length)
				return begin + amount;
			amount -= length;
		}
	}
	return clock_local_at(day, 0);
}

static int64_t hours_between(const struct calendar *c, int64_t from_ms, int64_t to_ms)
{
	int32_t last = clock_local_day(to_ms, NULL, NULL);
	int64_t sum = 0;

	for (int32_t day = clock_local_day(from_ms, NULL, NULL); day <= last; day++) {
		struct hours h = hours_of(c, day, (int32_t)CLOCK_DAY_MS);

		sum += worked_between(&h, from_ms, to_ms);
	}
	return sum;
}

/* ---- work days ----
 *
 * A place among them is a working day and how much of its working time has passed, as if each were a day of 24 hours. */

struct place {
	int32_t day;
	int64_t passed; /* 0 … CLOCK_DAY_MS - 1 */
};

static int32_t day_end(const struct calendar *c)
{
	return c->rules.cutoff_ms ? c->rules.cutoff_ms : (int32_t)CLOCK_DAY_MS;
}

/* Outside working time: the opening that comes next. */
static struct place place_at(const struct calendar *c, int64_t at_ms)
{
	int32_t day = clock_local_day(at_ms, NULL, NULL);
	struct hours h = hours_of(c, day, day_end(c));
	int64_t passed = worked_between(&h, INT64_MIN, at_ms);

	if (h.total == 0 || passed >= h.total)
		return (struct place){ next_working(c, day), 0 };
	return (struct place){ day, passed * CLOCK_DAY_MS / h.total };
}

/* The last moment at that place: after a pause, not before it. */
static int64_t moment_of(const struct calendar *c, struct place p)
{
	struct hours h = hours_of(c, p.day, day_end(c));
	int64_t left = (p.passed * h.total + CLOCK_DAY_MS - 1) / CLOCK_DAY_MS;

	for (int i = 0; i < CALENDAR_SLOTS; i++) {
		int64_t length = h.to_ms[i] - h.from_ms[i];

		if (left < length)
			return h.from_ms[i] + left;
		left -= length;
	}
	return clock_local_at(p.day + 1, 0); /* only where no day is ever worked */
}

static int64_t due_in_days(const struct calendar *c, int64_t from_ms, int64_t amount)
{
	struct place p = place_at(c, from_ms);

	p.passed += amount;
	for (; p.passed >= CLOCK_DAY_MS; p.passed -= CLOCK_DAY_MS)
		p.day = next_working(c, p.day);
	return moment_of(c, p);
}

static int64_t days_between(const struct calendar *c, int64_t from_ms, int64_t to_ms)
{
	struct place a = place_at(c, from_ms), b = place_at(c, to_ms);
	int64_t sum = b.passed - a.passed;

	for (int32_t day = a.day; day < b.day; day++)
		sum += calendar_works(c, day) ? CLOCK_DAY_MS : 0;
	return sum;
}

/* A limit that starts on a day of rest after the cut-off begins as if that day were the working day that follows. */
static int64_t start_of(const struct calendar *c, int64_t from_ms)
{
	int32_t day;
	int64_t time = clock_local_time(from_ms, &day);

	if (!c->rules.cutoff_always || c->rules.cutoff_ms == 0 || time < c->rules.cutoff_ms || calendar_works(c, day))
		return from_ms;
	return moment_of(c, (struct place){ next_working(c, next_working(c, day)), 0 });
}

/* ---- natural days ---- */

static int64_t due_in_natural_days(const struct calendar *c, int64_t from_ms, int64_t amount)
{
	int32_t day;
	int64_t time = clock_local_time(from_ms, &day) + amount % CLOCK_DAY_MS;

	(void)c;
	return clock_local_at(day + (int32_t)(amount / CLOCK_DAY_MS + time / CLOCK_DAY_MS), time % CLOCK_DAY_MS);
}

static int64_t natural_days_between(const struct calendar *c, int64_t from_ms, int64_t to_ms)
{
	int32_t from, to;
	int64_t from_time = clock_local_time(from_ms, &from), to_time = clock_local_time(to_ms, &to);

	(void)c;
	return (int64_t)(to - from) * CLOCK_DAY_MS + to_time - from_time;
}

/* ---- the clock ---- */

static int64_t due_by_clock(const struct calendar *c, int64_t from_ms, int64_t amount)
{
	(void)c;
	return from_ms + amount;
}

static int64_t clock_between(const struct calendar *c, int64_t from_ms, int64_t to_ms)
{
	(void)c;
	return to_ms - from_ms;
}

static const struct {
	int64_t (*due)(const struct calendar *c, int64_t from_ms, int64_t amount);
	int64_t (*between)(const struct calendar *c, int64_t from_ms, int64_t to_ms);
} units[LIMIT_UNITS] = {
	[LIMIT_CLOCK] = { due_by_clock, clock_between },
	[LIMIT_NATURAL_DAY] = { due_in_natural_days, natural_days_between },
	[LIMIT_WORK_HOUR] = { due_in_hours, hours_between },
	[LIMIT_WORK_DAY] = { due_in_days, days_between },
};

/* ---- with emergencies ---- */

static size_t count_of(const struct calendar_spans *urgent)
{
	return urgent ? urgent->count : 0;
}

int64_t calendar_due(const struct calendar *c, int64_t from_ms, struct limit limit, const struct calendar_spans *urgent)
{
	size_t count = count_of(urgent);

	if (limit.unit == LIMIT_CLOCK || limit.amount <= 0)
		return from_ms + limit.amount;
	if (limit.unit == LIMIT_WORK_DAY && count == 0)
		from_ms = start_of(c, from_ms);
	for (size_t i = 0; i < count; i++) {
		const struct calendar_span *s = &urgent->at[i];

		if (s->to_ms <= from_ms)
			continue;
		if (s->from_ms > from_ms) {
			int64_t used = units[limit.unit].between(c, from_ms, s->from_ms);

			if (used >= limit.amount)
				break;
			limit.amount -= used;
			from_ms = s->from_ms;
		}
		if (limit.amount <= s->to_ms - from_ms)
			return from_ms + limit.amount;
		limit.amount -= s->to_ms - from_ms;
		from_ms = s->to_ms;
	}
	return units[limit.unit].due(c, from_ms, limit.amount);
}

/* from_ms ≤ to_ms */
static int64_t between(const struct calendar *c, int64_t from_ms, int64_t to_ms, enum limit_unit unit,
                       const struct calendar_spans *urgent)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count_of(urgent); i++) {
		const struct calendar_span *s = &urgent->at[i];

		if (s->to_ms <= from_ms)
			continue;
		if (s->from_ms >= to_ms)
			break;
		if (s->from_ms > from_ms)
			sum += units[unit].between(c, from_ms, s->from_ms);
		sum += overlap(from_ms, to_ms, s->from_ms, s->to_ms);
		from_ms = s->to_ms;
		if (from_ms >= to_ms)
			return sum;
	}
	return sum + units[unit].between(c, from_ms, to_ms);
}

int64_t calendar_left(const struct calendar *c, int64_t now_ms, int64_t due_ms, enum limit_unit unit,
                      const struct calendar_spans *urgent)
{
	if (unit == LIMIT_CLOCK)
		return due_ms - now_ms;
	if (now_ms > due_ms) {
		int64_t missed_by = between(c, due_ms, now_ms, unit, urgent);

		/* Missed is missed, though no working time has passed since. */
		return missed_by > 0 ? -missed_by : -1;
	}
	return between(c, now_ms, due_ms, unit, urgent);
}

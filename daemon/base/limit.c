#include "base/limit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static const struct {
	const char *suffix;
	int64_t ms;
	enum limit_unit unit;
} units[] = {
	{ "uh", CLOCK_HOUR_MS, LIMIT_CLOCK },
	{ "nd", CLOCK_DAY_MS, LIMIT_NATURAL_DAY },
	{ "wh", CLOCK_HOUR_MS, LIMIT_WORK_HOUR },
	{ "wd", CLOCK_DAY_MS, LIMIT_WORK_DAY },
};

/* Of the clock's spans, as they are written; the largest that divides is shown. */
static const struct {
	const char *suffix;
	int64_t ms;
} spans[] = { { "d", CLOCK_DAY_MS }, { "h", CLOCK_HOUR_MS }, { "m", CLOCK_MINUTE_MS }, { "s", CLOCK_SECOND_MS } };

_Bool limit_parse(const char *text, struct limit *out)
{
	char digits[24];
	size_t length = text ? strspn(text, "0123456789") : 0;

	if (length == 0 || length >= sizeof digits)
		return 0;
	memcpy(digits, text, length);
	digits[length] = '\0';
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		int64_t amount;

		if (strcmp(text + length, units[i].suffix) != 0)
			continue;
		if (!text_to_int(digits, 0, INT64_MAX / units[i].ms, &amount))
			return 0;
		*out = (struct limit){ amount * units[i].ms, units[i].unit };
		return 1;
	}
	out->unit = LIMIT_CLOCK;
	return text_to_span(text, &out->amount);
}

/* A clock span in its largest whole unit; zero reads best in seconds. */
static void span_text(int64_t ms, char out[LIMIT_TEXT_SIZE])
{
	for (size_t i = ms == 0 ? 3 : 0; i < sizeof spans / sizeof spans[0]; i++) {
		if (ms % spans[i].ms != 0)
			continue;
		snprintf(out, LIMIT_TEXT_SIZE, "%lld%s", (long long)(ms / spans[i].ms), spans[i].suffix);
		return;
	}
	snprintf(out, LIMIT_TEXT_SIZE, "%lldms", (long long)ms);
}

void limit_text(struct limit l, char out[LIMIT_TEXT_SIZE])
{
	if (l.unit == LIMIT_CLOCK || l.unit >= LIMIT_UNITS) {
		span_text(l.amount, out);
		return;
	}
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (units[i].unit != l.unit)
			continue;
		if (l.amount % units[i].ms == 0)
			snprintf(out, LIMIT_TEXT_SIZE, "%lld%s", (long long)(l.amount / units[i].ms), units[i].suffix);
		else
			snprintf(out, LIMIT_TEXT_SIZE, "%.2f%s", (double)l.amount / (double)units[i].ms,
			         units[i].suffix);
	}
}

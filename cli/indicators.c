#include "indicators.h"

#define COUNT(field)                                                                                                   \
	static int64_t count_##field(const wire_stats_row *r)                                                          \
	{                                                                                                              \
		return r->field;                                                                                       \
	}

COUNT(received)
COUNT(filed)
COUNT(closed)
COUNT(on_time)
COUNT(satisfied)
COUNT(reworked)
COUNT(extended)
COUNT(returned)
COUNT(merged)

static int64_t due_for_closing(const wire_stats_row *r)
{
	return r->due - r->suspended;
}

static int64_t on_time_or_exempted(const wire_stats_row *r)
{
	return r->on_time + r->exempted;
}

static int64_t closed_or_late(const wire_stats_row *r)
{
	return r->closed + r->overdue_open;
}

static int64_t answered(const wire_stats_row *r)
{
	return r->satisfied + r->fairly + r->unsatisfied;
}

static int64_t asked(const wire_stats_row *r)
{
	return answered(r) + r->unanswered;
}

const struct indicator indicators[] = {
	[INDICATOR_FILING] = { "filing_rate", "filed / received", count_filed, count_received },
	[INDICATOR_CLOSING] = { "closing_rate", "closed / (due − suspended)", count_closed, due_for_closing },
	[INDICATOR_ON_TIME] = { "on_time_rate", "closed within the limit / closed", count_on_time, count_closed },
	[INDICATOR_EXEMPTED] = { "on_time_rate_with_exemptions", "(closed within the limit + exempted) / closed",
	                         on_time_or_exempted, count_closed },
	[INDICATOR_HONEST] = { "honest_on_time_rate", "closed within the limit / (closed + open and overdue)",
	                       count_on_time, closed_or_late },
	[INDICATOR_SATISFIED] = { "satisfaction", "satisfied / answered", count_satisfied, answered },
	[INDICATOR_ANSWERED] = { "answered_share", "answered / asked", answered, asked },
	[INDICATOR_REWORK] = { "rework_rate", "reworked / closed", count_reworked, count_closed },
	[INDICATOR_EXTENSION] = { "extension_rate", "extended / filed", count_extended, count_filed },
	[INDICATOR_RETURN] = { "return_rate", "returned / filed", count_returned, count_filed },
	[INDICATOR_MERGE] = { "merge_rate", "merged / received", count_merged, count_received },
	[INDICATOR_COUNT] = { 0 },
};

_Bool indicator_value(const struct indicator *i, const wire_stats_row *r, double *out)
{
	int64_t whole = i->whole(r);

	if (whole <= 0)
		return 0;
	*out = (double)i->part(r) / (double)whole;
	return 1;
}

const char *indicator_text(const struct indicator *i, const wire_stats_row *r, char out[SHOW_SIZE])
{
	double value;

	if (indicator_value(i, r, &value))
		snprintf(out, SHOW_SIZE, "%.1f%%", value * 100);
	else
		snprintf(out, SHOW_SIZE, TABLE_NOTHING);
	return out;
}

int64_t indicator_first_reply_ms(const wire_stats_row *r)
{
	return r->replied > 0 ? r->first_reply_ms / r->replied : -1;
}

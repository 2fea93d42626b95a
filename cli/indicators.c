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
	{ "filing_rate", "filing 立案率", "filed / received", 6, count_filed, count_received },
	{ "closing_rate", "closing 结案率", "closed / (due − suspended)", 0, count_closed, due_for_closing },
	{ "on_time_rate", "on time 按期", "closed within the limit / closed", 2, count_on_time, count_closed },
	{ "honest_on_time_rate", "honest", "closed within the limit / (closed + open and overdue)", 1, count_on_time,
	  closed_or_late },
	{ "satisfaction", "satisfied 满意", "satisfied / answered", 3, count_satisfied, answered },
	{ "answered_share", "answered", "answered / asked", 4, answered, asked },
	{ "rework_rate", "rework 返工", "reworked / closed", 7, count_reworked, count_closed },
	{ "extension_rate", "extension 延期", "extended / filed", 9, count_extended, count_filed },
	{ "return_rate", "return 回退", "returned / filed", 8, count_returned, count_filed },
	{ "merge_rate", "merge 并案", "merged / received", 10, count_merged, count_received },
	{ 0 },
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
		snprintf(out, SHOW_SIZE, "–");
	return out;
}

int64_t indicator_first_reply_ms(const wire_stats_row *r)
{
	return r->replied > 0 ? r->first_reply_ms / r->replied : -1;
}

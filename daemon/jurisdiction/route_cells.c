#include "jurisdiction/route_cells.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "jurisdiction/cell.h"
#include "jurisdiction/handlers.h"

#define DAY_MINUTES 1440

_Bool day_hours_hold(const struct day_hours *h, int64_t at_ms)
{
	int64_t start = 0;

	if (h->from == h->to)
		return 1;
	(void)clock_local_day(at_ms, &start, NULL);

	int64_t minute = (at_ms - start) / CLOCK_MINUTE_MS;

	return h->from < h->to ? minute >= h->from && minute < h->to : minute >= h->from || minute < h->to;
}

static _Bool take_place(const struct column *c, struct texts *keep, const char *text, struct place_cell *place)
{
	if (cell_prefix(c, keep, text, &place->area))
		return 1;
	/* Digits alone are a code gone wrong, not the name of anything. */
	return strspn(text, "0123456789") != strlen(text) && cell_id(c, keep, text, &place->overlay);
}

_Bool cell_places(const struct column *c, struct texts *keep, const char *text, void *field)
{
	struct place_cells read = { .count = 0 };
	char list[PLACES_MOST * (CELL_ID_MOST + 1) + 1];

	if (strlen(text) >= sizeof list)
		return 0;
	strcpy(list, text);
	for (char *rest = list, *one; (one = strsep(&rest, "+")) != NULL; read.count++)
		if (read.count == PLACES_MOST || !take_place(c, keep, one, &read.at[read.count]))
			return 0;
	*(struct place_cells *)field = read;
	return 1;
}

static _Bool minute_of(const char *text, int16_t *out)
{
	unsigned hour, minute;
	char end;

	if (strlen(text) != 5 || text[2] != ':' || sscanf(text, "%2u:%2u%c", &hour, &minute, &end) != 2)
		return 0;
	*out = (int16_t)(hour * 60 + minute);
	return hour * 60 + minute <= DAY_MINUTES && minute < 60;
}

_Bool cell_day_hours(const struct column *c, struct texts *keep, const char *text, void *field)
{
	struct day_hours *h = field, read;
	char from[6] = "", to[6] = "";

	(void)c, (void)keep;
	if (strlen(text) != 11 || text[5] != '-')
		return 0;
	memcpy(from, text, 5);
	memcpy(to, text + 6, 5);
	if (!minute_of(from, &read.from) || !minute_of(to, &read.to) || read.from == read.to)
		return 0;
	*h = read;
	return 1;
}

static _Bool take_co_unit(const struct column *c, struct texts *keep, char *one, struct co_units *into)
{
	char *limit = strchr(one, '=');
	int i = into->count;

	if (i == CO_UNITS_MOST)
		return 0;
	if (limit)
		*limit++ = '\0';
	if (limit && (!limit_parse(limit, &into->limits[i]) || into->limits[i].amount < CLOCK_MINUTE_MS))
		return 0;
	if (!cell_id(c, keep, one, &into->units[i]))
		return 0;
	into->count++;
	return 1;
}

_Bool cell_co_units(const struct column *c, struct texts *keep, const char *text, void *field)
{
	struct co_units read = { .count = 0 };
	char list[CO_UNITS_MOST * (CELL_ID_MOST + 32)];

	if (strlen(text) >= sizeof list)
		return 0;
	strcpy(list, text);
	for (char *rest = list, *one; (one = strsep(&rest, "+")) != NULL;)
		if (!take_co_unit(c, keep, one, &read))
			return 0;
	*(struct co_units *)field = read;
	return 1;
}

_Bool cell_categories(const struct column *c, struct texts *keep, const char *text, void *field)
{
	struct category_list read = { .count = 0 };
	char list[CONTRACT_CATEGORIES_MOST * WORDS_CATEGORY_SIZE];

	if (strlen(text) >= sizeof list)
		return 0;
	if (strcmp(text, "*") == 0) {
		*(struct category_list *)field = (struct category_list){ .count = 1 };
		return 1;
	}
	strcpy(list, text);
	for (char *rest = list, *one; (one = strsep(&rest, "+")) != NULL; read.count++)
		if (read.count == CONTRACT_CATEGORIES_MOST || !cell_pattern(c, keep, one, &read.codes[read.count]))
			return 0;
	*(struct category_list *)field = read;
	return 1;
}

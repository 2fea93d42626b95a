#include "options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

void option_set_add(struct option_set *set, const struct option_row *row)
{
	must(set->count < OPTION_ROWS_MOST);
	set->rows[set->count++] = row;
}

void option_set_add_all(struct option_set *set, const struct option_row *rows)
{
	for (; rows && rows->name; rows++)
		option_set_add(set, rows);
}

_Bool place_from_text(const char *text, double *lat, double *lon)
{
	char part[64];
	const char *comma = strchr(text, ',');
	size_t length = comma ? (size_t)(comma - text) : 0;

	if (!comma || length >= sizeof part)
		return 0;
	memcpy(part, text, length);
	part[length] = '\0';
	comma++;
	comma += *comma == ' ';
	return text_to_double(part, lat) && text_to_double(comma, lon) && *lat >= -90 && *lat <= 90 && *lon >= -180 &&
	       *lon <= 180;
}

_Bool time_from_text(const char *text, int64_t now_ms, int direction, int64_t *out_ms)
{
	char with_hour[32];
	int64_t span;

	if (text_to_span(text, &span)) {
		*out_ms = direction < 0 ? now_ms - span : now_ms + span;
		return 1;
	}
	if (strlen(text) == strlen("2026-11-21")) {
		snprintf(with_hour, sizeof with_hour, "%s 00:00", text);
		text = with_hour;
	}
	return clock_parse(text, out_ms);
}

/* The position of the first `length` bytes of text in "a|b|c", or -1. */
static int word_index(const char *words, const char *text, size_t length)
{
	int index = 0;

	for (const char *at = words; *at; index++) {
		size_t word = strcspn(at, "|");

		if (word == length && memcmp(at, text, length) == 0)
			return index;
		at += word;
		at += *at == '|';
	}
	return -1;
}

static _Bool fits_text(const struct option_row *row, const char *value)
{
	(void)row;
	return text_is(TEXT_PROSE, (const uint8_t *)value, strlen(value));
}

static _Bool fits_int(const struct option_row *row, const char *value)
{
	int64_t number;

	(void)row;
	return text_to_int(value, INT64_MIN, INT64_MAX, &number);
}

static _Bool fits_time(const struct option_row *row, const char *value)
{
	int64_t ms;

	(void)row;
	return time_from_text(value, 0, 1, &ms);
}

static _Bool fits_limit(const struct option_row *row, const char *value)
{
	struct limit limit;

	(void)row;
	return limit_parse(value, &limit);
}

static _Bool fits_span(const struct option_row *row, const char *value)
{
	int64_t ms;

	(void)row;
	return text_to_span(value, &ms);
}

static _Bool fits_place(const struct option_row *row, const char *value)
{
	double lat, lon;

	(void)row;
	return place_from_text(value, &lat, &lon);
}

static _Bool fits_word(const struct option_row *row, const char *value)
{
	return word_index(row->value, value, strlen(value)) >= 0;
}

struct option_check {
	_Bool (*fits)(const struct option_row *row, const char *value);
	const char *expected;
};

static const struct option_check checks[] = {
	[OPTION_TEXT] = { fits_text, "text in UTF-8 without control characters" },
	[OPTION_INT] = { fits_int, "a whole number" },
	[OPTION_TIME] = { fits_time, "a time such as \"2026-11-21 14:00\", \"2026-11-21\" or \"2h\"" },
	[OPTION_SPAN] = { fits_span, "a span such as 90s, 15m, 4h or 7d" },
	[OPTION_LIMIT] = { fits_limit, LIMIT_EXPECTED },
	[OPTION_PLACE] = { fits_place, "LAT,LON in degrees, such as 34.3412,108.9471" },
	[OPTION_WORD] = { fits_word, NULL },
};

static const struct option_row *find_row(const struct option_set *set, const char *name, size_t length)
{
	for (int i = 0; i < set->count; i++)
		if (strlen(set->rows[i]->name) == length && memcmp(set->rows[i]->name, name, length) == 0)
			return set->rows[i];
	return NULL;
}

static _Bool take_value(const struct option_row *row, const char *value, struct options *out, char *why)
{
	const struct option_check *check = &checks[row->kind];

	if (!value) {
		snprintf(why, OPTION_WHY_SIZE, "%s needs a value: %s", row->name, row->value);
		return 0;
	}
	if (!check->fits(row, value)) {
		snprintf(why, OPTION_WHY_SIZE, "%s cannot be \"%.60s\"; expected %s%s", row->name, value,
		         check->expected ? check->expected : "one of ", check->expected ? "" : row->value);
		return 0;
	}
	if (out->given_count == OPTIONS_GIVEN_MOST) {
		snprintf(why, OPTION_WHY_SIZE, "more than %d options", OPTIONS_GIVEN_MOST);
		return 0;
	}
	out->given[out->given_count++] = (struct option_given){ row, value };
	return 1;
}

static _Bool take_word(struct options *out, const char *word, char *why)
{
	if (out->word_count == OPTION_WORDS_MOST) {
		snprintf(why, OPTION_WHY_SIZE, "more than %d words; put longer texts in quotes", OPTION_WORDS_MOST);
		return 0;
	}
	out->words[out->word_count++] = word;
	return 1;
}

/* A minus and a digit begin a number, not an option. */
static _Bool is_option(const char *argument)
{
	return argument[0] == '-' && argument[1] != '\0' && !isdigit((unsigned char)argument[1]) && argument[1] != '.';
}

/* The option at argv[*at]; *at is moved onto its value when that is an argument of its own. */
static _Bool take_option(const struct option_set *set, int argc, char **argv, int *at, struct options *out, char *why)
{
	const char *name = strcmp(argv[*at], "-h") == 0 ? "--help" : argv[*at];
	size_t length = strcspn(name, "=");
	const struct option_row *row = find_row(set, name, length);

	if (!row) {
		snprintf(why, OPTION_WHY_SIZE, "there is no option %.*s here", (int)(length < 60 ? length : 60), name);
		return 0;
	}
	if (row->kind == OPTION_FLAG) {
		if (name[length] == '=') {
			snprintf(why, OPTION_WHY_SIZE, "%s takes no value", row->name);
			return 0;
		}
		/* A flag given twice means no more than once, so a full list is no loss. */
		if (out->given_count < OPTIONS_GIVEN_MOST)
			out->given[out->given_count++] = (struct option_given){ row, "" };
		return 1;
	}
	if (name[length] == '=')
		return take_value(row, name + length + 1, out, why);
	return take_value(row, *at + 1 < argc ? argv[++*at] : NULL, out, why);
}

_Bool options_parse(const struct option_set *set, int argc, char **argv, struct options *out, char why[OPTION_WHY_SIZE])
{
	_Bool words_only = 0;

	*out = (struct options){ 0 };
	for (int i = 0; i < argc; i++) {
		if (!words_only && strcmp(argv[i], "--") == 0)
			words_only = 1;
		else if (!words_only && is_option(argv[i])) {
			if (!take_option(set, argc, argv, &i, out, why))
				return 0;
		} else if (!take_word(out, argv[i], why))
			return 0;
	}
	return 1;
}

const struct option_row *options_missing(const struct option_set *set, const struct options *o)
{
	for (int i = 0; i < set->count; i++)
		if (set->rows[i]->required && !options_text(o, set->rows[i]->name))
			return set->rows[i];
	return NULL;
}

static const struct option_given *find_given(const struct options *o, const char *name)
{
	for (int i = o->given_count - 1; i >= 0; i--)
		if (strcmp(o->given[i].row->name, name) == 0)
			return &o->given[i];
	return NULL;
}

const char *options_text(const struct options *o, const char *name)
{
	const struct option_given *given = find_given(o, name);

	return given ? given->value : NULL;
}

_Bool options_flag(const struct options *o, const char *name)
{
	return find_given(o, name) != NULL;
}

int64_t options_int(const struct options *o, const char *name, int64_t fallback)
{
	const char *value = options_text(o, name);
	int64_t number;

	return value && text_to_int(value, INT64_MIN, INT64_MAX, &number) ? number : fallback;
}

int64_t options_span(const struct options *o, const char *name, int64_t fallback_ms)
{
	const char *value = options_text(o, name);
	int64_t ms;

	return value && text_to_span(value, &ms) ? ms : fallback_ms;
}

struct limit options_limit(const struct options *o, const char *name)
{
	struct limit limit = { 0, LIMIT_CLOCK };
	const char *value = options_text(o, name);

	if (value && !limit_parse(value, &limit))
		limit.amount = 0; /* it was checked when it was read */
	return limit;
}

int options_word(const struct options *o, const char *name)
{
	const struct option_given *given = find_given(o, name);

	return given ? word_index(given->row->value, given->value, strlen(given->value)) : -1;
}

_Bool options_place(const struct options *o, const char *name, double *lat, double *lon)
{
	const char *value = options_text(o, name);

	return value && place_from_text(value, lat, lon);
}

int64_t options_time(const struct options *o, const char *name, int64_t now_ms, int direction)
{
	const char *value = options_text(o, name);
	int64_t ms;

	return value && time_from_text(value, now_ms, direction, &ms) ? ms : 0;
}

int options_all(const struct options *o, const char *name, const char **out, int most)
{
	int count = 0;

	for (int i = 0; i < o->given_count && count < most; i++)
		if (strcmp(o->given[i].row->name, name) == 0)
			out[count++] = o->given[i].value;
	return count;
}

char *options_rest(const struct options *o, int from)
{
	size_t size = 1;

	if (from >= o->word_count)
		return NULL;
	for (int i = from; i < o->word_count; i++)
		size += strlen(o->words[i]) + 1;

	char *text = must_calloc(1, size);

	for (int i = from; i < o->word_count; i++) {
		strcat(text, o->words[i]);
		if (i + 1 < o->word_count)
			strcat(text, " ");
	}
	return text;
}

void options_explain(const struct option_set *set, FILE *to)
{
	size_t widest = 0;
	char head[80];

	for (int i = 0; i < set->count; i++) {
		const struct option_row *row = set->rows[i];
		size_t width = strlen(row->name) + (row->kind == OPTION_FLAG ? 0 : strlen(row->value) + 1);

		if (width > widest && width <= 30)
			widest = width;
	}
	for (int i = 0; i < set->count; i++) {
		const struct option_row *row = set->rows[i];

		snprintf(head, sizeof head, "%s%s%s", row->name, row->kind == OPTION_FLAG ? "" : " ",
		         row->kind == OPTION_FLAG ? "" : row->value);
		/* A long list of words gets a line of its own. */
		if (strlen(head) > widest)
			fprintf(to, "  %s\n  %-*s", head, (int)widest, "");
		else
			fprintf(to, "  %-*s", (int)widest, head);
		fprintf(to, "  %s%s%s\n", row->help, row->required ? " (needed)" : "",
		        row->repeats ? " (may be repeated)" : "");
	}
}

#include "jurisdiction/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limit.h"
#include "base/must.h"
#include "base/text.h"

#define DIGEST_HEX 64
#define DATE_LENGTH 10 /* of yyyy-mm-dd */
#define E7 1e7

const char *texts_keep(struct texts *t, const char *text)
{
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->kept = must_realloc(t->kept, t->room * sizeof *t->kept);
	}
	return t->kept[t->count++] = must_strdup(text);
}

void texts_close(struct texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->kept[i]);
	free(t->kept);
	*t = (struct texts){ 0 };
}

int64_t cell_code(const char *text, size_t digits)
{
	int64_t code;

	/* A leading zero would make a shorter number, and no province has one. */
	if (strlen(text) != digits || strspn(text, "0123456789") != digits || *text == '0')
		return 0;
	return text_to_int(text, 1, INT64_MAX, &code) ? code : 0;
}

static _Bool put_code(int64_t code, void *field)
{
	if (code)
		*(int64_t *)field = code;
	return code != 0;
}

_Bool cell_area(const struct column *c, struct texts *keep, const char *text, void *field)
{
	(void)c, (void)keep;
	return put_code(cell_code(text, 12), field);
}

_Bool cell_grid(const struct column *c, struct texts *keep, const char *text, void *field)
{
	(void)c, (void)keep;
	return put_code(cell_code(text, 15), field);
}

_Bool cell_prefix(const struct column *c, struct texts *keep, const char *text, void *field)
{
	return cell_area(c, keep, text, field) || cell_grid(c, keep, text, field);
}

static _Bool put_text(enum text_kind kind, size_t most, struct texts *keep, const char *text, void *field)
{
	size_t length = strlen(text);

	if (length == 0 || length > most || !text_is(kind, (const uint8_t *)text, length))
		return 0;
	*(const char **)field = texts_keep(keep, text);
	return 1;
}

_Bool cell_name(const struct column *c, struct texts *keep, const char *text, void *field)
{
	return put_text(TEXT_LINE, c->most ? (size_t)c->most : CELL_NAME_MOST, keep, text, field);
}

_Bool cell_id(const struct column *c, struct texts *keep, const char *text, void *field)
{
	(void)c;
	return put_text(TEXT_ID, CELL_ID_MOST, keep, text, field);
}

_Bool cell_digest(const struct column *c, struct texts *keep, const char *text, void *field)
{
	(void)c;
	if (strlen(text) != DIGEST_HEX || strspn(text, "0123456789abcdef") != DIGEST_HEX)
		return 0;
	*(const char **)field = texts_keep(keep, text);
	return 1;
}

_Bool cell_word(const struct column *c, struct texts *keep, const char *text, void *field)
{
	const struct word *word = words_find(c->words, text, strlen(text));

	(void)keep;
	if (word)
		*(const char **)field = word->name;
	return word != NULL;
}

_Bool cell_number_word(const struct column *c, struct texts *keep, const char *text, void *field)
{
	const struct word *word = words_find(c->words, text, strlen(text));

	(void)keep;
	if (word)
		*(int *)field = (int)word->value;
	return word != NULL;
}

_Bool cell_bits(const struct column *c, struct texts *keep, const char *text, void *field)
{
	uint32_t bits = 0;

	(void)keep;
	for (;;) {
		size_t length = strcspn(text, "+");
		const struct word *word = words_find(c->words, text, length);

		/* The same role twice is a slip of the hand, most likely for another one. */
		if (!word || bits & word->value)
			return 0;
		bits |= word->value;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*(uint32_t *)field = bits;
	return 1;
}

static _Bool put_category(int32_t category, void *field)
{
	if (category)
		*(int32_t *)field = category;
	return category != 0;
}

_Bool cell_category(const struct column *c, struct texts *keep, const char *text, void *field)
{
	(void)c, (void)keep;
	return put_category(words_category(text), field);
}

_Bool cell_pattern(const struct column *c, struct texts *keep, const char *text, void *field)
{
	(void)c, (void)keep;
	return put_category(words_category_pattern(text), field);
}

_Bool cell_span(const struct column *c, struct texts *keep, const char *text, void *field)
{
	int64_t ms;

	(void)keep;
	if (!text_to_span(text, &ms) || ms < c->least || ms > c->most)
		return 0;
	*(int64_t *)field = ms;
	return 1;
}

_Bool cell_limit(const struct column *c, struct texts *keep, const char *text, void *field)
{
	struct limit limit;

	(void)keep;
	if (!limit_parse(text, &limit) || limit.amount < c->least || limit.amount > c->most)
		return 0;
	*(struct limit *)field = limit;
	return 1;
}

_Bool cell_hours(const struct column *c, struct texts *keep, const char *text, void *field)
{
	double hours;

	(void)keep;
	if (!text_to_double(text, &hours) || hours < (double)c->least || hours > (double)c->most)
		return 0;
	*(int64_t *)field = (int64_t)(hours * CLOCK_HOUR_MS + 0.5);
	return 1;
}

_Bool cell_int(const struct column *c, struct texts *keep, const char *text, void *field)
{
	int64_t value;

	(void)keep;
	if (!text_to_int(text, c->least, c->most, &value))
		return 0;
	*(int32_t *)field = (int32_t)value;
	return 1;
}

_Bool cell_yes(const struct column *c, struct texts *keep, const char *text, void *field)
{
	_Bool yes = strcmp(text, "yes") == 0;

	(void)c, (void)keep;
	if (!yes && strcmp(text, "no") != 0)
		return 0;
	*(_Bool *)field = yes;
	return 1;
}

_Bool cell_degrees(const struct column *c, struct texts *keep, const char *text, void *field)
{
	double degrees;

	(void)keep;
	if (!text_to_double(text, &degrees) || degrees < (double)c->least || degrees > (double)c->most)
		return 0;
	*(int32_t *)field = (int32_t)lround(degrees * E7);
	return 1;
}

_Bool cell_side(const struct column *c, struct texts *keep, const char *text, void *field)
{
	*(int32_t *)field = CELL_NO_SIDE;
	return *text == '\0' || cell_degrees(c, keep, text, field);
}

_Bool cell_share(const struct column *c, struct texts *keep, const char *text, void *field)
{
	double share;

	(void)c, (void)keep;
	if (!text_to_double(text, &share) || share < 0 || share > 1)
		return 0;
	*(double *)field = share;
	return 1;
}

_Bool cell_date(const struct column *c, struct texts *keep, const char *text, void *field)
{
	char midnight[DATE_LENGTH + sizeof "T00:00"];

	(void)c, (void)keep;
	if (strlen(text) != DATE_LENGTH)
		return 0;
	snprintf(midnight, sizeof midnight, "%sT00:00", text);
	return clock_parse(midnight, field);
}

_Bool cell_day(const struct column *c, struct texts *keep, const char *text, void *field)
{
	int64_t start_ms;
	int year, month, mday;

	if (!cell_date(c, keep, text, &start_ms) || sscanf(text, "%4d-%2d-%2d", &year, &month, &mday) != 3)
		return 0;

	int32_t day = clock_ymd_to_day(year * 10000 + month * 100 + mday);

	if (day >= 0)
		*(int32_t *)field = day;
	return day >= 0;
}

void cell_expected(const struct column *c, char *out, size_t size)
{
	if (c->expected) {
		snprintf(out, size, "%s", c->expected);
	} else if (c->words) {
		char names[256];

		words_list(c->words, names, sizeof names);
		snprintf(out, size, c->read == cell_bits ? "some of %s, joined by +%s" : "one of %s%s", names,
		         c->none ? ", or nothing" : "");
	} else {
		snprintf(out, size, "a whole number from %" PRId64 " to %" PRId64, c->least, c->most);
	}
}

#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_CHARACTER UINT32_MAX

/* How a UTF-8 lead byte looks, and the least code point its length may carry (less is an overlong form). */
struct lead {
	uint8_t mask, bits;
	uint8_t length;
	uint32_t least;
};

static const struct lead leads[] = {
	{ 0x80, 0x00, 1, 0x0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

static const struct lead *find_lead(uint8_t byte)
{
	for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
		if ((byte & leads[i].mask) == leads[i].bits)
			return &leads[i];
	return NULL;
}

/* The character at bytes, its length in *used; NO_CHARACTER and one byte used when it is malformed. */
static uint32_t decode(const uint8_t *bytes, size_t left, size_t *used)
{
	*used = 1;
	if (bytes[0] < 0x80)
		return bytes[0];

	const struct lead *lead = find_lead(bytes[0]);

	if (!lead || lead->length > left)
		return NO_CHARACTER;

	uint32_t character = bytes[0] & (uint8_t)~lead->mask;

	for (size_t i = 1; i < lead->length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return NO_CHARACTER;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (character < lead->least || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
		return NO_CHARACTER;
	*used = lead->length;
	return character;
}

static _Bool is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

/* The line and paragraph separators break a line in many programs though they are no control characters. */
static _Bool fits_line(uint32_t character)
{
	return !is_control(character) && character != 0x2028 && character != 0x2029;
}

static _Bool fits_prose(uint32_t character)
{
	return !is_control(character) || character == '\n' || character == '\t';
}

static _Bool fits_id(uint32_t character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	       (character >= '0' && character <= '9') ||
	       (character > 0 && character < 0x80 && strchr("-_./:@", (int)character));
}

static _Bool (*const fits[])(uint32_t) = {
	[TEXT_LINE] = fits_line,
	[TEXT_PROSE] = fits_prose,
	[TEXT_ID] = fits_id,
};

/* How many bytes the character has when it is one of those that nearly all text consists of, printable ASCII and the
 * Chinese of U+4000 to U+9FFF, which fit any kind of text but an id; else 0. */
static inline size_t plain_length(const uint8_t *at, size_t left)
{
	if (at[0] >= 0x20 && at[0] < 0x7f)
		return 1;
	return left >= 3 && at[0] >= 0xe4 && at[0] <= 0xe9 && (at[1] & 0xc0) == 0x80 && (at[2] & 0xc0) == 0x80 ? 3 : 0;
}

_Bool text_is(enum text_kind kind, const uint8_t *bytes, size_t length)
{
	size_t used;

	for (size_t at = 0; at < length; at += used) {
		if (kind != TEXT_ID && (used = plain_length(bytes + at, length - at)) > 0)
			continue;

		uint32_t character = decode(bytes + at, length - at, &used);

		if (character == NO_CHARACTER || !fits[kind](character))
			return 0;
	}
	return 1;
}

struct range {
	uint32_t first, last;
};

/* Marks drawn over the character before them, and characters that draw nothing. In order. */
static const struct range no_columns[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd },   { 0x0610, 0x061a },   { 0x064b, 0x065f },
	{ 0x06d6, 0x06dc }, { 0x0900, 0x0902 }, { 0x093c, 0x093c },   { 0x0941, 0x0948 },   { 0x094d, 0x094d },
	{ 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e },   { 0x1160, 0x11ff },   { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x202a, 0x202e },   { 0x2060, 0x2064 },   { 0x2066, 0x206f },
	{ 0x20d0, 0x20f0 }, { 0x302a, 0x302d }, { 0x3099, 0x309a },   { 0xd7b0, 0xd7ff },   { 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0xe0001, 0xe007f }, { 0xe0100, 0xe01ef },
};

/* East Asian Width W and F of Unicode's UAX 11, joined where only unassigned ones lie between. In order. */
static const struct range two_columns[] = {
	{ 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2329, 0x232a },   { 0x23e9, 0x23ec },   { 0x23f0, 0x23f0 },
	{ 0x23f3, 0x23f3 },   { 0x25fd, 0x25fe },   { 0x2614, 0x2615 },   { 0x2648, 0x2653 },   { 0x267f, 0x267f },
	{ 0x2693, 0x2693 },   { 0x26a1, 0x26a1 },   { 0x26aa, 0x26ab },   { 0x26bd, 0x26be },   { 0x26c4, 0x26c5 },
	{ 0x26ce, 0x26ce },   { 0x26d4, 0x26d4 },   { 0x26ea, 0x26ea },   { 0x26f2, 0x26f3 },   { 0x26f5, 0x26f5 },
	{ 0x26fa, 0x26fa },   { 0x26fd, 0x26fd },   { 0x2705, 0x2705 },   { 0x270a, 0x270b },   { 0x2728, 0x2728 },
	{ 0x274c, 0x274c },   { 0x274e, 0x274e },   { 0x2753, 0x2755 },   { 0x2757, 0x2757 },   { 0x2795, 0x2797 },
	{ 0x27b0, 0x27b0 },   { 0x27bf, 0x27bf },   { 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b50 },   { 0x2b55, 0x2b55 },
	{ 0x2e80, 0x303e },   { 0x3041, 0x4dbf },   { 0x4e00, 0xa4cf },   { 0xa960, 0xa97c },   { 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },   { 0xfe10, 0xfe19 },   { 0xfe30, 0xfe6b },   { 0xff01, 0xff60 },   { 0xffe0, 0xffe6 },
	{ 0x16fe0, 0x18cff }, { 0x1aff0, 0x1b2fb }, { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f18e },
	{ 0x1f191, 0x1f19a }, { 0x1f200, 0x1f265 }, { 0x1f300, 0x1f320 }, { 0x1f32d, 0x1f335 }, { 0x1f337, 0x1f37c },
	{ 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 }, { 0x1f3e0, 0x1f3f0 }, { 0x1f3f4, 0x1f3f4 },
	{ 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc }, { 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f54e },
	{ 0x1f550, 0x1f567 }, { 0x1f57a, 0x1f57a }, { 0x1f595, 0x1f596 }, { 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f },
	{ 0x1f680, 0x1f6c5 }, { 0x1f6cc, 0x1f6cc }, { 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6d7 }, { 0x1f6dc, 0x1f6df },
	{ 0x1f6eb, 0x1f6ec }, { 0x1f6f4, 0x1f6fc }, { 0x1f7e0, 0x1f7eb }, { 0x1f7f0, 0x1f7f0 }, { 0x1f90c, 0x1f93a },
	{ 0x1f93c, 0x1f945 }, { 0x1f947, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x2fffd }, { 0x30000, 0x3fffd },
};

static _Bool is_among(const struct range *ranges, size_t count, uint32_t character)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (character > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && character >= ranges[low].first;
}

static size_t columns_of(uint32_t character)
{
	/* A malformed byte is shown as one replacement character. */
	if (character < 0x300 || character == NO_CHARACTER)
		return 1;
	if (is_among(no_columns, sizeof no_columns / sizeof no_columns[0], character))
		return 0;
	return is_among(two_columns, sizeof two_columns / sizeof two_columns[0], character) ? 2 : 1;
}

size_t text_columns(const char *text)
{
	size_t length = strlen(text);
	size_t columns = 0, used;

	for (size_t at = 0; at < length; at += used)
		columns += columns_of(decode((const uint8_t *)text + at, length - at, &used));
	return columns;
}

size_t text_cut(const char *text, size_t most)
{
	size_t length = strnlen(text, most);

	if (length < most)
		return length;
	/* A character has at most three bytes behind its first; more in a row are no character anyway. */
	for (size_t back = 0; back <= 3 && back <= length; back++)
		if (((uint8_t)text[length - back] & 0xc0) != 0x80)
			return length - back;
	return length;
}

_Bool text_to_int(const char *text, int64_t least, int64_t most, int64_t *out)
{
	char *end;

	/* strtoll would pass over spaces and take a plus sign. */
	if (!text || !(*text == '-' || (*text >= '0' && *text <= '9')))
		return 0;
	errno = 0;

	long long value = strtoll(text, &end, 10);

	if (errno != 0 || end == text || *end != '\0' || value < least || value > most)
		return 0;
	*out = value;
	return 1;
}

_Bool text_to_double(const char *text, double *out)
{
	char *end;

	/* strtod would take spaces, hexadecimal, "inf" and "nan". */
	if (!text || *text == '\0' || *text == '+' || text[strspn(text, "0123456789+-.eE")] != '\0')
		return 0;

	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !isfinite(value))
		return 0;
	*out = value;
	return 1;
}

struct unit {
	const char *name;
	int64_t ms;
};

static const struct unit units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};

_Bool text_to_span(const char *text, int64_t *out_ms)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;

	long long value = strtoll(text, &end, 10);

	if (errno != 0)
		return 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		if (value > INT64_MAX / units[i].ms)
			return 0;
		*out_ms = value * units[i].ms;
		return 1;
	}
	return 0;
}

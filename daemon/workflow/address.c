/* address: written the Western way, the number before the street; and what both ways have in common. */
#include "workflow/address.h"

#include <ctype.h>
#include <string.h>

#include "workflow/address_parts.h"

#define WORDS_MOST 32
#define WORD_SIZE 24
#define NAME_WORDS_MOST 3 /* of a street without a suffix */

struct words {
	char at[WORDS_MOST][WORD_SIZE];
	int count;
};

/* The short forms of the United States Postal Service, publication 28, as far as people use them. */
static const struct {
	const char *word, *means;
	_Bool suffix;
} forms[] = {
	{ "street", "st", 1 },  { "st", "st", 1 },       { "avenue", "ave", 1 }, { "ave", "ave", 1 },
	{ "av", "ave", 1 },     { "road", "rd", 1 },     { "rd", "rd", 1 },      { "boulevard", "blvd", 1 },
	{ "blvd", "blvd", 1 },  { "terrace", "ter", 1 }, { "ter", "ter", 1 },    { "place", "pl", 1 },
	{ "pl", "pl", 1 },      { "plaza", "plz", 1 },   { "plz", "plz", 1 },    { "court", "ct", 1 },
	{ "ct", "ct", 1 },      { "square", "sq", 1 },   { "sq", "sq", 1 },      { "drive", "dr", 1 },
	{ "dr", "dr", 1 },      { "lane", "ln", 1 },     { "ln", "ln", 1 },      { "parkway", "pkwy", 1 },
	{ "pkwy", "pkwy", 1 },  { "highway", "hwy", 1 }, { "hwy", "hwy", 1 },    { "circle", "cir", 1 },
	{ "cir", "cir", 1 },    { "way", "way", 1 },     { "row", "row", 1 },    { "path", "path", 1 },
	{ "park", "park", 1 },  { "alley", "aly", 1 },   { "aly", "aly", 1 },    { "wharf", "whrf", 1 },
	{ "saint", "st", 0 },   { "north", "n", 0 },     { "south", "s", 0 },    { "east", "e", 0 },
	{ "west", "w", 0 },     { "first", "1st", 0 },   { "second", "2nd", 0 }, { "third", "3rd", 0 },
	{ "fourth", "4th", 0 }, { "fifth", "5th", 0 },   { "sixth", "6th", 0 },  { "seventh", "7th", 0 },
	{ "eighth", "8th", 0 }, { "ninth", "9th", 0 },
};

static const char *const crossings[] = { "intersection", "corner", "junction", "crossing", NULL };
static const char *const ands[] = { "&", "@", "/", "and", "at", NULL };
static const char *const households[] = { "#", "apt", "apartment", "unit", "suite", "ste", "flat", "room", "rm", NULL };

/* This is asked of every word of every report, and mostly the first letter says no. */
static inline _Bool same(const char *a, const char *b)
{
	return a[0] == b[0] && strcmp(a, b) == 0;
}

static _Bool is_one_of(const char *word, const char *const *list)
{
	while (*list && !same(word, *list))
		list++;
	return *list != NULL;
}

void address_append(char part[ADDRESS_PART_SIZE], const char *bytes, size_t length)
{
	size_t used = strlen(part);

	if (length >= ADDRESS_PART_SIZE - used)
		length = ADDRESS_PART_SIZE - 1 - used;
	memcpy(part + used, bytes, length);
	part[used + length] = '\0';
}

/* ---- words ---- */

static _Bool is_of_word(const char *text, size_t i)
{
	unsigned char c = (unsigned char)text[i];

	return isalnum(c) || c >= 0x80 ||
	       (c == '-' && i > 0 && isdigit((unsigned char)text[i - 1]) && isdigit((unsigned char)text[i + 1]));
}

/* Words in lower case, and the signs that part them where they mean something. Dots and apostrophes mean nothing. */
static void split(const char *text, struct words *w)
{
	size_t used = 0;

	w->count = 0;
	for (size_t i = 0; w->count < WORDS_MOST; i++) {
		_Bool silent = text[i] == '.' || text[i] == '\'';

		if (text[i] && (is_of_word(text, i) || silent)) {
			if (!silent && used < WORD_SIZE - 1)
				w->at[w->count][used++] = (char)tolower((unsigned char)text[i]);
			continue;
		}
		if (used)
			w->at[w->count++][used] = '\0';
		used = 0;
		if (!text[i])
			return;
		if (strchr("&@/,#", text[i]) && w->count < WORDS_MOST) {
			w->at[w->count][0] = text[i];
			w->at[w->count++][1] = '\0';
		}
	}
}

static int form_of(const char *word)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (same(word, forms[i].word))
			return (int)i;
	return -1;
}

/* The street that begins at this word: up to its suffix, or else its first words. Gives the word after it. */
static int take_street(const struct words *w, int from, int to, char street[ADDRESS_PART_SIZE])
{
	int i = from, plain_end = 0;

	for (; i < to && w->at[i][0] != ',' && w->at[i][0] != '#' && !is_one_of(w->at[i], households); i++) {
		int form = form_of(w->at[i]);
		const char *word = form < 0 ? w->at[i] : forms[form].means;

		if (i - from == NAME_WORDS_MOST && !plain_end)
			plain_end = (int)strlen(street);
		if (street[0])
			address_append(street, " ", 1);
		address_append(street, word, strlen(word));
		if (i > from && form >= 0 && forms[form].suffix)
			return i + 1;
	}
	if (plain_end)
		street[plain_end] = '\0';
	return i;
}

/* ---- the two kinds ---- */

static void order_streets(struct address *a)
{
	char first[ADDRESS_PART_SIZE];

	if (strcmp(a->street[0], a->street[1]) <= 0)
		return;
	memcpy(first, a->street[0], sizeof first);
	memcpy(a->street[0], a->street[1], sizeof first);
	memcpy(a->street[1], first, sizeof first);
}

static void read_crossing(const struct words *w, int from, int and, struct address *out)
{
	(void)take_street(w, from, and, out->street[0]);
	(void)take_street(w, and+1, w->count, out->street[1]);
}

/* The word between two streets: said to be a crossing, or by a sign where no number stands in front. -1: none. */
static int find_and(const struct words *w, _Bool said)
{
	_Bool numbered = isdigit((unsigned char)w->at[0][0]);

	for (int i = 1; i + 1 < w->count; i++)
		if (is_one_of(w->at[i], ands) && (said || (!numbered && !isalpha((unsigned char)w->at[i][0]))))
			return i;
	return -1;
}

static void read_household(const struct words *w, int from, struct address *out)
{
	for (int i = from; i + 1 < w->count; i++) {
		if (!is_one_of(w->at[i], households))
			continue;
		while (i + 2 < w->count && is_one_of(w->at[i + 1], households))
			i++;
		address_append(out->household, w->at[i + 1], strlen(w->at[i + 1]));
		return;
	}
}

/* "235" or "12a", of "1010-1012" the first; "5th" is a street. Gives the length, 0: no number. */
static size_t number_length(const char *word)
{
	size_t digits = strspn(word, "0123456789");
	const char *rest = word + digits;

	if (digits == 0 || (rest[0] && rest[0] != '-' && rest[1]))
		return 0;
	return digits + (isalpha((unsigned char)rest[0]) ? 1 : 0);
}

static void read_door(const struct words *w, struct address *out)
{
	size_t length = number_length(w->at[0]);
	size_t zeros = length ? strspn(w->at[0], "0") : 0; /* number 0 is how "somewhere in this street" is filed */
	int from = length ? 1 : 0;

	address_append(out->house, w->at[0] + zeros, length - zeros);
	read_household(w, take_street(w, from, w->count, out->street[0]), out);
}

static void read_western(const char *text, struct address *out)
{
	struct words w;

	split(text, &w);
	if (w.count == 0)
		return;

	_Bool said = is_one_of(w.at[0], crossings);
	int from = said ? 1 + (w.count > 1 && strcmp(w.at[1], "of") == 0) : 0;
	int and = find_and(&w, said);

	if (and > from)
		read_crossing(&w, from, and, out);
	else if (!said)
		read_door(&w, out);
}

/* A character of Chinese writing: its first byte in UTF-8. */
static _Bool is_chinese(const char *text)
{
	while (*text && ((unsigned char)*text < 0xE3 || (unsigned char)*text > 0xEF))
		text++;
	return *text != '\0';
}

void address_read(const char *text, struct address *out)
{
	*out = (struct address){ 0 };
	if (!text)
		return;
	if (is_chinese(text))
		address_read_zh(text, out);
	else
		read_western(text, out);
	if (out->street[1][0])
		order_streets(out);
}

/* ---- digests ---- */

/* FNV-1a. */
static uint32_t hash(uint32_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT32_C(16777619);
	return (h ^ UINT32_C(0x1f)) * UINT32_C(16777619);
}

#define HASH_START UINT32_C(2166136261)

static uint16_t short_hash(const char *text)
{
	uint32_t h = hash(HASH_START, text);

	h ^= h >> 16;
	return text[0] == '\0' ? 0 : (h & 0xffff) == 0 ? 1 : (uint16_t)h;
}

struct address_key address_key(const char *text)
{
	struct address a;
	struct address_key k = { 0 };

	address_read(text, &a);
	k.street = short_hash(a.street[0]);
	k.other = short_hash(a.street[1][0] ? a.street[1] : a.household);
	if (a.street[1][0])
		k.door = hash(hash(HASH_START, a.street[0]), a.street[1]) | ADDRESS_CROSSING_BIT;
	else if (a.house[0])
		k.door = (hash(hash(HASH_START, a.street[0]), a.house) & ~ADDRESS_CROSSING_BIT) | 1;
	return k;
}

static _Bool is_crossing(struct address_key k)
{
	return (k.door & ADDRESS_CROSSING_BIT) != 0;
}

static _Bool share_street(struct address_key a, struct address_key b)
{
	if (a.street == 0 || b.street == 0)
		return 0;
	return a.street == b.street || (is_crossing(a) && a.other == b.street) ||
	       (is_crossing(b) && b.other == a.street) || (is_crossing(a) && is_crossing(b) && a.other == b.other);
}

enum address_relation address_compare(struct address_key a, struct address_key b)
{
	if (a.door != 0 && a.door == b.door) {
		if (a.other == b.other)
			return ADDRESS_DOOR;
		return a.other == 0 || b.other == 0 ? ADDRESS_HOUSE : ADDRESS_NEIGHBOUR;
	}
	if (share_street(a, b))
		return is_crossing(a) || is_crossing(b) ? ADDRESS_MEETS : ADDRESS_STREET;
	return a.door == 0 || b.door == 0 ? ADDRESS_UNKNOWN : ADDRESS_ELSEWHERE;
}

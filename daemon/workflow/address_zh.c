/* address_zh: written the Chinese way, the large before the small: 咸阳市渭城区渭阳西路12号3栋2单元501室. */
#include <string.h>
#include <uchar.h>

#include "workflow/address_parts.h"

#define SIGNS_MOST 304 /* characters; an address has at most 300 bytes */
#define MARKER_SIZE 3  /* two characters and the end */

/* The text as characters: wide digits and letters made narrow and small, spaces and stops left out, a 0 at the end. */
struct signs {
	char32_t at[SIGNS_MOST + 1];
	int count;
};

static _Bool is_in(char32_t sign, const char32_t *list)
{
	while (*list && *list != sign)
		list++;
	return *list != 0;
}

/* One character of UTF-8; what is broken is taken byte by byte. */
static const char *take_sign(const char *text, char32_t *sign)
{
	static const struct {
		unsigned char mask, is;
		int more;
	} forms[] = { { 0xE0, 0xC0, 1 }, { 0xF0, 0xE0, 2 }, { 0xF8, 0xF0, 3 } };
	unsigned char first = (unsigned char)*text++;

	*sign = first;
	for (size_t i = 0; first >= 0x80 && i < sizeof forms / sizeof forms[0]; i++) {
		if ((first & forms[i].mask) != forms[i].is)
			continue;
		*sign = first & (unsigned char)~forms[i].mask;
		for (int left = forms[i].more; left > 0 && ((unsigned char)*text & 0xC0) == 0x80; left--)
			*sign = *sign << 6 | ((unsigned char)*text++ & 0x3F);
		break;
	}
	return text;
}

static void take_signs(const char *text, struct signs *s)
{
	char32_t sign;

	s->count = 0;
	while (*text && s->count < SIGNS_MOST) {
		text = take_sign(text, &sign);
		if (sign >= U'！' && sign <= U'～')
			sign -= U'！' - U'!';
		if (sign >= U'A' && sign <= U'Z')
			sign += U'a' - U'A';
		if (sign > U'。' || !is_in(sign, U" \t.,()。、　"))
			s->at[s->count++] = sign;
	}
	s->at[s->count] = 0;
}

static _Bool is_at(const struct signs *s, int i, const char32_t *text)
{
	while (*text && s->at[i] == *text) {
		text++;
		i++;
	}
	return *text == 0;
}

static void append_sign(char part[ADDRESS_PART_SIZE], char32_t c)
{
	char bytes[4];
	size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char fronts[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

	for (size_t i = length; i-- > 1; c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3F));
	bytes[0] = (char)(fronts[length] | (unsigned char)c);
	if (strlen(part) + length < ADDRESS_PART_SIZE)
		address_append(part, bytes, length);
}

/* ---- numbers ---- */

/* What may stand behind a number: how it is written here, and whether it names the house or the household in it. */
static const struct marker {
	char32_t text[MARKER_SIZE];
	int signs;
	const char *means;
	_Bool household;
} markers[] = {
	{ U"号楼", 2, "栋", 0 },   { U"号院", 2, "号", 0 }, { U"号", 1, "号", 0 }, { U"栋", 1, "栋", 0 },
	{ U"幢", 1, "栋", 0 },     { U"座", 1, "栋", 0 },   { U"弄", 1, "弄", 0 }, { U"组", 1, "组", 0 },
	{ U"单元", 2, "单元", 1 }, { U"室", 1, "室", 1 },   { U"户", 1, "室", 1 }, { U"房", 1, "室", 1 },
	{ U"楼", 1, "楼", 1 },     { U"层", 1, "楼", 1 },
};

static const struct marker *marker_at(const struct signs *s, int i)
{
	for (size_t m = 0; m < sizeof markers / sizeof markers[0]; m++)
		if (is_at(s, i, markers[m].text))
			return &markers[m];
	return NULL;
}

/* 一 to 九 and 十, as they stand before a marker; 0: none. */
static int digit_zh(char32_t sign)
{
	static const char32_t digits[] = U"一二三四五六七八九十";

	for (int i = 0; sign >= U'一' && sign <= U'十' && digits[i]; i++)
		if (sign == digits[i])
			return i + 1;
	return 0;
}

/* A number in Chinese digits up to 99, if a marker follows. Gives the signs it takes, 0: none. */
static int number_zh(const struct signs *s, int i, char number[16])
{
	int from = i, value = 0, digit;

	for (; i - from < 3 && (digit = digit_zh(s->at[i])) != 0; i++)
		value = digit == 10 ? (value ? value : 1) * 10 : value + digit;
	if (i == from || !marker_at(s, i))
		return 0;
	number[0] = value < 10 ? '\0' : (char)('0' + value / 10 % 10);
	number[value < 10 ? 0 : 1] = (char)('0' + value % 10);
	number[value < 10 ? 1 : 2] = '\0';
	return i - from;
}

/* A number at this sign as text; gives the signs it takes, 0: none. A letter is a number only before a marker: A座. */
static int take_number(const struct signs *s, int i, char number[16])
{
	int from = i, taken = number_zh(s, i, number);
	_Bool digits = 0;
	size_t used = 0;

	if (taken)
		return taken;
	for (; (s->at[i] >= U'0' && s->at[i] <= U'9') || (s->at[i] >= U'a' && s->at[i] <= U'z'); i++) {
		digits |= s->at[i] <= U'9';
		if (used < 15 && (used || s->at[i] != U'0'))
			number[used++] = (char)s->at[i];
	}
	number[used] = '\0';
	return used && (digits || marker_at(s, i)) ? i - from : 0;
}

/* ---- the parts ---- */

/* Where the street begins: behind the last of the areas that it lies in. */
static int behind_areas(const struct signs *s, int from, int to)
{
	int begin = from;

	for (int i = from + 1; i < to; i++) {
		_Bool street = s->at[i] == U'街' && s->at[i + 1] == U'道';
		int after = i + 1 + street;

		/* 小区 is a housing estate, 市场 a market: names, not areas. */
		if (after + 1 < to && (street || is_in(s->at[i], U"省市区县旗镇乡")) && !is_at(s, i - 1, U"小区") &&
		    !is_at(s, i, U"市场"))
			begin = after;
	}
	return begin;
}

static void take_name(const struct signs *s, int from, int to, char name[ADDRESS_PART_SIZE])
{
	for (int i = behind_areas(s, from, to); i < to; i++)
		append_sign(name, s->at[i]);
}

/* The sign between two streets, and where the second one ends. false: there is no crossing. */
static _Bool find_crossing(const struct signs *s, int *and, int *end)
{
	for (*and = 1; *and < s->count && !is_in(s->at[*and], U"与和&/"); ++*and)
		;
	for (*end = *and+2; *end < s->count; ++*end) {
		if (is_at(s, *end, U"路口")) {
			*end += s->at[*end - 1] != U'路'; /* 人民路口: the sign for the road is the end of its name */
			return 1;
		}
		if (is_in(s->at[*end], U"交口") || is_at(s, *end, U"十字"))
			return 1;
	}
	return 0;
}

/* How a number without a marker is meant: the first names the house, the last the room: 12-3-501. */
static const char *meant(const struct signs *s, int after, _Bool inside)
{
	return !inside ? "号" : s->at[after] == U'-' ? "-" : "室";
}

/* The numbers, each with its marker. */
static void read_numbers(const struct signs *s, int i, struct address *out)
{
	char number[16];

	for (int taken; (taken = take_number(s, i, number)) > 0;) {
		const struct marker *m = marker_at(s, i + taken);
		_Bool inside = m ? m->household : out->house[0] != '\0';
		const char *means = m ? m->means : meant(s, i + taken, inside);
		char *part = inside ? out->household : out->house;

		address_append(part, number, strlen(number));
		address_append(part, means, strlen(means));
		i += taken + (m ? m->signs : 0);
		while (s->at[i] && is_in(s->at[i], U"-#院"))
			i++;
	}
}

/* A name with no number ends where its road ends: what follows only says which side of it. */
static int road_end(const struct signs *s)
{
	for (int i = s->count - 1; i > 0; i--)
		if (is_in(s->at[i], U"路街巷道") && !is_at(s, i - 1, U"街道"))
			return i + 1;
	return s->count;
}

void address_read_zh(const char *text, struct address *out)
{
	struct signs s;
	char number[16];
	int first = 1, and, end;

	take_signs(text, &s);
	if (find_crossing(&s, &and, &end)) {
		take_name(&s, 0, and, out->street[0]);
		take_name(&s, and+1, end, out->street[1]);
		return;
	}
	while (first < s.count && !take_number(&s, first, number))
		first++;
	take_name(&s, 0, first < s.count ? first : road_end(&s), out->street[0]);
	if (first < s.count)
		read_numbers(&s, first, out);
}

#include "base/mask.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"

/* ---- characters ---- */

/* Bytes of the character that begins here; the text was checked when it came in. */
static size_t character(const char *at)
{
	uint8_t first = (uint8_t)*at;
	size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	for (size_t i = 1; i < length; i++)
		if (at[i] == '\0')
			return i;
	return length;
}

static size_t count_characters(const char *text)
{
	size_t count = 0;

	for (; *text; text += character(text))
		count++;
	return count;
}

static _Bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A digit, plain or full-width; *length its bytes. */
static _Bool is_digit(const char *at, size_t *length)
{
	*length = 1;
	if (*at >= '0' && *at <= '9')
		return 1;
	*length = 3;
	return (uint8_t)at[0] == 0xef && (uint8_t)at[1] == 0xbc && (uint8_t)at[2] >= 0x90 && (uint8_t)at[2] <= 0x99;
}

static char digit_of(const char *at)
{
	return (uint8_t)*at == 0xef ? (char)('0' + ((uint8_t)at[2] - 0x90)) : *at;
}

/* ---- numbers ---- */

#define DIGITS_MOST 24 /* of a run that is looked at: more than any number of a person has */
#define LONG_RUN 7     /* digits in one piece that are masked whatever they are */
#define MOBILE_DIGITS 11
#define LANDLINE_LEAST 10
#define LANDLINE_MOST 12
#define ID_DIGITS 15 /* and more: an ID number, 15 or 18 with perhaps an X at its end */

struct number {
	char digits[DIGITS_MOST + 1];
	size_t count;
	const char *end;
	_Bool apart; /* with blanks or hyphens between the digits */
};

static _Bool is_separator(char c)
{
	return c == '-' || c == ' ';
}

/* The digits from here on; with separators one between two digits at most. */
static void read_number(const char *at, _Bool separators, struct number *n)
{
	size_t length;

	*n = (struct number){ .end = at };
	while (n->count < DIGITS_MOST) {
		const char *next = n->end;

		if (separators && n->count > 0 && is_separator(*next))
			next++;
		if (!is_digit(next, &length))
			break;
		n->apart |= next != n->end;
		n->digits[n->count++] = digit_of(next);
		n->end = next + length;
	}
}

static _Bool is_mobile(const char *digits, size_t count)
{
	return count == MOBILE_DIGITS && digits[0] == '1' && digits[1] >= '3';
}

static _Bool is_phone(const struct number *n)
{
	if (is_mobile(n->digits, n->count))
		return 1;
	if (n->count > 2 && n->digits[0] == '8' && n->digits[1] == '6')
		return is_mobile(n->digits + 2, n->count - 2);
	return n->digits[0] == '0' && n->count >= LANDLINE_LEAST && n->count <= LANDLINE_MOST;
}

/* How many digits stay readable at either end. */
static void kept(size_t count, size_t *front, size_t *back)
{
	*front = count >= LONG_RUN ? 3 : 0;
	*back = count >= ID_DIGITS ? 2 : count >= MOBILE_DIGITS ? 4 : count >= LONG_RUN ? 2 : 0;
}

static char *put_number(char *to, const struct number *n)
{
	size_t front, back;

	kept(n->count, &front, &back);
	for (size_t i = 0; i < n->count; i++)
		*to++ = i < front || i >= n->count - back ? n->digits[i] : '*';
	return to;
}

/* A case's number, E or C and its digits (workflow/case_number.h), is nobody's: staff write it into their words. */
#define CASE_DIGITS_LEAST 17 /* category, day, and a sequence of five */

static _Bool is_case_number(const char *text, const char *at, const struct number *n)
{
	return at > text && (at[-1] == 'E' || at[-1] == 'C') && (at - 1 == text || !is_letter(at[-2])) && !n->apart &&
	       n->count >= CASE_DIGITS_LEAST && n->digits[4] == '2' && n->digits[5] <= '1';
}

/* A number to be masked that begins here; its length in the text, 0 when there is none. */
static size_t find_number(const char *at, struct number *n)
{
	read_number(at, 1, n);
	if (!is_phone(n))
		read_number(at, 0, n);
	if (!is_phone(n) && n->count < LONG_RUN)
		return 0;
	/* The X of an ID number. */
	if (n->count == 17 && (*n->end == 'X' || *n->end == 'x')) {
		n->digits[n->count++] = *n->end;
		n->end++;
	}
	return (size_t)(n->end - at);
}

/* ---- texts ---- */

static _Bool is_mail(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '+' || c == '*';
}

/* What stands before an '@' that was just written; the rest of the address stays, it names no person. */
static char *hide_mailbox(const char *start, char *to)
{
	char *from = to;

	while (from > start && is_mail(from[-1]))
		from--;
	if (from == to)
		return to;
	/* Never longer than it was: of one character nothing stays, of two the first. */
	size_t others = (size_t)(to - from) - 1, stars = others > 3 ? 3 : others > 0 ? others : 1;

	from += others > 0;
	memset(from, '*', stars);
	from += stars;
	return from;
}

const char *mask_text(const char *text, char *out)
{
	char *to = out;
	size_t unused;

	if (!text)
		return NULL;
	for (const char *at = text; *at;) {
		struct number n;
		size_t length = is_digit(at, &unused) ? find_number(at, &n) : 0;

		if (length > 0 && !is_case_number(text, at, &n)) {
			to = put_number(to, &n);
			at += length;
			continue;
		}
		/* A run too short to be masked is passed over whole, or its tail would be looked at again. */
		length = is_digit(at, &unused) ? (size_t)(n.end - at) : character(at);
		if (*at == '@' && (is_letter(at[1]) || (at[1] >= '0' && at[1] <= '9')))
			to = hide_mailbox(out, to);
		memcpy(to, at, length);
		to += length;
		at += length;
	}
	*to = '\0';
	return out;
}

const char *mask_phone(const char *text, char *out)
{
	struct number n;
	char *to;

	if (!text)
		return NULL;
	read_number(*text == '+' ? text + 1 : text, 1, &n);
	to = put_number(out, &n);
	/* What is no number at all shows nothing. */
	if (n.count == 0 || *n.end != '\0')
		to = stpcpy(out, "***");
	*to = '\0';
	return out;
}

/* ---- names ---- */

/* Surnames of two characters that are in use (复姓). */
static const char *const compound[] = {
	"欧阳", "上官", "司马", "诸葛", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐",
	"司徒", "东方", "端木", "南宫", "长孙", "宇文", "轩辕", "闻人", "申屠", "澹台"
};

static size_t surname(const char *name)
{
	size_t first = character(name);

	for (size_t i = 0; i < sizeof compound / sizeof *compound; i++)
		if (strncmp(name, compound[i], strlen(compound[i])) == 0 && name[strlen(compound[i])] != '\0')
			return strlen(compound[i]);
	return first;
}

const char *mask_name(const char *text, char *out)
{
	size_t stars;

	if (!text)
		return NULL;
	if (*text == '\0')
		return strcpy(out, "");
	/* Of "Smith" one letter, whatever its length; of 张伟 the surname and a star a character. */
	if (is_letter(*text)) {
		out[0] = *text;
		strcpy(out + 1, "***");
		return out;
	}
	size_t keep = surname(text);

	stars = count_characters(text + keep);
	if (stars == 0) /* one character alone may be the whole name */
		return strcpy(out, "*");
	memcpy(out, text, keep);
	memset(out + keep, '*', stars);
	out[keep + stars] = '\0';
	return out;
}

const char *mask_account(const char *account, char *out)
{
	const char *slash = account ? strrchr(account, '/') : NULL;
	size_t keep = slash ? (size_t)(slash - account) + 1 : 0;

	if (!account)
		return NULL;
	if (account[keep] != '\0')
		keep += character(account + keep);
	memcpy(out, account, keep);
	strcpy(out + keep, "***");
	return out;
}

void mask_word(char *text, const char *word)
{
	size_t length = word ? strlen(word) : 0;
	char *at = text;

	while (text && length > 1 && (at = strstr(at, word))) {
		memset(at, '*', length);
		at += length;
	}
}

const char *mask_pseudonym(int64_t case_id, char out[MASK_PSEUDONYM_SIZE])
{
	/* Numbers one behind the other should not look it: the finaliser of MurmurHash3. */
	uint64_t mixed = (uint64_t)case_id;

	mixed ^= mixed >> 33;
	mixed *= UINT64_C(0xff51afd7ed558ccd);
	mixed ^= mixed >> 33;
	must(snprintf(out, MASK_PSEUDONYM_SIZE, "reporter-%04x", (unsigned)(mixed & 0xffff)) > 0);
	return out;
}

#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"

#define JSON_DEPTH_MOST ((int)(sizeof((struct json *)0)->comma / sizeof(_Bool)))

void json_init(struct json *j, FILE *to)
{
	*j = (struct json){ .to = to };
}

static const char *escape_of(unsigned char byte)
{
	static const char *const escapes[] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
		['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t",
	};

	return byte < sizeof escapes / sizeof escapes[0] ? escapes[byte] : NULL;
}

/* Writes one character and says how many bytes it had. Bytes that are no UTF-8 become the replacement
 * character, because a reader refuses the whole document for one of them. */
static size_t put_character(FILE *to, const char *at)
{
	unsigned char byte = (unsigned char)*at;
	const char *escape = escape_of(byte);
	size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;

	if (escape) {
		fputs(escape, to);
	} else if (byte < 0x20) {
		fprintf(to, "\\u%04x", byte);
	} else if (length == 1) {
		putc(byte, to);
	} else if (strnlen(at, length) == length && text_is(TEXT_PROSE, (const uint8_t *)at, length)) {
		fwrite(at, 1, length, to);
	} else {
		fputs("\xef\xbf\xbd", to);
		return 1;
	}
	return length;
}

static void put_string(FILE *to, const char *text)
{
	putc('"', to);
	while (*text)
		text += put_character(to, text);
	putc('"', to);
}

/* What comes before every value: a comma behind an earlier member, and the key. */
static void put_lead(struct json *j, const char *key)
{
	if (j->depth > 0 && j->comma[j->depth])
		putc(',', j->to);
	j->comma[j->depth] = 1;
	if (key) {
		put_string(j->to, key);
		putc(':', j->to);
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	must(bracket == '{' || bracket == '[');
	must(j->depth + 1 < JSON_DEPTH_MOST);
	put_lead(j, key);
	putc(bracket, j->to);
	j->comma[++j->depth] = 0;
}

void json_close(struct json *j, char bracket)
{
	must(bracket == '}' || bracket == ']');
	must(j->depth > 0);
	j->depth--;
	putc(bracket, j->to);
}

void json_text(struct json *j, const char *key, const char *value)
{
	put_lead(j, key);
	if (value)
		put_string(j->to, value);
	else
		fputs("null", j->to);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	put_lead(j, key);
	fprintf(j->to, "%" PRId64, value);
}

void json_real(struct json *j, const char *key, double value)
{
	char text[32];

	put_lead(j, key);
	if (!isfinite(value)) {
		fputs("null", j->to);
		return;
	}
	/* 15 digits read well ("0.1") and mostly give the same number back; 17 always do. */
	snprintf(text, sizeof text, "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof text, "%.17g", value);
	fputs(text, j->to);
}

void json_bool(struct json *j, const char *key, _Bool value)
{
	put_lead(j, key);
	fputs(value ? "true" : "false", j->to);
}

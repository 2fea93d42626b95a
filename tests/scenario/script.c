/* script: lines into words, words into values. */
#include "script.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* Cuts the line into words in place. */
static void cut(struct script *s)
{
	char *at = s->text;

	s->count = s->at = 0;
	while (s->count < SCRIPT_WORDS_MOST) {
		at += strspn(at, " \t\r\n");
		if (*at == '\0' || *at == '#')
			return;

		_Bool quoted = s->quoted[s->count] = *at == '"';

		at += quoted;
		s->words[s->count++] = at;
		at += strcspn(at, quoted ? "\"" : " \t\r\n");
		if (*at != '\0')
			*at++ = '\0';
	}
}

_Bool script_next(struct script *s)
{
	while (fgets(s->text, sizeof s->text, s->file)) {
		s->line++;
		cut(s);
		if (s->count > 0)
			return 1;
	}
	return 0;
}

_Bool script_fail(struct script *s, const char *format, ...)
{
	va_list args;

	if (s->failed)
		return 0;
	s->failed = 1;
	printf("%s:%d: ", s->path, s->complain_at ? s->complain_at : s->line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return 0;
}

const char *script_peek(const struct script *s)
{
	return s->at < s->count ? s->words[s->at] : NULL;
}

const char *script_take(struct script *s)
{
	return s->at < s->count ? s->words[s->at++] : NULL;
}

_Bool script_takes(struct script *s, const char *word)
{
	if (s->at >= s->count || strcmp(s->words[s->at], word) != 0)
		return 0;
	s->at++;
	return 1;
}

const char *script_word(struct script *s, const char *expected)
{
	if (s->at < s->count)
		return s->words[s->at++];
	script_fail(s, "expected %s, came the end of the line", expected);
	return "";
}

int64_t script_number(struct script *s)
{
	const char *word = script_word(s, "a number");
	int64_t value = 0;

	if (!text_to_int(*word == '+' ? word + 1 : word, INT64_MIN, INT64_MAX, &value))
		script_fail(s, "expected a number, came \"%s\"", word);
	return value;
}

double script_real(struct script *s)
{
	const char *word = script_word(s, "a number");
	double value = 0;

	if (!text_to_double(word, &value))
		script_fail(s, "expected a number, came \"%s\"", word);
	return value;
}

int64_t script_span(struct script *s)
{
	int64_t sum = 0, one;
	int before = s->at;

	while (s->at < s->count && text_to_span(s->words[s->at], &one)) {
		sum += one;
		s->at++;
	}
	if (s->at == before)
		script_fail(s, "expected a span such as 15m, came \"%s\"", script_peek(s) ? script_peek(s) : "");
	return sum;
}

static int64_t time_of(struct script *s, const char *day, const char *hour)
{
	char text[40];
	int64_t ms = 0;

	snprintf(text, sizeof text, "%.10s %.8s%s", day, hour, strlen(hour) == 5 ? ":00" : "");
	if (!clock_parse(text, &ms))
		script_fail(s, "expected a time, came \"%s %s\"", day, hour);
	return ms;
}

int64_t script_time(struct script *s, int64_t now_ms)
{
	const char *word = script_word(s, "a time");
	char today[CLOCK_TEXT_SIZE];

	if (strcmp(word, "none") == 0)
		return 0;
	if (*word == '+') {
		int64_t span = 0;

		if (!text_to_span(word + 1, &span))
			script_fail(s, "expected a span, came \"%s\"", word);
		return now_ms + span;
	}
	clock_text(now_ms, today, sizeof today);
	if (strchr(word, '-') == NULL)
		return time_of(s, today, word);

	const char *hour = script_peek(s);
	_Bool given = hour && hour[0] >= '0' && hour[0] <= '9' && strchr(hour, ':');

	return time_of(s, word, given ? script_take(s) : "00:00");
}

void script_place(struct script *s, int32_t *lat_e7, int32_t *lon_e7)
{
	const char *word = script_word(s, "a place such as 34.35,108.72");
	double lat, lon;
	char end;

	if (sscanf(word, "%lf,%lf%c", &lat, &lon, &end) != 2) {
		script_fail(s, "expected a place such as 34.35,108.72, came \"%s\"", word);
		return;
	}
	*lat_e7 = (int32_t)lround(lat * 1e7);
	*lon_e7 = (int32_t)lround(lon * 1e7);
}

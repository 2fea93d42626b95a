#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define LOG_LINE_MOST 2048 /* newline included; below PIPE_BUF, so that two threads' lines never mix */

struct line {
	char text[LOG_LINE_MOST];
	size_t length;
};

/* The one setting that every module shares; atomic so that a reload may change it under running threads. */
static atomic_int level_most = LOG_LEVEL_INFO;

void log_set_level(enum log_level most)
{
	atomic_store_explicit(&level_most, (int)most, memory_order_relaxed);
}

static _Bool is_wanted(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&level_most, memory_order_relaxed);
}

static void add_args(struct line *to, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void add(struct line *to, const char *format, ...) PRINTF_LIKE(2, 3);

static void add_args(struct line *to, const char *format, va_list args)
{
	size_t room = sizeof to->text - to->length;
	int n = vsnprintf(to->text + to->length, room, format, args);

	if (n > 0)
		to->length += (size_t)n < room ? (size_t)n : room - 1;
}

static void add(struct line *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_args(to, format, args);
	va_end(args);
}

/* A newline or an escape sequence inside a value could forge a second line or drive a terminal. */
static void flatten(struct line *of)
{
	for (size_t i = 0; i < of->length; i++) {
		unsigned char byte = (unsigned char)of->text[i];

		if (byte < 0x20 || byte == 0x7f)
			of->text[i] = ' ';
	}
}

static void finish(struct line *of)
{
	/* Both the newline and a character cut in half by a full buffer need room given back. */
	if (of->length == sizeof of->text - 1)
		of->length = text_cut(of->text, sizeof of->text - 5);
	flatten(of);
	of->text[of->length++] = '\n';
	while (write(STDERR_FILENO, of->text, of->length) < 0 && errno == EINTR)
		;
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
	if (!is_wanted(level))
		return;

	int kept = errno;
	struct line to = { .length = 0 };
	va_list args;

	add(&to, "<%d>%s ", (int)level, event);
	va_start(args, format);
	add_args(&to, format, args);
	va_end(args);
	finish(&to);
	errno = kept;
}

void log_errno(const char *event, const char *format, ...)
{
	if (!is_wanted(LOG_LEVEL_ERROR))
		return;

	int kept = errno;
	char why[128];
	struct line to = { .length = 0 };
	va_list args;

	add(&to, "<%d>%s ", (int)LOG_LEVEL_ERROR, event);
	va_start(args, format);
	add_args(&to, format, args);
	va_end(args);
	add(&to, " error=\"%s\"", strerror_r(kept, why, sizeof why));
	finish(&to);
	errno = kept;
}

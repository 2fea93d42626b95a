#include "base/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void keep_line(char ***lines, size_t *count, char *line)
{
	*lines = must_realloc(*lines, (*count + 1) * sizeof **lines);
	(*lines)[(*count)++] = line;
}

/* The last line carries its own count, so that callers need to know nothing of the bound. */
static void count_further(char **lines, size_t count, const char *what)
{
	unsigned long further = strtoul(lines[count - 1] + strlen("and "), NULL, 10);

	free(lines[count - 1]);
	must(asprintf(&lines[count - 1], "and %lu further %s", further + 1, what) >= 0);
}

static void add(char ***lines, size_t *count, const char *what, char *line)
{
	if (*count < PROBLEMS_MOST) {
		keep_line(lines, count, line);
		return;
	}
	free(line);
	if (*count == PROBLEMS_MOST)
		keep_line(lines, count, must_strdup("and 0"));
	count_further(*lines, *count, what);
}

/* A command line or a whole file has no line number. */
static char *compose(const char *file, int line, const char *word, const char *format, va_list args)
{
	char *text = NULL, *whole = NULL;

	must(vasprintf(&text, format, args) >= 0);

	int made = line > 0 ? asprintf(&whole, "%s:%d: %s%s", file, line, word, text)
	                    : asprintf(&whole, "%s: %s%s", file, word, text);

	must(made >= 0);
	free(text);
	return whole;
}

void problems_add(struct problems *p, const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(&p->lines, &p->count, "problems", compose(file, line, "", format, args));
	va_end(args);
}

void problems_warn(struct problems *p, const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(&p->warnings, &p->warning_count, "warnings", compose(file, line, "warning: ", format, args));
	va_end(args);
}

void problems_print(const struct problems *p, FILE *to)
{
	for (size_t i = 0; i < p->count; i++)
		fprintf(to, "%s\n", p->lines[i]);
	for (size_t i = 0; i < p->warning_count; i++)
		fprintf(to, "%s\n", p->warnings[i]);
}

static void drop(char **lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(lines[i]);
	free(lines);
}

void problems_close(struct problems *p)
{
	drop(p->lines, p->count);
	drop(p->warnings, p->warning_count);
	*p = (struct problems){ 0 };
}
